"""What Prometheus reads about probed domains: one table of rows, true counters, and what each last round showed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from itertools import chain, islice
from operator import attrgetter
from typing import Generic, TypeVar
from typing import Protocol as Interface

from exporter.cause_metrics import cause_chunks
from exporter.diagnosis import CAUSES, leading
from exporter.exposition import Format, Histogram, Kind, Metric, Sample, chunks, labels, number
from exporter.health import Health
from exporter.incident_metrics import IncidentMetrics
from exporter.matrix import ALTERNATIVES_EVERY, rounds_to_cover
from exporter.model import Combination, Observation, Phase, Probe, Protocol, Round, Verdict

MAX_SERIES = 100_000

# Registered statuses always have their own series, so that a server cannot hide a 421 behind made-up codes; of the
# others (nginx's 499, a CDN's 52x, a hostile server's anything) as many as any honest server sends, then `other`.
MAX_UNREGISTERED_CODES = 20
_REGISTERED_CODES = frozenset(map(int, HTTPStatus))

# A handshake on loopback takes about 2 ms, a healthy far request 0.1 to 0.5 s, a timeout 10 s by default.
DURATION_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
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
        self._matched = _Matrix()
        self._others = _Matrix()
        self._turning = {shelf: _Turning() for shelf in _Shelf}
        self._counters = _Counters()
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
        self._standings[domain] = _standing(round_)
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
            cells[_shelf(observation.probe)].append(_cell(observation, verdict))
        cover = dict.fromkeys(_Shelf, self._standings[domain].rounds_to_cover)
        cover[_Shelf.ALTERNATIVES] = ALTERNATIVES_EVERY
        matched, others, alternatives = (self._turning[s].shown(domain, cells[s], cover[s]) for s in _Shelf)
        self._matched.replace(domain, matched)
        self._others.replace(domain, [*others, *alternatives])

    def _snapshot(self) -> Shown:
        """Only references are taken, to what never changes: at 100,000 series copying them would stall the loop."""
        standings = tuple(self._standings.values())
        room = _Room(self.max_series)
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


class Group(Interface[T_co]):
    """Things that are counted before they are written."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...


