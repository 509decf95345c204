"""Owns the open incidents: steps them after each round, and hands on what changed, to the store before all others."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from exporter import incidents
from exporter.incident_metrics import IncidentMetrics
from exporter.incidents import Settings, Sighting, Step
from exporter.matrix import ALTERNATIVES_EVERY, rounds_to_cover
from exporter.model import Change, ChangeKind, Incident, Round, Stage
from exporter.store import Kept, Store

logger = logging.getLogger(__name__)

_WAITS_SECONDS = 1.0
"""For the disk, before a change is told all the same: so what was told is on it, unless it is slow or broken."""

# What an advertised alternative does is seen only when it is its turn.
_SELDOM = dict.fromkeys(("alt-svc-dead", "alt-svc-wrong-server"), ALTERNATIVES_EVERY)

_LOUDNESS = {ChangeKind.OPENED: logging.WARNING, ChangeKind.UPDATED: logging.INFO, ChangeKind.RESOLVED: logging.INFO}


class Chronicle:
    """The open incidents of all configured domains.

    Attributes:
        settings: how sure to be.
        listeners: called with each change, after the store and the metrics; they must not wait.
    """

    def __init__(
        self,
        store: Store,
        metrics: IncidentMetrics,
        configured: Callable[[], Collection[str]],
        now: Callable[[], float],
    ) -> None:
        self.settings = Settings()
        self.listeners: list[Callable[[Change], None]] = []
        self._store = store
        self._metrics = metrics
        self._configured = configured
        self._now = now
        self._open: dict[str, Incident] = {}
        self._by_domain: defaultdict[str, set[str]] = defaultdict(set)
        store.adopt = self._adopt

    @property
    def open(self) -> tuple[Incident, ...]:
        """What is open and was confirmed, the oldest first."""
        firing = (incident for incident in self._open.values() if incident.stage is Stage.FIRING)
        return tuple(sorted(firing, key=lambda one: (one.since, one.id)))

    async def record(self, round_: Round) -> None:
        """What a round does to the incidents; returns when it is told."""
        seldom = rounds_to_cover(round_.target, len(round_.addresses))
        sighting = replace(Sighting.of(round_), every=seldom, seldom=_SELDOM)
        known = self._known_to(sighting)
        if known or sighting.findings:
            step = incidents.step(known, sighting, self.settings)
            tried = self._take(step, round_)
            await asyncio.wait({tried}, timeout=_WAITS_SECONDS)
            self._tell(step.changes)

    def forget(self, domain: str) -> None:
        """It is no longer probed, so nothing is known of it."""
        step = incidents.forget(self._near({domain}), domain, self._now())
        self._take(step)
        self._tell(step.changes)

    def _adopt(self, stored: Sequence[Incident]) -> Sequence[Incident]:
        """Go on with what the store kept, beside what was seen since the start."""
        new = [incident for incident in stored if incident.id not in self._open]
        for incident in new:
            self._hold(incident)
        self._metrics.restore(new)
        step = incidents.joined(tuple(self._open.values()), self._now())
        self._take(step)
        self._tell(step.changes)
        for domain in self._by_domain.keys() - set(self._configured()):
            self.forget(domain)
        return tuple(self._open.values())

    def _known_to(self, sighting: Sighting) -> tuple[Incident, ...]:
        """What a step needs to know."""
        known = self._near({sighting.domain, *(name for one in sighting.findings for name in one.domains)})
        ours = incidents.OURSELVES & {finding.cause for finding in sighting.findings}
        return (
            (*known, *(one for one in self._open.values() if one.cause in ours and one not in known)) if ours else known
        )

    def _near(self, names: AbstractSet[str]) -> tuple[Incident, ...]:
        """The open incidents about any of these domains, and those that share a domain with them."""
        first = self._about(names)
        return self._about({name for incident in first for name in incident.domains}) if first else ()

    def _about(self, names: AbstractSet[str]) -> tuple[Incident, ...]:
        ids = {identity for name in self._by_domain.keys() & names for identity in self._by_domain[name]}
        return tuple(self._open[identity] for identity in ids)

    def _take(self, step: Step, round_: Round | None = None) -> asyncio.Future[None]:
        """Hold what the step gives, and have it kept."""
        changed = [incident for incident in step.incidents if self._open.get(incident.id) is not incident]
        over = [change.incident for change in step.changes if change.kind is ChangeKind.RESOLVED]
        for identity in (*(incident.id for incident in over), *step.dropped):
            self._drop(identity)
        for incident in changed:
            self._hold(incident)
        return self._store.keep(Kept((*changed, *over), step.changes, round_, step.dropped))

    def _hold(self, incident: Incident) -> None:
        before = self._open.get(incident.id)
        self._open[incident.id] = incident
        known = before.domains if before is not None else ()
        if known is not incident.domains:
            self._unlist(incident.id, set(known).difference(incident.domains))
            for domain in set(incident.domains).difference(known):
                self._by_domain[domain].add(incident.id)

    def _drop(self, identity: str) -> None:
        before = self._open.pop(identity, None)
        if before is not None:
            self._unlist(identity, before.domains)

    def _unlist(self, identity: str, domains: Iterable[str]) -> None:
        for domain in domains:
            self._by_domain[domain].discard(identity)
            if not self._by_domain[domain]:
                del self._by_domain[domain]

    def _tell(self, changes: Sequence[Change]) -> None:
        now_open: Mapping[str, Incident] = self._open
        self._metrics.tell(changes, now_open)
        for change in changes:
            one = change.incident
            what = f"incident {one.id} {change.kind}: {one.cause} at {_listed(one.domains)}: {change.note}"
            logger.log(_LOUDNESS[change.kind], "%s", what)
            for listener in self.listeners:
                listener(change)


def _listed(domains: Sequence[str]) -> str:
    return ", ".join(domains[:3]) + (f" and {len(domains) - 3} more" if len(domains) > 3 else "")
