"""What may be asked of the stored incidents, and the marks between pages. Pure."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass

from exporter.model import ChangeKind, Incident, Round, Stage

MOST_PER_PAGE = 500
_LONGEST_CURSOR = 200


class CursorError(ValueError):
    """The mark is none that a page ended with."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which incidents; a field that is None asks for nothing.

    Attributes:
        domain: that it concerns, or ever did.
        code: `NO_CODE` asks for those whose clients get no status.
        stage: pending incidents are found only if they are asked for.
        after, before: Unix time in seconds; those that were going on at some time between the two.
        cursor: where the last page ended; empty: from the newest on.
    """

    domain: str | None = None
    code: int | None = None
    cause: str | None = None
    stage: Stage | None = None
    after: float | None = None
    before: float | None = None
    limit: int = 50
    cursor: str = ""


NO_CODE = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Incidents, the newest first.

    Attributes:
        cursor: asks for the next page; empty: this is the last.
    """

    incidents: tuple[Incident, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class KeptRound:
    """A round that changed an incident.

    Attributes:
        at: Unix time in seconds.
        note: what it changed.
        round: None: it was stored by a version whose rounds this one cannot read.
    """

    kind: ChangeKind
    at: float
    note: str
    round: Round | None


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of an incident; its rounds in the order of time."""

    incident: Incident
    rounds: tuple[KeptRound, ...]


def cursor_after(since: float, identity: str) -> str:
    """The mark behind an incident in the order of pages."""
    return base64.urlsafe_b64encode(f"{since!r} {identity}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[float, str]:
    """When the incident before the mark began, and its id. Raises CursorError."""
    if not cursor.isascii() or len(cursor) > _LONGEST_CURSOR:
        raise CursorError("is no cursor of ours")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        since, _, identity = text.partition(" ")
        place = float(since), identity
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise CursorError("is no cursor of ours") from error
    if not identity or not math.isfinite(place[0]) or cursor_after(*place) != cursor:
        raise CursorError("is no cursor of ours")
    return place
