"""What an answer is held against: status ranges and RE2 patterns. Each check raises ValueError."""

from __future__ import annotations

import re

from exporter.config.scalars import text
from exporter.model import StatusRange
from exporter.patterns import fault_of

MAX_PATTERN = 4_096

_STATUSES = re.compile(r"([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?")


def statuses(value: object) -> tuple[StatusRange, ...]:
    """One status or range, or a list of them.

    >>> [str(status) for status in statuses((204, "300-399"))]
    ['204', '300-399']
    """
    items = value if isinstance(value, tuple) else (value,)
    if not items:
        raise ValueError("must not be empty")
    return tuple(dict.fromkeys(_status_range(item) for item in items))


def _status_range(item: object) -> StatusRange:
    found = _STATUSES.fullmatch(str(item)) if type(item) in {int, str} else None
    if found is None:
        raise ValueError('must be statuses from 100 to 999 such as 200, or ranges such as "200-299"')
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise ValueError(f"has a range that ends before it begins: {first}-{last}")
    return StatusRange(first, last)


def pattern(value: object) -> str:
    """The pattern, if RE2 can compile it."""
    expression = text(value)
    if len(expression) > MAX_PATTERN:
        raise ValueError(f"is {len(expression)} characters long, at most {MAX_PATTERN} are allowed")
    fault = fault_of(expression)
    if fault is not None:
        raise ValueError(f"is not an RE2 pattern: {fault[:200]}")
    return expression
