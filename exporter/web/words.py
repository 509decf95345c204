"""How pages and the API say times, spans and what servers wrote. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

_DAY_SECONDS = 86_400
_UNITS = ((_DAY_SECONDS, "d"), (3_600, "h"), (60, "min"), (1, "s"))

_LONGEST_LINE = 500


def duration(seconds: float) -> str:
    """In the largest unit that fits, cut off: 12 s, 3 min, 5 h, 64 d.

    >>> duration(200.0), duration(-5)
    ('3 min', '0 s')
    """
    whole = max(0.0, seconds)
    size, unit = next((each for each in _UNITS if whole >= each[0]), _UNITS[-1])
    return f"{int(whole // size)} {unit}"


def long_duration(seconds: float) -> str:
    """In the two largest units: 3 h 20 min.

    >>> long_duration(12_000), long_duration(59), long_duration(3600)
    ('3 h 20 min', '59 s', '1 h')
    """
    whole = max(0, int(seconds))
    for (size, unit), (lesser, lesser_unit) in pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // lesser
            return f"{whole // size} {unit}" + (f" {rest} {lesser_unit}" if rest else "")
    return f"{whole} s"


def milliseconds(seconds: float) -> str:
    """With three digits at most behind what is large.

    >>> milliseconds(0.00123), milliseconds(0.25), milliseconds(12.5)
    ('1.2 ms', '250 ms', '12500 ms')
    """
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def moment(at: float) -> str:
    """A Unix time for people.

    >>> moment(1_700_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    return f"{_datetime(at):%Y-%m-%d %H:%M:%S} UTC"


def iso(at: float) -> str:
    """A Unix time for machines (RFC 3339).

    >>> iso(1_700_000_000.5)
    '2023-11-14T22:13:20.500Z'
    """
    return _datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(text: str, most: int = _LONGEST_LINE) -> str:
    """On one line, printable and bounded: what a server wrote neither hides nor turns the text around it."""
    shown = printable(" ".join(text[: 2 * most].split()))
    return shown if len(shown) <= most else f"{shown[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def printable(text: str) -> str:
    """Without what hides or turns text, such as control characters and lone surrogates."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def _datetime(at: float) -> datetime:
    """Certificates may name years that `datetime` does not know; then its last or first second."""
    bounded = min(max(at, 0.0), 253_402_300_799.0) if math.isfinite(at) else 0.0
    return datetime.fromtimestamp(bounded, UTC)
