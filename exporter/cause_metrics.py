"""What Prometheus reads about causes: text and links stand here once, and not in the labels of every series."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.diagnosis import CAUSES
from exporter.exposition import Format, Kind, Metric, Sample, chunks, labels


def _causes(runbooks: str) -> Iterator[Sample]:
    for one in CAUSES.values():
        yield (
            labels(
                ("cause", one.id),
                ("cause_id", str(one.number)),
                ("title", one.title),
                ("severity", one.severity),
                ("runbook_url", f"{runbooks}/{one.id}"),
            ),
            1,
        )


METRICS: tuple[Metric[str], ...] = (
    Metric(
        "statuscode_cause_info",
        Kind.INFO,
        ("cause", "cause_id", "title", "severity", "runbook_url"),
        "What each cause is called, how bad it usually is, and where its runbook is; always 1.",
        _causes,
    ),
)


def cause_chunks(runbooks: str, form: Format) -> Iterator[bytes]:
    """All families without the format's ending; `runbooks` is the URL below which the runbooks are."""
    return chunks(((metric.family, metric.read(runbooks)) for metric in METRICS), form)
