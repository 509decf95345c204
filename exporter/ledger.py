"""The table of an incident's states, and the incidents of one step: as they were, and as they are by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from exporter.changes import change
from exporter.model import Change, Incident, Report, Stage


@dataclass(frozen=True, slots=True)
class Settings:
    """How sure to be.

    Attributes:
        confirm_rounds: rounds that must show a finding before anybody is told; one with experiments is as good as all.
        resolve_rounds: rounds in a row that must not show it before it is over.
    """

    confirm_rounds: int = 2
    resolve_rounds: int = 2


class Event(Enum):
    """What happens to an incident in a step."""

    SEEN = auto()
    CONFIRMED = auto()
    GONE = auto()


TRANSITIONS: Mapping[tuple[Stage, Event], Stage | None] = {
    (Stage.PENDING, Event.SEEN): Stage.PENDING,
    (Stage.PENDING, Event.CONFIRMED): Stage.FIRING,
    (Stage.PENDING, Event.GONE): None,  # nobody was told of it: it leaves no trace
    (Stage.FIRING, Event.SEEN): Stage.FIRING,
    (Stage.FIRING, Event.CONFIRMED): Stage.FIRING,
    (Stage.FIRING, Event.GONE): Stage.RESOLVED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What a step gives.

    Attributes:
        incidents: those that are open now, the same object where nothing changed.
        changes: what there is to tell.
        dropped: ids of those that were pending and came to nothing.
    """

    incidents: tuple[Incident, ...]
    changes: tuple[Change, ...]
    dropped: tuple[str, ...]


class Ledger:
    """What a step has made of the incidents that it knew."""

    def __init__(self, known: Iterable[Incident], at: float, settings: Settings = Settings()) -> None:
        self.at = at
        self.settings = settings
        self._before = {incident.id: incident for incident in known}
        self._after = dict(self._before)
        self._seen: set[str] = set()

    def open(self) -> list[Incident]:
        return sorted((one for one in self._after.values() if one.stage is not Stage.RESOLVED), key=age)

    def get(self, identity: str) -> Incident:
        return self._after[identity]

    def unseen(self, domain: str) -> list[Incident]:
        """Those that `domain` reported and did not join in this step."""
        mine = (one for one in self.open() if any(report.domain == domain for report in one.reports))
        return [one for one in mine if one.id not in self._seen]

    def add(self, incident: Incident) -> None:
        self._after[incident.id] = incident

    def put(self, incident: Incident, event: Event = Event.SEEN, /, **values: object) -> None:
        """The incident after `event`, with `values` changed; where no report is left, it is gone."""
        after = replace(incident, **values)  # type: ignore[arg-type]  # each caller names fields
        stage = TRANSITIONS[incident.stage, event if after.reports else Event.GONE]
        if stage is None:
            self._after.pop(incident.id, None)
            return
        domains = incident.domains if after.reports is incident.reports else _named(after.reports)
        affected = _joined(after.affected, domains)
        after = replace(
            after,
            stage=stage,
            opened=self.at if stage is Stage.FIRING and after.opened is None else after.opened,
            until=self.at if stage is Stage.RESOLVED else None,
            domains=affected if stage is Stage.RESOLVED else domains,
            affected=affected,
        )
        before = self._before.get(after.id)
        self._after[after.id] = before if before is not None and before == after else after

    def saw(self, incident: Incident) -> None:
        self._seen.add(incident.id)

    def changed(self) -> list[Incident]:
        """The open ones that are not as they were."""
        return [one for one in self.open() if self._before.get(one.id) is not one]

    def step(self) -> Step:
        pairs = [(self._before.get(one.id), one) for one in self._after.values()]
        told = (change(before, after, self.at) for before, after in pairs if before is not after)
        return Step(
            tuple(self.open()),
            tuple(one for one in told if one is not None),
            tuple(self._before.keys() - self._after.keys()),
        )


def _named(reports: Iterable[Report]) -> tuple[str, ...]:
    return tuple(sorted({domain for report in reports for domain in report.domains}))


def _joined(known: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    """Both, sorted; the same object where there is nothing new."""
    new = set(names).difference(known)
    return tuple(sorted([*known, *new])) if new else known


def age(incident: Incident) -> tuple[bool, float, str]:
    """The oldest first, and one that people were told of before one that they were not."""
    return incident.opened is None, incident.since, incident.id
