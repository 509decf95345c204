"""Durations as Prometheus writes them: `30s`, `1h30m`, `500ms`."""

from __future__ import annotations

import re

_UNITS_MILLISECONDS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
"""In the order in which they must stand. As in Prometheus, a year has 365 days."""

_FORM = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,12}}){unit})?" for unit in _UNITS_MILLISECONDS))

MAX_SECONDS = 366 * 86_400
MIN_INTERVAL_SECONDS = 1.0


def parse(value: object) -> float:
    """Seconds; raises ValueError if this is no duration above zero and up to a year.

    >>> parse("1m30s")
    90.0
    """
    found = _FORM.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise ValueError("must be a duration such as 30s, 1m30s or 500ms")
    milliseconds = sum(int(found[unit] or 0) * size for unit, size in _UNITS_MILLISECONDS.items())
    return _bounded(milliseconds / 1000)


def parse_interval(value: object) -> float:
    """As `parse`, at least a second."""
    seconds = parse(value)
    if seconds < MIN_INTERVAL_SECONDS:
        raise ValueError(f"must be at least {render(MIN_INTERVAL_SECONDS)}")
    return seconds


def parse_seconds(value: object) -> float:
    """As `parse`; a bare number is seconds."""
    return _bounded(float(value)) if type(value) in {int, float} else parse(value)  # type: ignore[arg-type]


def _bounded(seconds: float) -> float:
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError("must be longer than 0s" if seconds <= 0 else "must not be longer than 366d")
    return seconds


def render(seconds: float) -> str:
    """The duration in one unit, to the millisecond, so that two of them compare at sight.

    >>> render(90.0), render(0.5)
    ('90s', '500ms')
    """
    milliseconds = round(seconds * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"
