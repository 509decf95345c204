"""Rounds go in, and what Prometheus reads of them comes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import chain

from exporter.cause_metrics import cause_chunks
from exporter.exposition import Format, Histogram, chunks
from exporter.health import Health
from exporter.incident_metrics import IncidentMetrics
from exporter.matrix import ALTERNATIVES_EVERY
from exporter.metrics.cells import Cell, Matrix, Turning, cell
from exporter.metrics.counters import Counters
from exporter.metrics.room import Room
from exporter.metrics.standing import Standing, standing
from exporter.metrics.table import METRICS, Shown
from exporter.model import Combination, Observation, Phase, Probe, Protocol, Round, Verdict

MAX_SERIES = 100_000

# A handshake on loopback takes about 2 ms, a healthy far request 0.1 to 0.5 s, a timeout 10 s by default.
DURATION_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_Seen = Sequence[tuple[Observation, Verdict]]


class Metrics:
    """Counts rounds, and writes what the last round of each target showed.

    What a round shows is read once, when it is recorded: a scrape only writes. It holds nothing of a round that is
    gone, so no series outlives its target.

    Attributes:
        max_series: bounds the matrix, the durations and the counters together. Kept first are the matched cells, then
            the counters, then the durations, then exposures, then the other cells.
        incidents: a part of its own, without that bound.
        runbooks: the URL below which the runbooks are.
    """

    def __init__(self, health: Health, max_series: int = MAX_SERIES, runbooks: str = "/runbooks") -> None:
        self.max_series = max_series
        self.runbooks = runbooks
        self.incidents = IncidentMetrics()
        self._health = health
        self._standings: dict[str, Standing] = {}
        self._matched = Matrix()
        self._others = Matrix()
        self._turning = {shelf: Turning() for shelf in _Shelf}
        self._counters = Counters()
        self._histograms: defaultdict[tuple[Protocol, Phase], Histogram] = defaultdict(
            lambda: Histogram(DURATION_BUCKETS)
        )
        self._forgotten: set[str] = set()

    def record(self, round_: Round) -> None:
        """Count what `round_` saw, and show it in place of its target's last one. Call once per round."""
        domain = round_.target.domain
        self._forgotten.discard(domain)
        seen = self._remembered(round_)
        for observation, verdict in seen:
            self._counters.count(observation, verdict)
            self._time(observation)
        self._standings[domain] = standing(round_)
        self._show(domain, seen)

    def forget(self, domain: str) -> None:
        """Drop all series about `domain`, also those that its siblings' rounds saw."""
        self._forgotten.add(domain)
        self._standings.pop(domain, None)
        self._counters.forget(domain)
        for turning in self._turning.values():
            turning.forget(domain)
        self._matched.forget(domain)
        self._others.forget(domain)

    def chunks(self, form: Format) -> Iterator[bytes]:
        """All families without the format's ending, as of this call: later rounds do not show in later chunks."""
        shown = self._snapshot()
        own = chunks(((metric.family, metric.read(shown)) for metric in METRICS), form)
        return chain(own, cause_chunks(self.runbooks, form), self.incidents.chunks(form))

    def _remembered(self, round_: Round) -> _Seen:
        # A round that was under way when its sibling was removed must not bring the sibling's series back.
        # Where nothing was learned there is nothing to show: a series would look like a good answer.
        pairs = zip(round_.observations, round_.verdicts, strict=True)
        return [
            (seen, verdict)
            for seen, verdict in pairs
            if verdict.conclusive and seen.probe.domain not in self._forgotten
        ]

    def _time(self, observation: Observation) -> None:
        for phase, seconds in observation.seconds.items():
            self._histograms[observation.probe.protocol, phase].observe(seconds)

    def _show(self, domain: str, seen: _Seen) -> None:
        cells: dict[_Shelf, list[Cell]] = {shelf: [] for shelf in _Shelf}
        for observation, verdict in seen:
            cells[_shelf(observation.probe)].append(cell(observation, verdict))
        cover = dict.fromkeys(_Shelf, self._standings[domain].rounds_to_cover)
        cover[_Shelf.ALTERNATIVES] = ALTERNATIVES_EVERY
        matched, others, alternatives = (self._turning[s].shown(domain, cells[s], cover[s]) for s in _Shelf)
        self._matched.replace(domain, matched)
        self._others.replace(domain, [*others, *alternatives])

    def _snapshot(self) -> Shown:
        """Only references are taken, to what never changes: at 100,000 series copying them would stall the loop."""
        standings = tuple(self._standings.values())
        room = Room(self.max_series)
        shown = Shown(
            standings=standings,
            matched=room.take(self._matched.cells(), series_each=2),
            responses=room.take(self._counters.responses.samples()),
            misdirected=room.take(self._counters.misdirected.samples()),
            failures=room.take(self._counters.failures.samples()),
            durations=room.take([durations for standing in standings for durations in standing.durations]),
            exposures=room.take([standing.exposures for standing in standings]),
            others=room.take(self._others.cells(), series_each=2),
            phases=[
                sample
                for (protocol, phase), histogram in self._histograms.items()
                for sample in histogram.samples(("protocol", protocol), ("phase", phase))
            ],
        )
        self._health.series(self.max_series - room.left, room.dropped)
        return shown


class _Shelf(Enum):
    """Cells that come up, and go, together."""

    MATCHED = auto()
    OTHERS = auto()
    ALTERNATIVES = auto()


def _shelf(probe: Probe) -> _Shelf:
    combination = probe.combination
    if combination is Combination.MATCHED:
        return _Shelf.MATCHED
    return _Shelf.ALTERNATIVES if combination is Combination.ALTERNATIVE else _Shelf.OTHERS
