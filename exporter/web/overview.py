"""`/`: what is wrong now, the exporter's own health first; then the domains, the worst first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from exporter.diagnosis import CAUSES, Cause, leading
from exporter.metrics import certificate_not_after
from exporter.model import Combination, Incident, Observation, Protocol, Round, Severity
from exporter.secrecy import hidden, secrets_of
from exporter.web import asking
from exporter.web.api.answers import form
from exporter.web.house import HOUSE
from exporter.web.rendering import render
from exporter.web.state import STATES, State, ended_at
from exporter.web.survey import Standing, survey
from exporter.web.trouble import troubles
from exporter.web.words import duration, line

PER_PAGE = 100
"""Rows; with them the page weighs some 100 kB, and what is bad comes first."""

_ROWS_PER_STEP = 25
_MOST_PAGES = 100_000
_MOST_CAUSES, _MOST_INCIDENTS, _MOST_DOMAINS = 20, 5, 8
_MAX_REASON = 200
_MAX_STATUSES = 6
# Let's Encrypt, the shortest common kind, is renewed with 30 of 90 days left.
_EXPIRES_SOON_DAYS = 14
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Status:
    """What matched probes were answered at one address, in a word: a status code, or the phase and kind of the failure.

    Attributes:
        protocols: those over which the answer was this.
    """

    address: str
    answer: str
    expected: bool
    protocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One domain as the page tells it.

    Attributes:
        cause: title of the leading one; empty: none was found.
        reason: of the worst verdict, one bounded line; empty: nothing is wrong.
        statuses: of matched probes, the unexpected first, at most six; `statuses_left_out` counts the others.
        ended_at: of the last round, Unix time in seconds; None: there is none.
        certificate: how long it is still good; empty: none was seen.
    """

    domain: str
    group: str
    state: State
    cause: str = ""
    reason: str = ""
    statuses: tuple[Status, ...] = ()
    statuses_left_out: int = 0
    ended_at: float | None = None
    is_stale: bool = False
    certificate: str = ""
    expires_soon: bool = False


@dataclass(frozen=True, slots=True)
class Wrong:
    """One cause, and the open incidents of it, the oldest first.

    Attributes:
        incidents: the first of them; `left_out` counts the others.
        domains: of all of them, the first few; `total` counts all.
    """

    cause: Cause
    severity: Severity
    codes: tuple[str, ...]
    since: float
    incidents: tuple[Incident, ...]
    left_out: int
    domains: tuple[str, ...]
    total: int


async def overview(request: web.Request) -> web.StreamResponse:
    house = request.app[HOUSE]
    asked = form(request, {"state", "q", "page"})
    state, q = asked.get("state", asking.one_of(STATES)), asked.get("q", asking.text) or ""
    number = asked.get("page", asking.whole_number(1, _MOST_PAGES)) or 1
    everything = await survey(request)
    shown = sorted(_chosen(everything, state, q.lower()), key=lambda one: (one.state.rank, one.target.domain))
    now, stale = house.now(), sum(one.is_stale for one in everything)
    filters = {name: value for name, value in (("state", state.id if state else ""), ("q", q)) if value}
    start = (number - 1) * PER_PAGE
    return await render(
        request,
        "overview.html",
        root="",
        now=now,
        wrong=wrong_now(house.chronicle.open),
        troubles=troubles(house.health, house.complaints(), stale, len(everything)),
        newest=max((ended_at(one.round) for one in everything if one.round is not None), default=None),
        rows=await _rows(shown[start : start + PER_PAGE], now),
        first=start + 1,
        found=len(shown),
        total=len(everything),
        totals=Counter(one.state for one in everything),
        states=State,
        state=state,
        q=q,
        previous=urlencode({**filters, "page": number - 1}) if number > 1 else "",
        following=urlencode({**filters, "page": number + 1}) if start + PER_PAGE < len(shown) else "",
    )


async def _rows(shown: Sequence[Standing], now: float) -> list[Row]:
    rows: list[Row] = []
    for number, one in enumerate(shown):
        if number % _ROWS_PER_STEP == 0:
            await asyncio.sleep(0)
        rows.append(row(one, now))
    return rows


