"""Suspect yourself first: what is the prober's own fault masks everything else."""

from __future__ import annotations

from exporter.diagnosis.cause import Draft, cause
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.wording import lines
from exporter.model import Phase, Severity

_OURS = (Phase.RESOLVE, Phase.CONNECT)


@cause("vantage-offline", 901, "The prober's own network is at fault", severity=Severity.CRITICAL, masks=("*",))
def vantage_offline(evidence: Evidence) -> Draft | None:
    """Everything fails alike before a connection is made: it is us, not they."""
    without_ipv6 = _without_ipv6(evidence)
    if without_ipv6 is not None:
        return without_ipv6
    if not evidence.network_is_down or evidence.right or not evidence.wrong:
        return None
    if any(s.failure is None or s.failure.phase not in _OURS or s.failure.kind == "refused" for s in evidence.wrong):
        return None
    return Draft(
        confidence=0.9,
        summary=f"the prober's own network is at fault: {evidence.network_is_down}",
        shown=tuple(sample.seen for sample in evidence.wrong[:1]),
        evidence=lines([sample.seen for sample in evidence.wrong]),
        would_confirm="the same probe from another machine",
        noticed_by=("nobody but this prober",),
    )


def _without_ipv6(evidence: Evidence) -> Draft | None:
    """«Network is unreachable» is what our own kernel says where it has no route at all."""
    wrong = [sample for sample in evidence.wrong if sample.failure is not None]
    if not wrong or len(wrong) < len(evidence.wrong):
        return None
    if any(":" not in s.address or s.failure is None or s.failure.detail != "Network is unreachable" for s in wrong):
        return None
    return Draft(
        confidence=0.95,
        summary=f"this prober has no IPv6, and {evidence.domain} has IPv6 addresses: give it IPv6, or set "
        "`ip_family: ipv4`",
        shown=tuple(sample.seen for sample in wrong[:1]),
        severity=Severity.WARNING,
        evidence=lines([sample.seen for sample in wrong]),
        noticed_by=("nobody but this prober",),
    )
