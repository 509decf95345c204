"""What one `/metrics` document says, asked by name and labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Scrape:
    """Attributes: `document` is the text as it came (format 0.0.4)."""

    document: str
    samples: tuple[Sample, ...]

    def select(self, name: str, **labels: str) -> Iterator[Sample]:
        """All samples of a name that carry at least these labels."""
        wanted = labels.items()
        return (sample for sample in self.samples if sample.name == name and wanted <= sample.labels.items())

    def value(self, name: str, **labels: str) -> float:
        """The value of the one sample that fits."""
        (sample,) = self.select(name, **labels)
        return sample.value

    def values(self, name: str, by: str, **labels: str) -> dict[str, float]:
        """Sums of the samples that fit, by the value of one label."""
        sums: defaultdict[str, float] = defaultdict(float)
        for sample in self.select(name, **labels):
            sums[sample.labels[by]] += sample.value
        return dict(sums)

    def seen(self, name: str, by: str, **labels: str) -> set[str]:
        """Values of one label among the samples that fit and are not zero."""
        return {value for value, total in self.values(name, by, **labels).items() if total}


def parsed(document: str) -> Scrape:
    families = text_string_to_metric_families(document)
    return Scrape(document, tuple(sample for family in families for sample in family.samples))
