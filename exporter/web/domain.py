"""`/domains/{domain}`: all that the last round saw of it, what it means, and what to do."""

from __future__ import annotations

from aiohttp import web

from exporter.diagnosis import CAUSES
from exporter.diagnosis.wording import names
from exporter.model import Client, Incident, Round, Target
from exporter.store import Query, UnavailableError
from exporter.web.api.answers import ProblemError, form, target_of
from exporter.web.bars import timings
from exporter.web.certificates import shown
from exporter.web.checks import Refused, checked
from exporter.web.grid import grid
from exporter.web.house import HOUSE, House
from exporter.web.origin import comes_from_another_site
from exporter.web.presentable import presentable
from exporter.web.rendering import render
from exporter.web.state import ended_at, is_stale, state_of

_MOST_INCIDENTS = 20
_MOST_SIBLINGS = 500  # looked at, a step of about a millisecond
_MOST_SHARED = 20


async def domain(request: web.Request) -> web.StreamResponse:
    form(request)
    house, target = request.app[HOUSE], target_of(request)
    last = house.latest.get(target.domain)
    history = await _history(house, target)
    return await render(
        request,
        "domain.html",
        root="../",
        target=target,
        state=state_of(last),
        now=house.now(),
        causes=CAUSES,
        incidents=[incident for incident in house.chronicle.open if target.domain in incident.domains],
        history=history,
        seen=None if last is None else _seen(house, target, presentable(last)),
    )


async def check(request: web.Request) -> web.StreamResponse:
    """The button without a script: runs a round, and leads back."""
    if comes_from_another_site(request):
        raise web.HTTPForbidden
    house, target = request.app[HOUSE], target_of(request)
    done = await checked(request.app, house, target.domain)
    if isinstance(done, Refused):
        raise ProblemError(429, f"ask again in {done.seconds} s", None, done.seconds)
    return web.Response(status=303, headers={"Location": f"../{target.domain}"})


def _seen(house: House, target: Target, round_: Round) -> dict[str, object]:
    now, sharing = house.now(), _sharing(house, target, round_)
    return {
        "round": round_,
        "ended_at": ended_at(round_),
        "is_stale": is_stale(target, round_, now),
        "findings": round_.findings,
        "grid": grid(round_),
        "timings": timings(round_),
        "certificates": shown(round_, now),
        "sharing": sharing[:_MOST_SHARED],
        "sharing_left_out": max(0, len(sharing) - _MOST_SHARED),
        "trials": round_.trials,
    }


def _sharing(house: House, target: Target, round_: Round) -> tuple[tuple[str, str], ...]:
    """Which browsers would ask for which name on whose connection, by this round and by the last ones of siblings."""
    siblings = (house.latest.get(name) for name in target.siblings[:_MOST_SIBLINGS] if name != target.domain)
    others = [one for done in siblings if done is not None for one in done.exposures if one.domain == target.domain]
    found: dict[tuple[str, str], set[Client]] = {}
    for one in (*others, *round_.exposures):
        found.setdefault((one.domain, one.sibling), set()).add(one.client)
    return tuple(
        (
            names(client.value.capitalize() for client in Client if client in clients),
            f"{domain} on a connection that was opened for {sibling}",
        )
        for (domain, sibling), clients in sorted(found.items(), key=lambda item: item[0][0] != target.domain)
    )


async def _history(house: House, target: Target) -> tuple[Incident, ...] | None:
    """The newest incidents; None: the store cannot be read now."""
    try:
        return (await house.store.page(Query(domain=target.domain, limit=_MOST_INCIDENTS))).incidents
    except UnavailableError:
        return None
