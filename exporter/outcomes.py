"""What a cell of the matrix tells a person: more than whether it is as expected. Pure."""

from __future__ import annotations

from enum import Enum

from exporter.model import Combination, Observation, Probe, Round, Verdict


class Outcome(Enum):
    """Its name in style sheets, the sign that says it without colour, and the legend's words."""

    WRONG = ("wrong", "\N{MULTIPLICATION X}", "not as expected")
    SAME = ("same", "=", "no better than on a connection of its own")
    REFUSED = ("refused", "\N{CHECK MARK}", "refused, and rightly so")
    GOOD = ("good", "", "answered as expected")
    UNASKED = ("unasked", "", "could not be asked there")

    def __init__(self, id_: str, sign: str, words: str) -> None:
        self.id = id_
        self.sign = sign
        self.words = words


def outcomes(round_: Round) -> list[Outcome]:
    """Of each observation, in their order."""
    pairs = list(zip(round_.observations, round_.verdicts, strict=True))
    broken = {
        (*_where(seen.probe), _status(seen))
        for seen, verdict in pairs
        if seen.probe.combination is Combination.MATCHED and not verdict.expected
    }
    return [_outcome(seen, verdict, (*_where(seen.probe), _status(seen)) in broken) for seen, verdict in pairs]


def _outcome(seen: Observation, verdict: Verdict, is_broken_alike: bool) -> Outcome:
    if not verdict.conclusive:
        return Outcome.UNASKED
    if not verdict.expected:
        return Outcome.WRONG
    if seen.response is not None and seen.response.status < 400:
        return Outcome.GOOD
    # Where the name itself is broken, nobody refuses it rightly: the shared connection is merely not the reason.
    is_same = is_broken_alike and seen.probe.combination is Combination.COALESCED
    return Outcome.SAME if is_same else Outcome.REFUSED


def _where(probe: Probe) -> tuple[str, str | None]:
    return probe.domain, probe.address


def _status(seen: Observation) -> int | None:
    return seen.response.status if seen.response is not None else None
