"""Findings over time: a table of states, and one step from what a domain's round found. Time is a value.

An incident is what the rounds of one or more domains report. Each domain's own rounds say whether its report still
holds; the incident is over when no report is left.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exporter.ledger import TRANSITIONS, Event, Ledger, Settings, Step, age
from exporter.model import Finding, Incident, Report, Round, Severity, Stage, Turn
from exporter.secrecy import finding_without, secrets_of

__all__ = ["OURSELVES", "TRANSITIONS", "Event", "Settings", "Sighting", "Step", "forget", "joined", "step"]

MOST_TURNS = 100
"""Kept of one incident's history: the first, and the newest."""

MOST_NAMED = 50
"""Domains that one report names. Of a wider finding each domain's own rounds say whether it is concerned: with 5,000
domains that all name each other, an incident would weigh the square of that."""

OURSELVES = frozenset({"vantage-offline"})
"""Causes that lie with the prober: one incident, whatever domains it shows at."""

_OPENS = frozenset({Severity.CRITICAL, Severity.WARNING})
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one round says.

    Attributes:
        findings: the leading one first.
        confirmed: whether experiments confirmed them.
        at: Unix time in seconds.
        every: rounds that together ask all that a domain is asked; where that is bounded, one round misses nothing yet.
        seldom: the same for causes that are looked for less often still.
    """

    domain: str
    findings: tuple[Finding, ...]
    confirmed: bool
    at: float
    every: int = 1
    seldom: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_blind(self) -> bool:
        """Whether the round could learn nothing of what servers answer."""
        return any(one.cause in OURSELVES and one.severity is Severity.CRITICAL for one in self.findings)

    def rounds_to_see(self, cause: str) -> int:
        """In how many rounds in a row it shows at least once, if it is there."""
        return max(self.every, self.seldom.get(cause, 1))

    @classmethod
    def of(cls, round_: Round) -> Sighting:
        """A round's findings that matter, each cause once, with nothing secret in what they quote."""
        secrets = secrets_of(round_.target)
        serious: dict[str, Finding] = {}
        for finding in round_.findings:
            if finding.severity in _OPENS:
                serious.setdefault(finding.cause, finding_without(secrets, finding))
        ended_at = round_.started_at + round_.duration_seconds
        return cls(round_.target.domain, tuple(serious.values()), bool(round_.trials), ended_at)


def step(known: Sequence[Incident], sighting: Sighting, settings: Settings) -> Step:
    """What one round of one domain does to `known`: the open incidents that share a domain with it, and with those.

    Where it finds that we are at fault ourselves, all that say so are to be among them.
    """
    ledger = Ledger(known, sighting.at, settings)
    fresh = [finding for finding in sighting.findings if not _joins(ledger, finding, sighting)]
    for incident in ledger.unseen(sighting.domain):
        if sighting.is_blind and incident.code is not None:
            continue  # what was answered is neither gone nor another: we could not ask
        finding = _successor(incident, sighting.domain, fresh)
        if finding is None:
            _missed(ledger, incident, sighting)
        else:
            fresh.remove(finding)
            _turned(ledger, incident, finding, sighting)
    for finding in fresh:
        _opened(ledger, finding, sighting)
    return _without_doubles(ledger).step()


def forget(known: Sequence[Incident], domain: str, at: float) -> Step:
    """What it does to them that `domain` is no longer probed."""
    ledger = Ledger(known, at)
    for incident in known:
        reports = tuple(_without(domain, incident.reports))
        if reports != incident.reports:
            ledger.put(incident, reports=reports)
    return ledger.step()


def joined(known: Sequence[Incident], at: float) -> Step:
    """What comes of open incidents that were kept in two places: who are about the same become one, the oldest."""
    ledger = Ledger(known, at)
    for incident in ledger.open():
        _merged(ledger, _about(ledger, incident.cause, incident.domains) or [incident])
    return _without_doubles(ledger).step()


