"""Figures and what is made of them: costs per unit, medians, ratios of neighbours in time, quantiles of a histogram."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median, quantiles

Histogram = Mapping[float, float]
"""How many observations were at most each upper bound, the bound `inf` among them; as Prometheus has it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time of one process for so many probes, handshakes or samples."""

    cpu_seconds: float
    number: int

    @property
    def each(self) -> float:
        return self.cpu_seconds / self.number


def cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    """User and system time of this process so far, or of its children that have ended."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def alternated(contenders: Mapping[str, Callable[[], Cost]], repeats: int) -> dict[str, tuple[float, ...]]:
    """Seconds for one unit of each contender, by repeat. Each repeat runs all of them; a first one only warms up."""
    taken = [{name: run().each for name, run in contenders.items()} for _ in range(repeats + 1)][1:]
    return {name: tuple(repeat[name] for repeat in taken) for name in contenders}


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours to the peer's. The machine's speed drifts, so it is taken within each repeat.

    Attributes:
        lower, upper: half of the repeats lie between.
    """

    middle: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.lower:.2f} to {self.upper:.2f})"


def ratio(ours: Sequence[float], peers: Sequence[float]) -> Ratio:
    """Of figures of the same repeats, in order; at least two.

    >>> str(ratio((1, 2, 6), (2, 4, 6)))
    '0.50 (0.50 to 0.75)'
    """
    ratios = [one / other for one, other in zip(ours, peers, strict=True)]
    lower, _, upper = quantiles(ratios, n=4, method="inclusive")
    return Ratio(median(ratios), lower, upper)


def bound_of_quantile(histogram: Histogram, fraction: float) -> float:
    """The smallest bucket bound that at least `fraction` of all observations do not exceed.

    >>> bound_of_quantile({0.1: 98, 0.5: 99, inf: 100}, 0.99)
    0.5
    """
    wanted = histogram[inf] * fraction
    return min(bound for bound, count in histogram.items() if count >= wanted)
