"""Certificates that clients refuse, whatever the status is."""

from __future__ import annotations

from typing import Final

from exporter.diagnosis.cause import BOTH, Cause, Draft, cause
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.wording import asked, names
from exporter.model import Observation, Severity


def _fault(evidence: Evidence, fault: str, summary: str) -> Draft | None:
    if not evidence.target.verify:
        return None
    shown = [s.seen for s in evidence.own if s.seen.tls is not None and fault in s.seen.tls.faults]
    if not shown:
        return None
    judged = [s.seen for s in evidence.own if s.seen.tls is not None and not s.seen.tls.resumed]
    partly = any(fault not in _faults(seen) for seen in judged)
    at = dict.fromkeys(seen.probe.address or "" for seen in shown)
    first = shown[0]
    detail = first.tls.fault_detail if first.tls is not None else ""
    return Draft(
        confidence=BOTH,
        summary=f"{evidence.domain}: {summary} at {names(at)}: {detail}",
        shown=tuple(shown),
        verifies=True,
        code=first.response.status if first.response is not None else None,
        severity=Severity.WARNING if partly else None,
        evidence=tuple(dict.fromkeys(f"{asked(seen.probe)}: {_shown(seen)}" for seen in shown))[:6],
        noticed_by=("every client that verifies certificates",),
    )


def _faults(seen: Observation) -> tuple[str, ...]:
    return seen.tls.faults if seen.tls is not None else ()


def _shown(seen: Observation) -> str:
    leaf = seen.tls.leaf if seen.tls is not None else None
    return f"certificate for {names(leaf.names)}, by {leaf.issuer}" if leaf is not None else "no certificate"


def _certificate(id_: str, number: int, title: str, fault: str, summary: str) -> Cause:
    return cause(id_, number, title, also_where_right=True)(lambda evidence: _fault(evidence, fault, summary))


cert_expired: Final = _certificate(
    "cert-expired", 521, "The certificate has expired", "expired", "the certificate has expired"
)
cert_not_yet_valid: Final = _certificate(
    "cert-not-yet-valid", 522, "The certificate is not valid yet", "not-yet-valid", "the certificate is not valid yet"
)
cert_name_mismatch: Final = _certificate(
    "cert-name-mismatch", 523, "The certificate is for other names", "wrong-name",
    "the certificate does not cover the name",
)  # fmt: skip
cert_untrusted: Final = _certificate(
    "cert-untrusted", 524, "The certificate is not trusted", "untrusted", "the certificate is not trusted"
)
