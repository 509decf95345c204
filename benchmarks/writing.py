"""What it costs to write `/metrics`, by our writers and by prometheus_client's, without sending it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from benchmarks.content import house_with, number_of_samples
from benchmarks.figures import Cost, cpu_seconds
from exporter.exposition import Format
from exporter.web.scrape import document

SAMPLES = 100_000
PEER_SAMPLES = 10_000  # its cost per sample does not depend on their number


def ours(form: Format) -> Callable[[], Cost]:
    """Writes a whole document each time it is called."""
    house = house_with(SAMPLES)
    number = number_of_samples(house)

    def write() -> Cost:
        before = cpu_seconds()
        for _ in document(house, form):
            pass
        return Cost(cpu_seconds() - before, number)

    return write


def peers() -> Callable[[], Cost]:
    """The same content by `generate_latest`; reading what a collector collects is not the writer's cost and cheap."""
    house = house_with(PEER_SAMPLES)
    text, number = b"".join(document(house, Format.TEXT)).decode(), number_of_samples(house)
    registry = CollectorRegistry()
    registry.register(_Parsed(text))

    def write() -> Cost:
        before = cpu_seconds()
        generate_latest(registry)
        return Cost(cpu_seconds() - before, number)

    return write


class _Parsed(Collector):
    def __init__(self, text: str) -> None:
        self._families = tuple(text_string_to_metric_families(text))

    def collect(self) -> Iterable[Metric]:
        return self._families
