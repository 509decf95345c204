"""From evidence to findings: every cause is asked, consequences are left out, the worst comes first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from exporter.diagnosis import fixes, reproduce, servers
from exporter.diagnosis.catalogue import CAUSES, UNKNOWN
from exporter.diagnosis.cause import Cause, Draft
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.wording import bounded, lines, told, where
from exporter.model import Excluded, Finding, Observation, Round, Severity

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_TELLING = 10  # of the observations shown, the first are the most telling
_MASKS_FROM = 0.45  # a mere guess hides nothing

_WHERE_RIGHT = tuple(one for one in CAUSES.values() if one.also_where_right)

Held = tuple[Cause, Draft]


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """The causes that hold for the evidence's domain, the leading one first; empty: all is as it should be."""
    asked = CAUSES.values() if evidence.wrong else _WHERE_RIGHT
    held = [(one, draft) for one in asked if (draft := one.find(evidence)) is not None]
    told = [pair for pair in held if not _is_masked(pair, held)]
    if not any(_severity(*pair) is not Severity.INFO for pair in told):
        told += _unknown(evidence)
    ordered = sorted(told, key=lambda pair: (_RANK[_severity(*pair)], -pair[1].confidence, pair[0].number))
    return tuple(_finding(evidence, one, draft, held) for one, draft in ordered)


def leading(findings: Sequence[Finding]) -> Finding | None:
    """The finding that an incident is about: the first that is more than a remark."""
    return next((finding for finding in findings if finding.severity is not Severity.INFO), None)


def _severity(one: Cause, draft: Draft) -> Severity:
    return draft.severity or one.severity


def _is_masked(pair: Held, held: Iterable[Held]) -> bool:
    return any(_masks(other, pair) for other in held)


def _masks(masker: Held, masked: Held) -> bool:
    (one, draft), (other, _) = masker, masked
    if one is other or not (other.id in one.masks or "*" in one.masks) or draft.confidence < _MASKS_FROM:
        return False
    return _severity(*masker) is not Severity.INFO or _severity(*masked) is Severity.INFO


def _unknown(evidence: Evidence) -> list[Held]:
    """Something is wrong with the domain's own answers, and no cause says why: the evidence, and no guess."""
    worst = evidence.worst
    if worst is None:
        return []
    draft = Draft(
        confidence=0.3,
        summary=f"{evidence.domain} answers {worst.answer}{where(evidence)}, and no known cause fits",
        shown=(worst.seen,),
        code=evidence.code,
        severity=None if evidence.split is Split.EVERYWHERE else Severity.WARNING,
        evidence=(
            *lines([sample.seen for sample in evidence.wrong]),
            *lines([sample.seen for sample in evidence.right], 2),
        ),
        would_confirm="the log of the server that answered",
    )
    return [(UNKNOWN, draft)]


def _finding(evidence: Evidence, one: Cause, draft: Draft, held: Iterable[Held]) -> Finding:
    consequences = [
        Excluded(other.id, f"a consequence: {one.title[0].lower()}{one.title[1:]}")
        for other, other_draft in held
        if _masks((one, draft), (other, other_draft)) and other.id not in {e.cause for e in draft.excluded}
    ]
    return Finding(
        cause=one.id,
        domains=(evidence.domain, *draft.others),
        code=draft.code,
        confidence=draft.confidence,
        severity=_severity(one, draft),
        summary=bounded(draft.summary),
        evidence=_lines(draft.evidence),
        against=_lines(draft.against),
        excluded=tuple(Excluded(one.cause, bounded(one.why)) for one in (*draft.excluded, *consequences)),
        would_confirm=bounded(draft.would_confirm),
        noticed_by=_lines(draft.noticed_by) or ("everybody",),
        reproduce=reproduce.commands(evidence.target, draft.shown, verifies=draft.verifies),
        fix=fixes.hints(one.id, _servers(draft.shown)),
    )


def _lines(said: Iterable[str]) -> tuple[str, ...]:
    """Each once, bounded in length and number: servers have a say in them."""
    return tuple(dict.fromkeys(bounded(line) for line in said if line))[:_MOST_LINES]


_MOST_LINES = 30


def undiagnosed(round_: Round) -> tuple[Finding, ...]:
    """What is left to say where a fault of ours broke the diagnosis: nothing of a round that is as it should be."""
    if round_.up:
        return ()
    wrong = [seen for seen, verdict in round_.matched if verdict.conclusive and not verdict.expected]
    return (
        Finding(
            cause=UNKNOWN.id,
            domains=(round_.target.domain,),
            code=next((seen.response.status for seen in wrong if seen.response is not None), None),
            confidence=0.3,
            severity=UNKNOWN.severity,
            summary=f"{round_.target.domain} is not as it should be, and a fault of the exporter broke the diagnosis",
            evidence=_lines(told(seen) for seen in wrong),
            reproduce=reproduce.commands(round_.target, wrong),
        ),
    )


def _servers(shown: Sequence[Observation]) -> tuple[str, ...]:
    """Who was seen in the chain of hops, the edge first: a fix is mostly due there."""
    answers = [seen.response for seen in shown[:_TELLING] if seen.response is not None]
    seen = [*(servers.edge(answer) for answer in answers), *(servers.generator(answer) for answer in answers)]
    return tuple(dict.fromkeys(server.id for server in seen if server is not None))


def joined(findings: Sequence[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with the domains of a group that fail alike for the same cause: one fault, many names."""
    groups: dict[tuple[str, int | None], list[str]] = {}
    for other in others:
        if other.severity is not Severity.INFO:
            groups.setdefault((other.cause, other.code), []).extend(other.domains)
    return tuple(
        replace(one, domains=tuple(dict.fromkeys((*one.domains, *groups.get((one.cause, one.code), ())))))
        if one.severity is not Severity.INFO
        else one
        for one in findings
    )


def together(rounds: Sequence[Round]) -> tuple[Round, ...]:
    """The rounds, whose findings name the domains of their group that fail alike."""
    return tuple(
        replace(
            one, findings=joined(one.findings, (f for other in rounds if _akin(one, other) for f in other.findings))
        )
        for one in rounds
    )


def _akin(one: Round, other: Round) -> bool:
    return one is not other and one.target.group == other.target.group