class _Room:
    """How many more series one answer may show, and how many found no room."""

    def __init__(self, max_series: int) -> None:
        self.left = max_series
        self.dropped = 0

    def take(self, groups: Sequence[Group[T]], series_each: int = 1) -> Cut[T]:
        """The first of what is in `groups`, as much as there is room for."""
        wanted = sum(map(len, groups))
        kept = min(wanted, self.left // series_each)
        self.left -= kept * series_each
        self.dropped += (wanted - kept) * series_each
        return Cut(groups, kept)


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The first `kept` of what is in `groups`."""

    groups: Sequence[Group[T]]
    kept: int

    def __iter__(self) -> Iterator[T]:
        return islice(chain.from_iterable(self.groups), self.kept)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one answer shows: nothing in it changes once it is taken."""

    standings: Sequence[Standing]
    matched: Cut[Cell]
    responses: Cut[Sample]
    misdirected: Cut[Sample]
    failures: Cut[Sample]
    durations: Cut[Sample]
    exposures: Cut[Sample]
    others: Cut[Cell]
    phases: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a round says of its target as a whole, ready to be written.

    Attributes:
        labels: the label set of its gauges; `info_labels`: that of its info.
        rounds_to_cover: how many rounds show together what the target's plan holds.
        not_after, trusted: None: no certificate was seen.
        durations: of the matched probes, by phase.
        exposures: of siblings to the connections that were opened for the target.
    """

    labels: str
    info_labels: str
    rounds_to_cover: int
    up: int
    cause: int
    addresses: int
    ended_at: str
    duration: str
    not_after: str | None
    trusted: int | None
    durations: tuple[_Durations, ...]
    exposures: tuple[Sample, ...]


def _standing(round_: Round) -> Standing:
    target = round_.target
    not_after, trusted = certificate_not_after(round_), certificate_trusted(round_)
    return Standing(
        labels=labels(("domain", target.domain)),
        # What we say of a target wins over what its configuration says, so that no name can stand twice.
        info_labels=labels(*{**dict(target.labels), "domain": target.domain, "group": target.group}.items()),
        rounds_to_cover=rounds_to_cover(target, len(round_.addresses)),
        up=int(round_.up),
        cause=_cause(round_),
        addresses=len(round_.addresses),
        ended_at=number(round_.started_at + round_.duration_seconds),
        duration=number(round_.duration_seconds),
        not_after=None if not_after is None else number(not_after),
        trusted=None if trusted is None else int(trusted),
        durations=tuple(_durations(round_)),
        exposures=tuple(
            (labels(("domain", domain), ("sibling", sibling), ("client", client)), 1)
            for domain, sibling, client in dict.fromkeys(
                (one.domain, one.sibling, one.client) for one in round_.exposures
            )
        ),
    )


def _cause(round_: Round) -> int:
    """The number of the leading cause; 0: there is none above a remark."""
    first = leading(round_.findings)
    return 0 if first is None else CAUSES[first.cause].number


class _Durations:
    """The samples of one matched probe, by phase; their label sets are put together as they are written."""

    def __init__(self, text: str, seconds: Mapping[Phase, float]) -> None:
        self._text = text
        self._seconds = seconds

    def __len__(self) -> int:
        return len(self._seconds)

    def __iter__(self) -> Iterator[Sample]:
        for phase, seconds in self._seconds.items():
            yield f'{self._text},phase="{phase}"}}', number(seconds)


def _durations(round_: Round) -> Iterator[_Durations]:
    """Of the target only, and of each probe once, so that no series can stand twice."""
    own = {seen.probe: seen.seconds for seen, _ in round_.matched if seen.probe.domain == round_.target.domain}
    for probe, seconds in own.items():
        where = ("domain", probe.domain), ("address", probe.address or ""), ("protocol", probe.protocol)
        yield _Durations(labels(*where).removesuffix("}"), seconds)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix, ready to be written.

    Attributes:
        domain: that the answer is about.
        labels: the label set as written.
        status: 0 where no response came, as blackbox_exporter has it.
    """

    domain: str
    labels: str
    success: int
    status: int


def _cell(observation: Observation, verdict: Verdict) -> Cell:
    probe = observation.probe
    return Cell(
        domain=probe.domain,
        labels=labels(
            ("domain", probe.domain),
            ("combination", probe.combination),
            ("sni", probe.sni or ""),
            ("host", probe.host),
            ("address", probe.place),
            ("protocol", probe.protocol),
            ("connection", probe.connection),
        ),
        success=int(verdict.expected),
        status=observation.response.status if observation.response else 0,
    )


class _Matrix:
    """Cells by the domain that they are about and the target whose round saw them."""

    def __init__(self) -> None:
        # One flat table that keeps its order: a scrape takes it in one go, and max_series cuts it at the same place.
        self._cells: dict[tuple[str, str], tuple[Cell, ...]] = {}
        self._seers: dict[str, set[str]] = {}
        self._seen: dict[str, frozenset[str]] = {}

    def replace(self, target: str, cells: Iterable[Cell]) -> None:
        """Put `cells` in place of those that `target`'s last round saw. No label set is ever kept twice."""
        by_domain: dict[str, dict[str, Cell]] = {}
        for cell in cells:
            by_domain.setdefault(cell.domain, {})[cell.labels] = cell
        for domain in self._seen.get(target, frozenset()) - by_domain.keys():
            self._seers.get(domain, set()).discard(target)
            self._cells.pop((domain, target), None)
        for domain, distinct in by_domain.items():
            taken = self._labels_seen_by_others(domain, target)
            self._cells[domain, target] = tuple(cell for cell in distinct.values() if cell.labels not in taken)
        self._seen[target] = frozenset(by_domain)

    def forget(self, domain: str) -> None:
        self.replace(domain, ())
        del self._seen[domain]
        for target in self._seers.pop(domain, ()):
            self._cells.pop((domain, target), None)

    def cells(self) -> list[tuple[Cell, ...]]:
        return list(self._cells.values())

    def _labels_seen_by_others(self, domain: str, target: str) -> frozenset[str]:
        seers = self._seers.setdefault(domain, set())
        seers.add(target)
        return frozenset(cell.labels for seer in seers - {target} for cell in self._cells[domain, seer])


class _Turning:
    """Cells that come up by rotation: they stay until every one had its turn."""

    def __init__(self) -> None:
        self._before: dict[str, deque[list[Cell]]] = {}

    def shown(self, target: str, cells: list[Cell], rounds_to_cover: int) -> list[Cell]:
        """`cells`, after those of earlier rounds that are still on; whose label set is the same, the last one holds."""
        if rounds_to_cover == 1 or not (cells or any(self._before.get(target, ()))):
            self._before.pop(target, None)
            return cells
        rounds = self._before.setdefault(target, deque())
        rounds.append(cells)
        while len(rounds) > rounds_to_cover:
            rounds.popleft()
        return list({cell.labels: cell for seen in rounds for cell in seen}.values())

    def forget(self, domain: str) -> None:
        self._before.pop(domain, None)
        for rounds in self._before.values():
            for cells in rounds:
                cells[:] = [cell for cell in cells if cell.domain != domain]


class _Counts:
    """Counts by label set, by the domain that they are about.

    The dicts never change but are replaced, so that a scrape need not copy what it shows.
    """

    def __init__(self) -> None:
        self._by_domain: dict[str, dict[str, int]] = {}

    def add(self, domain: str, amount: int, *pairs: tuple[str, str]) -> None:
        counts = self._by_domain.get(domain, {})
        text = labels(("domain", domain), *pairs)
        if amount or text not in counts:
            self._by_domain[domain] = {**counts, text: counts.get(text, 0) + amount}

    def forget(self, domain: str) -> None:
        self._by_domain.pop(domain, None)

    def samples(self) -> list[ItemsView[str, int]]:
        return [counts.items() for counts in self._by_domain.values()]


class _Counters:
    """What happened since the start."""

    def __init__(self) -> None:
        self.responses = _Counts()
        self.misdirected = _Counts()
        self.failures = _Counts()
        self._unregistered: dict[str, dict[tuple[Combination, Protocol], set[int]]] = {}

    def count(self, observation: Observation, verdict: Verdict) -> None:
        """A response that broke off is a response and a failure."""
        probe, failure = observation.probe, observation.failure
        if failure is not None:
            self.failures.add(probe.domain, 1, ("phase", failure.phase), ("kind", failure.kind))
        if observation.response is not None:
            self._count_response(probe, observation.response.status, verdict)
        if probe.combination is Combination.MATCHED:
            # The series that pages is there from the first round on, so that `increase` sees its first event.
            self.misdirected.add(probe.domain, 0, ("combination", Combination.MATCHED), ("expected", "false"))

    def forget(self, domain: str) -> None:
        self.responses.forget(domain)
        self.misdirected.forget(domain)
        self.failures.forget(domain)
        self._unregistered.pop(domain, None)

    def _count_response(self, probe: Probe, status: int, verdict: Verdict) -> None:
        combination = ("combination", probe.combination)
        code = ("code", self._code(probe, status))
        self.responses.add(probe.domain, 1, combination, ("protocol", probe.protocol), code)
        if status == HTTPStatus.MISDIRECTED_REQUEST:
            expected = ("expected", "true" if verdict.expected else "false")
            self.misdirected.add(probe.domain, 1, combination, expected)

    def _code(self, probe: Probe, status: int) -> str:
        if status in _REGISTERED_CODES:
            return str(status)
        known = self._unregistered.setdefault(probe.domain, {}).setdefault((probe.combination, probe.protocol), set())
        if len(known) < MAX_UNREGISTERED_CODES:
            known.add(status)
        return str(status) if status in known else "other"


def matched(round_: Round) -> Iterator[Observation]:
    """The observations of what every client does: SNI and Host are the domain, on a new connection."""
    return (seen for seen in round_.observations if seen.probe.combination is Combination.MATCHED)


def certificate_not_after(round_: Round) -> float | None:
    """When the first certificate of the matched probes' chains expires: Unix time in seconds; None: no chain seen."""
    sessions = (seen.tls for seen in matched(round_) if seen.tls is not None)
    return min((certificate.not_after for session in sessions for certificate in session.chain), default=None)


def certificate_trusted(round_: Round) -> bool | None:
    """Whether every matched probe that shook hands was shown a trusted certificate; None: none shook hands."""
    trusted = [not seen.tls.faults for seen in matched(round_) if seen.tls is not None]
    return all(trusted) if trusted else None


def _of_each(name: str) -> Callable[[Shown], Iterator[Sample]]:
    """One sample per domain: this attribute of its standing; none where it is None."""
    read: Callable[[Standing], Sample] = attrgetter("labels", name)
    return lambda shown: (sample for sample in map(read, shown.standings) if sample[1] is not None)


def _of_cells(name: str) -> Callable[[Shown], Iterator[Sample]]:
    read: Callable[[Cell], Sample] = attrgetter("labels", name)
    return lambda shown: map(read, chain(shown.matched, shown.others))


_CELL = ("domain", "combination", "sni", "host", "address", "protocol", "connection")

METRICS: tuple[Metric[Shown], ...] = (
    Metric(
        "statuscode_domain_up",
        Kind.GAUGE,
        ("domain",),
        "1: every matched probe of the last round answered as expected; else 0.",
        _of_each("up"),
    ),
    Metric(
        "statuscode_domain_cause",
        Kind.GAUGE,
        ("domain",),
        "Number of the leading cause of what is wrong (statuscode_cause_info tells which); 0: nothing is.",
        _of_each("cause"),
    ),
    Metric(
        "statuscode_domain_info",
        Kind.INFO,
        ("domain", "group", "..."),
        "The group of a domain and the labels that its configuration adds; always 1.",
        lambda shown: ((standing.info_labels, 1) for standing in shown.standings),
    ),
    Metric(
        "statuscode_domain_addresses",
        Kind.GAUGE,
        ("domain",),
        "Addresses that the domain resolved to in the last round.",
        _of_each("addresses"),
    ),
    Metric(
        "statuscode_domain_rounds_to_cover",
        Kind.GAUGE,
        ("domain",),
        "After so many rounds every sibling and every address was probed; 1 unless rotation bounds a round.",
        _of_each("rounds_to_cover"),
    ),
    Metric(
        "statuscode_round_timestamp_seconds",
        Kind.GAUGE,
        ("domain",),
        "Unix time at which the last round ended.",
        _of_each("ended_at"),
    ),
    Metric(
        "statuscode_round_duration_seconds",
        Kind.GAUGE,
        ("domain",),
        "How long the last round took.",
        _of_each("duration"),
    ),
    Metric(
        "statuscode_http_responses_total",
        Kind.COUNTER,
        ("domain", "combination", "protocol", "code"),
        "Responses by status code; unregistered codes beyond the first 20 are counted as other.",
        lambda shown: shown.responses,
    ),
    Metric(
        "statuscode_misdirected_responses_total",
        Kind.COUNTER,
        ("domain", "combination", "expected"),
        "Responses with status 421; expected=true where refusing was right.",
        lambda shown: shown.misdirected,
    ),
    Metric(
        "statuscode_probe_failures_total",
        Kind.COUNTER,
        ("domain", "phase", "kind"),
        "Probes without a whole response, by the phase that failed and the kind of failure.",
        lambda shown: shown.failures,
    ),
    Metric(
        "statuscode_request_duration_seconds",
        Kind.HISTOGRAM,
        ("protocol", "phase"),
        "Time spent in each phase, all probes together.",
        lambda shown: shown.phases,
    ),
    Metric(
        "statuscode_probe_success",
        Kind.GAUGE,
        _CELL,
        "1: the probe showed in the last round what its combination is expected to show; else 0.",
        _of_cells("success"),
    ),
    Metric(
        "statuscode_probe_http_status_code",
        Kind.GAUGE,
        _CELL,
        "Status code that the probe was answered with in the last round; 0: no response.",
        _of_cells("status"),
    ),
    Metric(
        "statuscode_probe_duration_seconds",
        Kind.GAUGE,
        ("domain", "address", "protocol", "phase"),
        "Time that the matched probe spent in each phase in the last round.",
        lambda shown: shown.durations,
    ),
    Metric(
        "statuscode_coalescing_exposed",
        Kind.GAUGE,
        ("domain", "sibling", "client"),
        "1 where that browser would ask for the domain on a connection that it had opened for the sibling.",
        lambda shown: shown.exposures,
    ),
    Metric(
        "statuscode_tls_certificate_not_after_timestamp_seconds",
        Kind.GAUGE,
        ("domain",),
        "Unix time at which the first certificate of the chains shown to matched probes expires.",
        _of_each("not_after"),
    ),
    Metric(
        "statuscode_tls_certificate_trusted",
        Kind.GAUGE,
        ("domain",),
        "1: every matched probe was shown a certificate that is trusted and valid for the domain; else 0.",
        _of_each("trusted"),
    ),
)
