"""Drafts that many causes make alike. Pure."""

from __future__ import annotations

from exporter.diagnosis.cause import Draft
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.wording import lines, page_told, where
from exporter.model import Severity


def about_answer(
    evidence: Evidence, why: str, sure: float, *more: str, severity: Severity | None = None
) -> Draft | None:
    """The domain's wrong answer, and why it is; a part of the answers only is a warning."""
    worst = evidence.worst
    if worst is None:
        return None
    partly = evidence.split in (Split.ADDRESSES, Split.SOMETIMES, Split.PROTOCOLS)
    return Draft(
        confidence=sure,
        summary=f"{evidence.domain} answers {worst.answer}{where(evidence)}: {why}",
        shown=(worst.seen, *(s.seen for s in evidence.right[:1])),
        code=evidence.code,
        severity=Severity.WARNING if partly else severity,
        evidence=(*lines([s.seen for s in evidence.wrong]), *more, page_told(evidence)),
    )