def _chosen(everything: Sequence[Standing], state: State | None, q: str) -> Iterator[Standing]:
    for one in everything:
        if (state is None or one.state is state) and (q in one.target.domain or q in one.target.group.lower()):
            yield one


def wrong_now(incidents: Sequence[Incident]) -> tuple[Wrong, ...]:
    """By cause, the severest first, then the one that concerns most."""
    by_cause: dict[str, list[Incident]] = {}
    for incident in incidents:
        by_cause.setdefault(incident.cause, []).append(incident)
    found = [_wrong(CAUSES[cause], those) for cause, those in by_cause.items() if cause in CAUSES]
    ranks = list(Severity)
    return tuple(sorted(found, key=lambda one: (ranks.index(one.severity), -one.total))[:_MOST_CAUSES])


def _wrong(cause: Cause, incidents: Sequence[Incident]) -> Wrong:
    domains = dict.fromkeys(name for incident in incidents for name in incident.domains)
    ranks = list(Severity)
    return Wrong(
        cause=cause,
        severity=min((incident.severity for incident in incidents), key=ranks.index),
        codes=tuple(sorted({"no status" if one.code is None else str(one.code) for one in incidents})),
        since=min(incident.since for incident in incidents),
        incidents=tuple(incidents[:_MOST_INCIDENTS]),
        left_out=max(0, len(incidents) - _MOST_INCIDENTS),
        domains=tuple(domains)[:_MOST_DOMAINS],
        total=len(domains),
    )


def row(standing: Standing, now: float) -> Row:
    """What the page says of a domain at `now` (Unix time in seconds)."""
    target, round_ = standing.target, standing.round
    if round_ is None:
        return Row(target.domain, target.group, standing.state)
    statuses = tuple(sorted(_statuses(round_), key=lambda status: status.expected))
    first = leading(round_.findings)
    not_after = certificate_not_after(round_)
    return Row(
        domain=target.domain,
        group=target.group,
        state=standing.state,
        cause=CAUSES[first.cause].title if first is not None else "",
        reason=line(hidden(_worst_reason(round_), secrets_of(target)), _MAX_REASON),
        statuses=statuses[:_MAX_STATUSES],
        statuses_left_out=max(0, len(statuses) - _MAX_STATUSES),
        ended_at=ended_at(round_),
        is_stale=standing.is_stale,
        certificate="" if not_after is None else _validity(not_after - now),
        expires_soon=not_after is not None and not_after - now < _EXPIRES_SOON_DAYS * _DAY_SECONDS,
    )


def _statuses(round_: Round) -> Iterator[Status]:
    protocols: dict[tuple[str, str, bool], list[str]] = {}
    for seen, verdict in round_.matched:
        if verdict.conclusive:
            key = (seen.probe.address or "no address", _answer(seen), verdict.expected)
            protocols.setdefault(key, []).append(seen.probe.protocol)
    for key, spoken in sorted(protocols.items()):
        yield Status(*key, tuple(protocol for protocol in Protocol if protocol in spoken))


def _answer(seen: Observation) -> str:
    if seen.failure is not None:
        return f"{seen.failure.phase}: {seen.failure.kind}"
    return str(seen.response.status) if seen.response is not None else "no answer"


def _worst_reason(round_: Round) -> str:
    """The reason of the first unexpected verdict, a matched probe's before others, which say what they asked."""
    pairs = list(zip(round_.observations, round_.verdicts, strict=True))
    for _, verdict in round_.matched:
        if not verdict.expected:
            return verdict.reason
    return next((f"{_asked(seen)}: {verdict.reason}" for seen, verdict in pairs if not verdict.expected), "")


def _asked(seen: Observation) -> str:
    """`help.example on the connection of cart.example`, or the combination."""
    if seen.probe.combination is Combination.COALESCED:
        return f"{seen.probe.host} on the connection of {seen.probe.sni}"
    return seen.probe.combination


def _validity(seconds: float) -> str:
    return f"{duration(seconds)} left" if seconds > 0 else f"expired {duration(-seconds)} ago"
