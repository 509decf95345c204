"""Families of samples as Prometheus text 0.0.4 or OpenMetrics 1.0.0, written in bounded chunks, chosen by `Accept`.

The formats: the page "Exposition formats" of Prometheus' documentation, and OpenMetrics 1.0.0 with its ABNF.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import accumulate, islice
from typing import Generic, TypeVar

Shown = TypeVar("Shown")

# About 64 KiB of matrix lines: well under a millisecond to write, and to compress.
SAMPLES_PER_CHUNK = 250

# What follows a metric's name on its line (a histogram's suffix and the label set), and the value: a whole number, or
# any other as `number` writes it, so that it is written once per round and not once per scrape.
Sample = tuple[str, int | str]


class Format(Enum):
    """The formats on offer, by their content types."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def content_type(self) -> str:
        return self.value

    @property
    def ending(self) -> bytes:
        """What stands once at the end of a document."""
        return b"# EOF\n" if self is Format.OPENMETRICS else b""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric's name, type and meaning.

    Attributes:
        name: as its samples are named, so with `_total` for a counter and `_info` for an info; a histogram's bare name.
    """

    name: str
    kind: Kind
    help: str


@dataclass(frozen=True, slots=True)
class Metric(Generic[Shown]):
    """One row of a table of metrics.

    Attributes:
        labels: for the documentation; `...` stands for the labels that a target's configuration adds.
        read: the samples; called once per answer, and drained as the answer is written.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    read: Callable[[Shown], Iterable[Sample]]

    @property
    def family(self) -> Family:
        return Family(self.name, self.kind, self.help)


class Histogram:
    """Durations in seconds, by bucket."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def samples(self, *pairs: tuple[str, str]) -> Iterator[Sample]:
        bounds = (*self._bounds, float("inf"))
        for bound, count in zip(bounds, accumulate(self._counts), strict=True):
            yield "_bucket" + labels(*pairs, ("le", number(bound))), count
        yield "_sum" + labels(*pairs), number(self._sum)
        yield "_count" + labels(*pairs), sum(self._counts)


def labels(*pairs: tuple[str, str]) -> str:
    """A label set as both formats write it: `{domain="shop.example",sni=""}`; nothing where there are no labels."""
    inner = ",".join([f'{name}="{_escaped(value)}"' for name, value in pairs])
    return f"{{{inner}}}" if inner else ""


def number(value: float) -> str:
    """A value at full precision, `+Inf`, `-Inf` or `NaN`."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def chunks(families: Iterable[tuple[Family, Iterable[Sample]]], form: Format) -> Iterator[bytes]:
    """The families in order, each contiguous, without the format's ending.

    Samples are read as the chunks are taken. What UTF-8 cannot write (a lone surrogate) becomes `?`.
    """
    for family, samples in families:
        yield _head(family, form).encode()
        name, rest = family.name, iter(samples)
        while lines := [f"{name}{tail} {value}\n" for tail, value in islice(rest, SAMPLES_PER_CHUNK)]:
            yield "".join(lines).encode("utf-8", "replace")


def _head(family: Family, form: Format) -> str:
    if form is Format.OPENMETRICS:
        name = family.name.removesuffix("_total").removesuffix("_info")
        return f"# HELP {name} {_escaped(family.help)}\n# TYPE {name} {family.kind}\n"
    # Text 0.0.4 has no infos, and no escape for quotes in HELP.
    kind = Kind.GAUGE if family.kind is Kind.INFO else family.kind
    text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {family.name} {text}\n# TYPE {family.name} {kind}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@dataclass(frozen=True, slots=True)
class Preference:
    """One element of an `Accept` or `Accept-Encoding` header (RFC 9110, section 12.4).

    Attributes:
        value: lower case, without parameters: `text/plain`, `gzip`, `*`.
        parameters: lower-case names, without the weight.
        quality: 0 to 1; 0: not acceptable.
    """

    value: str
    parameters: tuple[tuple[str, str], ...]
    quality: float


# RFC 9110, section 12.4.2.
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def preferences(header: str) -> Iterator[Preference]:
    """The elements of a header with weights; what is malformed is passed over."""
    for element in header.split(","):
        value, *rest = element.split(";")
        parameters = dict(_parameter(part) for part in rest)
        weight = parameters.pop("q", "1")
        if value.strip() and _WEIGHT.fullmatch(weight):
            yield Preference(value.strip().lower(), tuple(parameters.items()), float(weight))


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


# Media ranges that stand for a format (with a version, if one is asked for), the most specific last.
_RANGES = {
    Format.TEXT: ("0.0.4", ("*/*", "text/*", "text/plain")),
    Format.OPENMETRICS: ("1.0.0", ("*/*", "application/*", "application/openmetrics-text")),
}


def negotiate(accept: str) -> Format:
    """The format that a client likes best; text where it likes both alike or accepts neither.

    `escaping` is passed over: all our names are good in every scheme.
    """
    asked = tuple(preferences(accept))
    return max(Format, key=lambda form: _quality(asked, form))


def _quality(asked: tuple[Preference, ...], form: Format) -> float:
    """The weight of the most specific range that covers `form` (RFC 9110, section 12.5.1)."""
    version, ranges = _RANGES[form]
    weights = [
        (ranges.index(range_.value), "version" in dict(range_.parameters), range_.quality)
        for range_ in asked
        if range_.value in ranges and dict(range_.parameters).get("version", version) == version
    ]
    return max(weights)[2] if weights else 0.0
