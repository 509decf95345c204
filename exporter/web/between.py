"""What changed from one kept round of an incident to the next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter.diagnosis.samples import answer_of
from exporter.diagnosis.wording import asked
from exporter.model import ChangeKind, Probe, Round
from exporter.outcomes import Outcome
from exporter.store import KeptRound

MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One round of an incident's history.

    Attributes:
        domain: whose round it was; empty: it cannot be read.
        lines: what was asked, what came before, what came then; all that is wrong, in a domain's first round.
        lines_left_out: how many more there are.
        findings: causes that the round found, the leading one first.
    """

    kind: ChangeKind
    at: float
    note: str
    domain: str
    lines: tuple[tuple[str, str, str], ...]
    lines_left_out: int
    findings: tuple[str, ...]


def steps(rounds: Sequence[KeptRound]) -> tuple[Step, ...]:
    """In the order of time; each round is compared with the one before of the same domain."""
    before: dict[str, Round] = {}
    found = []
    for kept in rounds:
        done = kept.round
        if done is None:
            found.append(Step(kept.kind, kept.at, kept.note, "", (), 0, ()))
            continue
        lines = tuple(_lines(before.get(done.target.domain), done))
        before[done.target.domain] = done
        causes = tuple(finding.cause for finding in done.findings)
        left_out = max(0, len(lines) - MOST_LINES)
        found.append(Step(kept.kind, kept.at, kept.note, done.target.domain, lines[:MOST_LINES], left_out, causes))
    return tuple(found)


def _lines(before: Round | None, after: Round) -> Iterator[tuple[str, str, str]]:
    was = {} if before is None else _answers(before)
    for probe, answer in _answers(after).items():
        then = was.get(probe, "")
        if then != answer and (then or answer.endswith(Outcome.WRONG.sign)):
            yield asked(probe), then, answer


def _answers(done: Round) -> Mapping[Probe, str]:
    """With a sign behind what was not as expected: the same status may be right, and then wrong."""
    pairs = zip(done.observations, done.verdicts, strict=True)
    return {
        seen.probe: answer_of(seen) if verdict.expected else f"{answer_of(seen)} {Outcome.WRONG.sign}"
        for seen, verdict in pairs
        if verdict.conclusive
    }
