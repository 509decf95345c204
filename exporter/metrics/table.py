"""The families about probed domains: a metric is one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from exporter.exposition import Kind, Metric, Sample
from exporter.metrics.cells import Cell
from exporter.metrics.room import Cut
from exporter.metrics.standing import Standing


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
        "statuscode_round_interval_seconds",
        Kind.GAUGE,
        ("domain",),
        "How often a round of the domain is due.",
        _of_each("interval"),
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
