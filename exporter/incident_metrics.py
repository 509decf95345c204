"""What Prometheus reads about incidents: one series per domain of an open one, and what there was so far."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from exporter.exposition import Format, Histogram, Kind, Metric, Sample, chunks, labels, number
from exporter.model import Change, ChangeKind, Incident, Stage

SCRAPE_INTERVAL_SECONDS = 60.0  # Prometheus' default
_SHOWN_FOR_SCRAPES = 2  # one may be missed, and a region on a graph needs two points

# From what two rounds see to what nobody mends.
DURATION_BUCKETS = (60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0)


class IncidentMetrics:
    """Shows an incident from when it is told of until it is over, and at least for two scrapes.

    Attributes:
        scrape_interval_seconds: how often Prometheus asks.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.scrape_interval_seconds = SCRAPE_INTERVAL_SECONDS
        self._now = now
        self._shown: dict[str, _Series] = {}  # by incident
        self._shown_since: dict[str, float] = {}  # by label set
        self._lingering: dict[str, float] = {}  # start by label set
        self._opened: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._durations: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(DURATION_BUCKETS))

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Show what is open from before the start, without counting it again."""
        for incident in incidents:
            if incident.opened is not None:
                self._show(incident.id, incident, incident.opened)

    def tell(self, changes: Sequence[Change], now_open: Mapping[str, Incident]) -> None:
        """Count changes, and show their incidents as they are by now."""
        for change in changes:
            incident = change.incident
            if change.kind is ChangeKind.OPENED:
                self._opened[_code(incident), incident.cause] += 1
                self._show(incident.id, incident, self._now())
            elif change.kind is ChangeKind.RESOLVED and not incident.merged_into:
                self._durations[_code(incident)].observe(max(0.0, (incident.until or 0.0) - incident.since))
            self._show(incident.id, now_open.get(incident.id), self._now())

    def chunks(self, form: Format) -> Iterator[bytes]:
        """All families without the format's ending, as of this call."""
        shown = self._snapshot()
        return chunks(((metric.family, metric.read(shown)) for metric in METRICS), form)

    def _show(self, identity: str, incident: Incident | None, now: float) -> None:
        before = self._shown.pop(identity, None) or _Series("", "", "", 0.0, {})
        after = _series(incident, before)
        if after is not None:
            self._shown[identity] = after
        texts = after.texts if after is not None else {}
        for domain in texts.keys() - (before.texts.keys() if after is not None and after.is_like(before) else set()):
            self._lingering.pop(texts[domain], None)
            self._shown_since.setdefault(texts[domain], now)
        for domain, text in before.texts.items():
            if texts.get(domain) != text:
                self._lingering[text] = before.start

    def _snapshot(self) -> _Shown:
        self._let_go()
        series = {text: shown.start for shown in self._shown.values() for text in shown.texts.values()}
        starts = {**self._lingering, **series}
        return _Shown(
            active=[(text, 1) for text in starts],
            starts=[(text, number(start)) for text, start in starts.items()],
            opened=[(labels(("code", code), ("cause", cause)), count) for (code, cause), count in self._opened.items()],
            durations=[
                sample for code, histogram in self._durations.items() for sample in histogram.samples(("code", code))
            ],
        )

    def _let_go(self) -> None:
        """Of what is over, if it has been shown for long enough."""
        long_enough = self._now() - _SHOWN_FOR_SCRAPES * self.scrape_interval_seconds
        for text in [text for text in self._lingering if self._shown_since.get(text, 0.0) <= long_enough]:
            del self._lingering[text]
            self._shown_since.pop(text, None)


@dataclass(frozen=True, slots=True)
class _Series:
    """What is shown of one incident; `texts` are its label sets by domain."""

    code: str
    cause: str
    severity: str
    start: float
    texts: Mapping[str, str]

    def is_like(self, other: _Series) -> bool:
        """Whether they differ in domains only."""
        return (self.code, self.cause, self.severity) == (other.code, other.cause, other.severity)


def _series(incident: Incident | None, before: _Series) -> _Series | None:
    """What is to be shown of it; label sets that are there are not written again: one may be about thousands."""
    if incident is None or incident.stage is not Stage.FIRING:
        return None
    after = _Series(_code(incident), incident.cause, incident.severity, incident.since, {})
    known = before.texts if after.is_like(before) else {}
    texts = {domain: known.get(domain) or _labels(incident, domain) for domain in incident.domains}
    return replace(after, texts=texts)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one answer shows."""

    active: Sequence[Sample]
    starts: Sequence[Sample]
    opened: Sequence[Sample]
    durations: Sequence[Sample]


def _labels(incident: Incident, domain: str) -> str:
    return labels(
        ("domain", domain), ("code", _code(incident)), ("cause", incident.cause), ("severity", incident.severity)
    )


def _code(incident: Incident) -> str:
    return "none" if incident.code is None else str(incident.code)


_INCIDENT = ("domain", "code", "cause", "severity")

METRICS: tuple[Metric[_Shown], ...] = (
    Metric(
        "statuscode_incident_active",
        Kind.GAUGE,
        _INCIDENT,
        "1 while an incident is open, at least for two scrape intervals; code=none where clients get no status.",
        lambda shown: shown.active,
    ),
    Metric(
        "statuscode_incident_start_timestamp_seconds",
        Kind.GAUGE,
        _INCIDENT,
        "Unix time at which the incident was first seen; only while it is open.",
        lambda shown: shown.starts,
    ),
    Metric(
        "statuscode_incidents_total",
        Kind.COUNTER,
        ("code", "cause"),
        "Incidents that were opened, by the status and the cause with which they began.",
        lambda shown: shown.opened,
    ),
    Metric(
        "statuscode_incident_duration_seconds",
        Kind.HISTOGRAM,
        ("code",),
        "How long incidents lasted that are over, by the status that they ended with.",
        lambda shown: shown.durations,
    ),
)
