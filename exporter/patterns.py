"""RE2 patterns: what they search comes from probed servers, and RE2's time is linear in it. RE2's only home."""

from __future__ import annotations

from functools import lru_cache

import re2


@lru_cache(maxsize=1)
def _quiet() -> re2.Options:
    """RE2 would print faults to standard error; they are ours to report."""
    options = re2.Options()
    options.log_errors = False
    return options


@lru_cache(maxsize=10_000)
def _compiled(pattern: str) -> re2._Regexp:
    return re2.compile(pattern, _quiet())


def fault_of(pattern: str) -> str | None:
    """What keeps RE2 from compiling it, in RE2's words; None: nothing."""
    try:
        _compiled(pattern)
    except re2.error as error:
        [reason] = error.args
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None


def is_found(pattern: str, text: str) -> bool:
    """Whether a valid `pattern` matches somewhere in `text`."""
    return _compiled(pattern).search(text) is not None