def _without_doubles(ledger: Ledger) -> Ledger:
    """Of one cause, no domain is in two open incidents: what turned or came from elsewhere may have made it so."""
    for incident in ledger.changed():
        same = _about(ledger, incident.cause, incident.domains)
        if len(same) > 1:
            _merged(ledger, same)
            return _without_doubles(ledger)
    return ledger


def _about(ledger: Ledger, cause: str, domains: Iterable[str]) -> list[Incident]:
    """The open incidents of that cause about one of these domains."""
    names = frozenset(domains)
    same = [one for one in ledger.open() if one.cause == cause]
    return same if cause in OURSELVES else [one for one in same if not names.isdisjoint(one.domains)]


def _joins(ledger: Ledger, finding: Finding, sighting: Sighting) -> bool:
    """Whether there is an incident of that cause about one of the finding's domains; it then is seen once more."""
    same = _about(ledger, finding.cause, (sighting.domain, *finding.domains))
    if not same:
        return False
    incident = _merged(ledger, same)
    before = _report(incident, sighting.domain)
    agrees = finding.code == incident.code
    report = Report(
        sighting.domain,
        _named(finding, sighting.domain),
        finding.cause,
        finding.code,
        turned=0 if agrees else _turns(ledger, before, finding, sighting),
    )
    was_away = before is not None and before.missed >= sighting.rounds_to_see(finding.cause)
    came_back = was_away and incident.stage is Stage.FIRING
    _seen(ledger, replace(incident, flaps=incident.flaps + came_back), report, finding, sighting)
    return True


def _seen(ledger: Ledger, incident: Incident, report: Report, finding: Finding, sighting: Sighting) -> None:
    """One more round shows the incident; its leading cause and code turn when they are confirmed and nobody objects."""
    reports = _with(report, incident.reports)
    seen = (
        ledger.settings.confirm_rounds if sighting.confirmed else min(incident.seen + 1, ledger.settings.confirm_rounds)
    )
    sure = seen >= ledger.settings.confirm_rounds
    agrees = (finding.cause, finding.code) == (incident.cause, incident.code)
    turns = not agrees and _may_turn(ledger, incident, report, reports)
    if turns:
        reports = tuple(replace(one, turned=0) if _says(one, finding) else one for one in reports)
    ledger.put(
        incident,
        Event.CONFIRMED if sure else Event.SEEN,
        reports=reports,
        seen=seen,
        finding=finding if turns else _surest(incident.finding, finding) if agrees else incident.finding,
        flaps=incident.flaps,
        turns=_history(incident.turns, _turn(finding, ledger.at)) if turns else incident.turns,
    )
    ledger.saw(incident)


def _may_turn(ledger: Ledger, incident: Incident, report: Report, reports: Sequence[Report]) -> bool:
    objections = [one for one in reports if one is not report and one.turned == 0]
    sure = report.turned >= ledger.settings.confirm_rounds or incident.stage is Stage.PENDING
    return sure and not objections


def _turned(ledger: Ledger, incident: Incident, finding: Finding, sighting: Sighting) -> None:
    """A domain that reported the incident now has another cause: the incident's own, or one more incident."""
    before = _report(incident, sighting.domain)
    turned = _turns(ledger, before, finding, sighting)
    report = Report(sighting.domain, _named(finding, sighting.domain), finding.cause, finding.code, turned)
    others = [one for one in incident.reports if one.domain != sighting.domain]
    if turned >= ledger.settings.confirm_rounds and any(one.turned == 0 for one in others):
        ledger.put(incident, reports=tuple(others))
        _opened(ledger, finding, replace(sighting, confirmed=True))
        return
    _seen(ledger, incident, report, finding, sighting)


def _missed(ledger: Ledger, incident: Incident, sighting: Sighting) -> None:
    """A round of a domain that reported the incident does not show it."""
    patience = ledger.settings.resolve_rounds * sighting.rounds_to_see(incident.cause)
    reports = [
        replace(one, missed=one.missed + 1, turned=0, cause=incident.cause, code=incident.code)
        if one.domain == sighting.domain
        else one
        for one in incident.reports
    ]
    ledger.put(incident, reports=tuple(one for one in reports if one.missed < patience))


