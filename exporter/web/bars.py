"""Figures for drawings: spans of time in a window, and the phases of a probe. Pure.

Drawings are SVG with attributes, as the policy for style sheets allows none in the markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exporter.model import Incident, Observation, Phase, Protocol, Round
from exporter.web.grid import PROTOCOLS

WIDTH = 200
_NARROWEST = 3.0  # or a short incident in a long window could not be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """From `x` on, `width` wide, of `WIDTH`."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when a timeline goes; Unix time in seconds."""

    start: float
    end: float

    def bar(self, since: float, until: float | None) -> Bar:
        """Where it lies; `until` None: it goes on."""
        end = self._x(self.end if until is None else until)
        start = min(self._x(since), WIDTH - _NARROWEST)
        return Bar(round(start, 1), round(max(_NARROWEST, end - start), 1))

    def _x(self, at: float) -> float:
        return min(max((at - self.start) / (self.end - self.start), 0.0), 1.0) * WIDTH


def window(incidents: Sequence[Incident], now: float, since: float | None, until: float | None) -> Window:
    """That of the filter, as far as it has any; else from the first incident on until now."""
    end = min(until, now) if until is not None else now
    start = since if since is not None else min((one.since for one in incidents), default=end - 3600.0)
    return Window(min(start, end - 60.0), end)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one probe of the domain's own name took.

    Attributes:
        phases: seconds, and where the phase lies in a drawing that is as wide as the slowest probe.
    """

    place: str
    protocol: str
    total_seconds: float
    phases: tuple[tuple[Phase, float, Bar], ...]


def timings(round_: Round, most: int = 24) -> tuple[Timing, ...]:
    """Of the matched probes, the slowest of them, by address and protocol: so that lines keep their places."""
    measured = [seen for seen, _ in round_.matched if seen.seconds]
    slowest = sorted(measured, key=_total, reverse=True)[:most]
    longest = max((_total(seen) for seen in slowest), default=0.0) or 1.0
    in_places = sorted(slowest, key=lambda seen: (seen.probe.place, list(Protocol).index(seen.probe.protocol)))
    return tuple(_timing(seen, longest) for seen in in_places)


def _total(seen: Observation) -> float:
    return sum(seen.seconds.values())


def _timing(seen: Observation, longest: float) -> Timing:
    protocol = PROTOCOLS[seen.probe.protocol]
    return Timing(seen.probe.place or "no address", protocol, _total(seen), tuple(_phases(seen.seconds, longest)))


def _phases(seconds: Mapping[Phase, float], longest: float) -> list[tuple[Phase, float, Bar]]:
    found, x = [], 0.0
    for phase in Phase:
        if phase in seconds:
            width = seconds[phase] / longest * WIDTH
            found.append((phase, seconds[phase], Bar(round(x, 1), round(width, 1))))
            x += width
    return found
