"""What a query string asks for, read with a complaint for each thing that is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import TypeVar

from exporter.diagnosis import CAUSES
from exporter.model import Stage
from exporter.store import MOST_PER_PAGE, NO_CODE, Query

LONGEST_VALUE = 253
"""Of a domain name (RFC 1035, section 3.1); no other value needs more."""

TEXT = r"^[^\x00-\x1f\x7f]*$"

AGO = "^([1-9][0-9]{0,2})([smhdw])$"
_UNITS_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

MOST_SECONDS = 253_402_300_799.0
"""The end of the year 9999."""

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class AskedError(ValueError):
    """The question cannot be understood; says which parameter, and what it may be."""

    def __init__(self, parameter: str, complaint: str) -> None:
        super().__init__(f"{parameter}: {complaint}")
        self.parameter = parameter


class Parameters:
    """The parameters of one question, each at most once.

    `known` are those that it may have; of them, `may_be_empty` ask for nothing where they are empty.
    """

    def __init__(
        self, pairs: Collection[tuple[str, str]], known: Collection[str], may_be_empty: Collection[str]
    ) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name not in known:
                shown = name if name.isprintable() and len(name) < 40 else "this one"
                raise AskedError(shown, f"is no parameter here; there are {', '.join(sorted(known)) or 'none'}")
            if name in self._values:
                raise AskedError(name, "is given twice")
            if not (value or name in may_be_empty):
                raise AskedError(name, "is empty")
            self._values[name] = value

    def get(self, name: str, read: Callable[[str], T]) -> T | None:
        """What `read` makes of the value; None: it is not asked for."""
        value = self._values.get(name)
        if not value:
            return None
        try:
            return read(value)
        except ValueError as error:
            raise AskedError(name, str(error)) from None


def text(value: str) -> str:
    if len(value) > LONGEST_VALUE or re.fullmatch(TEXT, value) is None:
        raise ValueError(f"must be text without control characters, {LONGEST_VALUE} of them at most")
    return value


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 10 and lowest <= int(value) <= highest):
            raise ValueError(f"must be a number from {lowest} to {highest}")
        return int(value)

    return read


def one_of(choices: Mapping[str, T]) -> Callable[[str], T]:
    def read(value: str) -> T:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}" if len(choices) < 12 else "is not known")
        return choices[value]

    return read


def code(value: str) -> int:
    """A status code, or `none`: those whose clients get no status."""
    if value == "none":
        return NO_CODE
    try:
        return whole_number(100, 999)(value)
    except ValueError:
        raise ValueError("must be a status code, or none") from None


def cause(value: str) -> str:
    if value not in CAUSES:
        raise ValueError("is no cause; /api/v1/causes lists them")
    return value


def moment(now: float) -> Callable[[str], float]:
    """A time as Prometheus' API takes it (Unix time, or RFC 3339), or how long ago: `24h`."""

    def read(value: str) -> float:
        for form in (_unix_time, _rfc3339, _ago):
            found = form(value, now)
            if found is not None:
                return found
        raise ValueError("must be Unix time in seconds, RFC 3339 such as 2026-01-31T12:00:00Z, or so long ago: 24h")

    return read


def _unix_time(value: str, _now: float) -> float | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value, re.ASCII) is None:
        return None
    found = float(value)
    return found if found <= MOST_SECONDS else None


def _rfc3339(value: str, _now: float) -> float | None:
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _ago(value: str, now: float) -> float | None:
    found = re.fullmatch(AGO, value)
    return None if found is None else now - int(found[1]) * _UNITS_SECONDS[found[2]]


INCIDENT_FILTERS = frozenset({"domain", "code", "cause", "state", "since", "until"})
STAGES = {stage.value: stage for stage in Stage}
LIMIT = whole_number(1, MOST_PER_PAGE)


def incidents(parameters: Parameters, now: float, limit: int = 50) -> Query:
    """Which incidents are asked for; `now` in Unix time. Raises AskedError."""
    return Query(
        domain=parameters.get("domain", domain),
        code=parameters.get("code", code),
        cause=parameters.get("cause", cause),
        stage=parameters.get("state", one_of(STAGES)),
        after=parameters.get("since", moment(now)),
        before=parameters.get("until", moment(now)),
        limit=parameters.get("limit", LIMIT) or limit,
        cursor=parameters.get("cursor", text) or "",
    )


def domain(value: str) -> str:
    """As domains are stored: lower case, no trailing dot."""
    return text(value).lower().removesuffix(".")