def _opened(ledger: Ledger, finding: Finding, sighting: Sighting) -> None:
    report = Report(sighting.domain, _named(finding, sighting.domain), finding.cause, finding.code)
    incident = Incident(
        id=_identity(sighting.domain, finding.cause, sighting.at),
        stage=Stage.PENDING,
        since=sighting.at,
        finding=finding,
        reports=(report,),
        domains=report.domains,
        affected=report.domains,
        turns=(_turn(finding, sighting.at),),
    )
    ledger.add(incident)
    _seen(ledger, incident, report, finding, sighting)


def _merged(ledger: Ledger, same: Sequence[Incident]) -> Incident:
    """The oldest of incidents that turn out to be one, with the reports of all."""
    oldest, *others = sorted(same, key=age)
    if not others:
        return oldest
    reports = oldest.reports
    for other in others:
        for report in other.reports:
            reports = reports if _report(oldest, report.domain) else _with(report, reports)
        ledger.put(other, Event.GONE, reports=(), merged_into=oldest.id)
    affected = tuple(sorted({domain for one in same for domain in one.affected}))
    ledger.put(oldest, reports=reports, flaps=sum(one.flaps for one in same), affected=affected)
    return ledger.get(oldest.id)


def _successor(incident: Incident, domain: str, fresh: Sequence[Finding]) -> Finding | None:
    """The finding that took the place of what `domain` reported: the one it turned to before, or the leading one."""
    report = _report(incident, domain)
    said = [finding for finding in fresh if report is not None and finding.cause == report.cause]
    return next(iter([*said, *fresh]), None)


def _turns(ledger: Ledger, before: Report | None, finding: Finding, sighting: Sighting) -> int:
    """In how many rounds in a row a report has said what it says now, counted until that is confirmed."""
    if sighting.confirmed:
        return ledger.settings.confirm_rounds
    return min(
        ledger.settings.confirm_rounds, before.turned + 1 if before is not None and _says(before, finding) else 1
    )


def _says(report: Report, finding: Finding) -> bool:
    return (report.cause, report.code) == (finding.cause, finding.code)


def _surest(before: Finding, now: Finding) -> Finding:
    """So that what is kept does not change with every round: it only becomes worse, or surer."""
    worse = _RANK[now.severity] < _RANK[before.severity]
    surer = now.severity is before.severity and now.confidence > before.confidence
    return now if worse or surer else before


def _named(finding: Finding, domain: str) -> tuple[str, ...]:
    names = {domain, *finding.domains}
    return tuple(sorted(names)) if len(names) <= MOST_NAMED else (domain,)


def _report(incident: Incident, domain: str) -> Report | None:
    at = bisect_left(incident.reports, domain, key=lambda one: one.domain)
    found = incident.reports[at] if at < len(incident.reports) else None
    return found if found is not None and found.domain == domain else None


def _with(report: Report, reports: tuple[Report, ...]) -> tuple[Report, ...]:
    """The reports with this one in place of its domain's last; the same object where it says the same."""
    at = bisect_left(reports, report.domain, key=lambda one: one.domain)
    before = reports[at] if at < len(reports) and reports[at].domain == report.domain else None
    if before == report:
        return reports
    return (*reports[:at], report, *reports[at + (before is not None) :])


def _without(domain: str, reports: Iterable[Report]) -> Iterator[Report]:
    for one in reports:
        if one.domain != domain:
            yield replace(one, domains=tuple(name for name in one.domains if name != domain))


def _turn(finding: Finding, at: float) -> Turn:
    return Turn(at, finding.cause, finding.code, finding.summary)


def _history(turns: tuple[Turn, ...], turn: Turn) -> tuple[Turn, ...]:
    return (*turns, turn) if len(turns) < MOST_TURNS else (turns[0], *turns[2:], turn)


def _identity(domain: str, cause: str, at: float) -> str:
    """The same for the same beginning, so that a step can be made again; no two incidents begin alike."""
    return hashlib.sha256(f"{domain} {cause} {at!r}".encode()).hexdigest()[:16]
