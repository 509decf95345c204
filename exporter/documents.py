"""Findings as one JSON document: the contract of `--output=json`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from exporter.diagnosis import leading
from exporter.model import Finding, Round

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def report(rounds: Iterable[Round]) -> dict[str, Json]:
    """`{"domains": [{"domain", "up", "findings": [...]}]}`, in the order of the rounds, leading findings first."""
    return {"domains": [_domain(round_) for round_ in rounds]}


def _domain(round_: Round) -> Json:
    return {
        "domain": round_.target.domain,
        "group": round_.target.group,
        "up": round_.up,
        "addresses": list(round_.addresses),
        "probes": len(round_.observations) + sum(len(trial.answers) for trial in round_.trials),
        "findings": [finding(one) for one in round_.findings],
    }


def finding(one: Finding) -> dict[str, Json]:
    return {
        "cause": one.cause,
        "code": one.code,
        "confidence": one.confidence,
        "severity": one.severity.value,
        "domains": list(one.domains),
        "summary": one.summary,
        "evidence": list(one.evidence),
        "against": list(one.against),
        "excluded": [{"cause": other.cause, "why": other.why} for other in one.excluded],
        "would_confirm": one.would_confirm,
        "noticed_by": list(one.noticed_by),
        "reproduce": list(one.reproduce),
        "fix": list(one.fix),
        "runbook": f"runbooks/{one.cause}",
    }


def is_healthy(rounds: Iterable[Round]) -> bool:
    """Whether there is nothing above a remark."""
    return all(leading(round_.findings) is None for round_ in rounds)
