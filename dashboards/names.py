"""The exporter's series and their labels, from its own tables: a query that misspells one is not built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from exporter.cause_metrics import METRICS as OF_CAUSES
from exporter.exposition import Format, Metric
from exporter.health import Health
from exporter.incident_metrics import METRICS as OF_INCIDENTS
from exporter.metrics import METRICS as OF_DOMAINS

PARTS_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


@cache
def of_exporter() -> Mapping[str, frozenset[str]]:
    """Labels by name, of all that `/metrics` can show. A histogram stands here by the names of its samples.

    Labels of the exporter's own health are left out: no query chooses a domain by them.
    """
    return dict((*_of_tables(), *_of_health()))


def _of_tables() -> Iterator[tuple[str, frozenset[str]]]:
    tables: tuple[Metric[Any], ...] = (*OF_DOMAINS, *OF_CAUSES, *OF_INCIDENTS)
    for metric in tables:
        for name in _samples(metric.name, metric.kind):
            yield name, frozenset(metric.labels) - {"..."}


def _of_health() -> Iterator[tuple[str, frozenset[str]]]:
    document = Health().text(Format.TEXT).decode()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", document, re.MULTILINE):
        for sample in _samples(name, kind):
            yield sample, frozenset()


def _samples(name: str, kind: str) -> tuple[str, ...]:
    return tuple(name + part for part in PARTS_OF_A_HISTOGRAM) if kind == "histogram" else (name,)
