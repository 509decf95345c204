"""Whether what the exporter says of a scenario is the truth. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lab.scenario import Scenario

LOUD = frozenset({"warning", "critical"})
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Finding:
    cause: str
    severity: str
    confidence: float = 1.0

    @property
    def is_loud(self) -> bool:
        return self.severity in LOUD


Findings = Mapping[str, Sequence[Finding]]
"""Of each domain, the leading one first."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Attributes: `leading` are the causes that count; `confidence` is the lowest of them; `why` it is wrong."""

    leading: tuple[str, ...]
    confidence: float | None
    why: str = ""

    @property
    def is_right(self) -> bool:
        return not self.why


def read(document: Mapping[str, Any]) -> Findings:
    """What `check --output=json` prints."""
    return {
        domain["domain"]: tuple(
            Finding(found["cause"], str(found["severity"]), float(found["confidence"])) for found in domain["findings"]
        )
        for domain in document["domains"]
    }


def judge(scenario: Scenario, findings: Findings, status: int) -> Judgement:
    """A fault must lead at each domain that has it, nobody else may raise an alarm for anything else, and the exit
    status says whether there is an alarm."""
    truths = {domain: {scenario.cause, *scenario.alike} for domain in scenario.broken}
    truths |= {domain: {cause} for domain, cause in scenario.also.items()}
    heard = {domain: _loudest(findings.get(domain, ())) for domain in scenario.targets}
    complaints = [*_missed(scenario, truths, heard, findings), *_false_alarms(scenario, truths, heard)]
    complaints += _contradicted(findings, status)
    counted = [heard[domain] for domain in truths] or _telling(scenario, heard, findings)
    return Judgement(
        leading=tuple(dict.fromkeys(one.cause if one else NOTHING for one in counted)) or (NOTHING,),
        confidence=min((one.confidence for one in counted if one), default=None),
        why="; ".join(complaints),
    )


def _loudest(findings: Sequence[Finding]) -> Finding | None:
    return next((one for one in findings if one.is_loud), None)


def _telling(scenario: Scenario, heard: Mapping[str, Finding | None], findings: Findings) -> list[Finding | None]:
    """What there is to tell where no domain is known to be broken: alarms, or what is said of a latent fault."""
    alarms: list[Finding | None] = [one for one in heard.values() if one]
    if alarms or scenario.is_healthy:
        return alarms
    return [found[0] for found in findings.values() if found]


def _missed(
    scenario: Scenario,
    truths: Mapping[str, set[str]],
    heard: Mapping[str, Finding | None],
    findings: Findings,
) -> list[str]:
    if not truths and not scenario.is_healthy:
        accepted = {scenario.cause, *scenario.alike}
        is_named = any(found and found[0].cause in accepted for found in findings.values())
        return [] if is_named else ["not named"]
    wrong = [domain for domain, causes in truths.items() if (one := heard[domain]) is None or one.cause not in causes]
    return [f"wrong for {', '.join(wrong)}"] if wrong else []


def _false_alarms(scenario: Scenario, truths: Mapping[str, set[str]], heard: Mapping[str, Finding | None]) -> list[str]:
    """A neighbour may be told of the same fault: it is on the other end of it."""
    accepted = set() if scenario.is_healthy else {scenario.cause, *scenario.alike, *scenario.besides}
    alarms = {one.cause for domain, one in heard.items() if domain not in truths and one and one.cause not in accepted}
    return [f"false alarm: {', '.join(sorted(alarms))}"] if alarms else []


def _contradicted(findings: Findings, status: int) -> list[str]:
    owed = int(any(one.is_loud for found in findings.values() for one in found))
    return [] if status == owed else [f"exit status {status} instead of {owed}"]


def confusion(judged: Sequence[tuple[Scenario, Judgement]]) -> list[tuple[str, str, int]]:
    """(truth, what was said instead, how often), the most frequent first."""
    counted = Counter((scenario.cause, ", ".join(said.leading)) for scenario, said in judged if not said.is_right)
    return [(truth, said, times) for (truth, said), times in counted.most_common()]
