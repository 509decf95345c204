"""What it means: verdicts on single observations, findings about causes, and the round that holds all of it."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.model.asking import Target
from exporter.model.seeing import Observation
from exporter.model.words import Client, Combination, Experiment, Protocol, Severity, Variation


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an observation stands to what its combination is expected to show.

    Attributes:
        expected: False makes `statuscode_probe_success` 0.
        reason: one sentence for people; says what came instead of what.
        conclusive: False where nothing was learned about the server, as no question was put to it.
    """

    expected: bool
    reason: str
    conclusive: bool = True


@dataclass(frozen=True, slots=True)
class Exposure:
    """That `client` would ask for `domain` on a connection that it had opened for `sibling`, at `address`."""

    domain: str
    sibling: str
    client: Client
    address: str


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment that was made, and what it showed.

    Attributes:
        domain: on whom it was made.
        neighbour: the other name of experiments that need two; empty: none.
        path: where a redirect was followed to; empty: none was.
        answers: in the order in which they were asked for, one connection after the other.
    """

    experiment: Experiment
    domain: str
    address: str
    protocol: Protocol
    neighbour: str = ""
    path: str = ""
    answers: tuple[tuple[Variation, Observation], ...] = ()


@dataclass(frozen=True, slots=True)
class Excluded:
    """A cause that might have been, and the probe that speaks against it."""

    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that holds here and now.

    Attributes:
        cause: its id; the table is `diagnosis/catalogue.py`.
        domains: whom it concerns; more than one where they fail alike for one reason.
        code: the status that clients get; None: they get none.
        confidence: 0 to 1. Body text alone gives at most 0.6, one experiment 0.8, both 0.95.
        summary: one sentence for the operator that names the probes.
        evidence, against: what speaks for it and what does not fit, a line each.
        would_confirm: the experiment that would raise the confidence; empty: nothing that can be asked from here.
        noticed_by: who gets the error: browsers, clients, everybody.
        reproduce: commands that show it.
        fix: what to change, for the software that was seen.
    """

    cause: str
    domains: tuple[str, ...]
    code: int | None
    confidence: float
    severity: Severity
    summary: str
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    would_confirm: str = ""
    noticed_by: tuple[str, ...] = ()
    reproduce: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One sweep of one target. Immutable.

    Attributes:
        started_at: Unix time in seconds.
        addresses: all that the domain resolved to (or was configured with), probed this round or not.
        observations, verdicts: in the same order, one per planned probe.
        exposures: of the siblings to the connections that were opened for the target, one for each address.
        trials: the experiments that its unexpected answers gave reason for.
        findings: the causes that hold, the leading one first.
    """

    target: Target
    started_at: float
    duration_seconds: float
    addresses: tuple[str, ...]
    observations: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]
    exposures: tuple[Exposure, ...] = ()
    trials: tuple[Trial, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def up(self) -> bool:
        """Whether every matched probe answered as expected."""
        verdicts = [verdict for _, verdict in self.matched]
        return any(verdict.conclusive for verdict in verdicts) and all(verdict.expected for verdict in verdicts)

    @property
    def matched(self) -> tuple[tuple[Observation, Verdict], ...]:
        """What the matched probes saw."""
        pairs = zip(self.observations, self.verdicts, strict=True)
        return tuple(pair for pair in pairs if pair[0].probe.combination is Combination.MATCHED)
