"""What a round says of its target as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.diagnosis import CAUSES, leading
from exporter.exposition import Sample, labels, number
from exporter.matrix import rounds_to_cover
from exporter.model import Combination, Observation, Phase, Round


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
    interval: str
    not_after: str | None
    trusted: int | None
    durations: tuple[Durations, ...]
    exposures: tuple[Sample, ...]


def standing(round_: Round) -> Standing:
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
        interval=number(target.interval_seconds),
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


class Durations:
    """The samples of one matched probe, by phase; their label sets are put together as they are written."""

    def __init__(self, text: str, seconds: Mapping[Phase, float]) -> None:
        self._text = text
        self._seconds = seconds

    def __len__(self) -> int:
        return len(self._seconds)

    def __iter__(self) -> Iterator[Sample]:
        for phase, seconds in self._seconds.items():
            yield f'{self._text},phase="{phase}"}}', number(seconds)


def _durations(round_: Round) -> Iterator[Durations]:
    """Of the target only, and of each probe once, so that no series can stand twice."""
    own = {seen.probe: seen.seconds for seen, _ in round_.matched if seen.probe.domain == round_.target.domain}
    for probe, seconds in own.items():
        where = ("domain", probe.domain), ("address", probe.address or ""), ("protocol", probe.protocol)
        yield Durations(labels(*where).removesuffix("}"), seconds)


def _matched(round_: Round) -> Iterator[Observation]:
    """The observations of what every client does: SNI and Host are the domain, on a new connection."""
    return (seen for seen in round_.observations if seen.probe.combination is Combination.MATCHED)


def certificate_not_after(round_: Round) -> float | None:
    """When the first certificate of the _matched probes' chains expires: Unix time in seconds; None: no chain seen."""
    sessions = (seen.tls for seen in _matched(round_) if seen.tls is not None)
    return min((certificate.not_after for session in sessions for certificate in session.chain), default=None)


def certificate_trusted(round_: Round) -> bool | None:
    """Whether every _matched probe that shook hands was shown a trusted certificate; None: none shook hands."""
    trusted = [not seen.tls.faults for seen in _matched(round_) if seen.tls is not None]
    return all(trusted) if trusted else None
