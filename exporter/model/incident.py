"""Findings over time: incidents, who reports them, and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exporter.model.judging import Finding
from exporter.model.words import Severity


class Stage(StrEnum):
    """Where an incident stands. Nobody is told of one that is pending, and none changes once it is resolved."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class ChangeKind(StrEnum):
    """What store, metrics and Grafana are to do."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Report:
    """What the rounds of one domain say of an incident.

    Attributes:
        domain: whose rounds.
        domains: whom they say it of, sorted.
        cause, code: what they said last.
        turned: in how many rounds in a row they have said so where it is not what the incident says; 0: they agree.
        missed: in how many rounds in a row they have not said anything of it.
    """

    domain: str
    domains: tuple[str, ...]
    cause: str
    code: int | None
    turned: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """From when on an incident had which cause and code.

    Attributes:
        at: Unix time in seconds.
    """

    at: float
    cause: str
    code: int | None
    summary: str


@dataclass(frozen=True, slots=True)
class Incident:
    """A finding over time.

    Attributes:
        id: unique, made of when, where and what it was first; safe in URLs, tags and file names.
        since: when it was first seen, Unix time in seconds, as the following.
        opened: when it was confirmed; None: it is pending.
        until: when it was found to be over; None: it is not.
        finding: of the cause that leads now, as it was when it was surest.
        reports: sorted by domain; empty once it is resolved.
        domains: whom it concerns now, sorted: all that the reports name. Once it is resolved, `affected`.
        affected: every domain that it ever concerned, sorted.
        seen: rounds that showed it, counted until it is confirmed.
        flaps: how often it came back after rounds that did not show it, before it counted as over.
        turns: the causes that led, in order; the last one leads now.
        merged_into: the older incident that this one was found to be a part of; empty: none.
    """

    id: str
    stage: Stage
    since: float
    finding: Finding
    reports: tuple[Report, ...]
    domains: tuple[str, ...]
    affected: tuple[str, ...]
    opened: float | None = None
    until: float | None = None
    seen: int = 0
    flaps: int = 0
    turns: tuple[Turn, ...] = ()
    merged_into: str = ""

    @property
    def cause(self) -> str:
        return self.finding.cause

    @property
    def code(self) -> int | None:
        return self.finding.code

    @property
    def severity(self) -> Severity:
        return self.finding.severity


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to an incident.

    Attributes:
        incident: as it is after it.
        at: Unix time in seconds.
        note: what changed, for people, in a line.
    """

    kind: ChangeKind
    incident: Incident
    at: float
    note: str
