"""Suspect yourself first: what is the prober's own fault masks everything else."""

from __future__ import annotations

from exporter.diagnosis.cause import Draft, cause
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.wording import lines, names
from exporter.model import Phase, Severity

_OURS = (Phase.RESOLVE, Phase.CONNECT)


@cause("vantage-offline", 901, "The prober's own network is at fault", severity=Severity.CRITICAL, masks=("*",))
def vantage_offline(evidence: Evidence) -> Draft | None:
    """Nothing was asked of anybody, or everything fails alike before a connection is made: it is us, not they."""
    return _without_route(evidence) or _cut_off(evidence) or _without_name_servers(evidence)


def _without_route(evidence: Evidence) -> Draft | None:
    """Our own kernel says so, of each address that is not answered rightly."""
    if not _all_wrong(evidence, Phase.CONNECT, "no-route"):
        return None
    places = sorted({sample.address for sample in evidence.wrong})
    if all(":" in place for place in places):
        summary = f"this prober has no IPv6, and {evidence.domain} has IPv6 addresses: give it IPv6, or set "
        return _draft(evidence, summary + "`ip_family: ipv4`", 0.95, Severity.WARNING)
    summary = f"this prober's machine has no route to {names(places)}: its network is down, or its routes lack them"
    return _draft(evidence, summary, 0.95, _severity(evidence))


def _without_name_servers(evidence: Evidence) -> Draft | None:
    """The resolver asks the machine's name servers; those of the domain are asked by them."""
    if not _all_wrong(evidence, Phase.RESOLVE, "dns-unreachable"):
        return None
    summary = f"this prober's machine cannot reach its name servers, so {evidence.domain} could not be looked up"
    return _draft(evidence, summary, 0.9, _severity(evidence))


def _cut_off(evidence: Evidence) -> Draft | None:
    """Nobody at all can be reached from here."""
    if not evidence.network_is_down or evidence.right or not evidence.wrong:
        return None
    if any(s.failure is None or s.failure.phase not in _OURS or s.failure.kind == "refused" for s in evidence.wrong):
        return None
    return _draft(evidence, f"the prober's own network is at fault: {evidence.network_is_down}", 0.9, Severity.CRITICAL)


def _severity(evidence: Evidence) -> Severity:
    return Severity.WARNING if evidence.right else Severity.CRITICAL


def _all_wrong(evidence: Evidence, phase: Phase, kind: str) -> bool:
    failures = [sample.failure for sample in evidence.wrong]
    return bool(failures) and all(one is not None and (one.phase, one.kind) == (phase, kind) for one in failures)


def _draft(evidence: Evidence, summary: str, confidence: float, severity: Severity) -> Draft:
    return Draft(
        confidence=confidence,
        summary=summary,
        shown=tuple(sample.seen for sample in evidence.wrong[:1]),
        severity=severity,
        evidence=lines([sample.seen for sample in evidence.wrong]),
        would_confirm="the same probe from another machine",
        noticed_by=("nobody but this prober",),
    )
