"""`/domains/{domain}`: all that the last round saw of it, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from exporter.diagnosis import CAUSES
from exporter.model import Exposure, Incident, Round, Target
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
_MOST_SIBLINGS = 20


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
        seen=None if last is None else _seen(target, presentable(last), house.now()),
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


def _seen(target: Target, round_: Round, now: float) -> dict[str, object]:
    return {
        "round": round_,
        "ended_at": ended_at(round_),
        "is_stale": is_stale(target, round_, now),
        "findings": round_.findings,
        "grid": grid(round_),
        "timings": timings(round_),
        "certificates": shown(round_, now),
        "exposures": _by_client(round_.exposures),
        "trials": round_.trials,
    }


def _by_client(exposures: Sequence[Exposure]) -> Mapping[str, tuple[tuple[str, ...], int]]:
    """By browser: the siblings on whose connections it would ask, and how many more there are."""
    found: dict[str, dict[str, None]] = {}
    for one in exposures:
        found.setdefault(one.client.value.capitalize(), {})[one.sibling] = None
    return {
        client: (tuple(siblings)[:_MOST_SIBLINGS], max(0, len(siblings) - _MOST_SIBLINGS))
        for client, siblings in found.items()
    }


async def _history(house: House, target: Target) -> tuple[Incident, ...] | None:
    """The newest incidents; None: the store cannot be read now."""
    try:
        return (await house.store.page(Query(domain=target.domain, limit=_MOST_INCIDENTS))).incidents
    except UnavailableError:
        return None
