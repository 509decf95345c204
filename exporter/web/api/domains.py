"""`/api/v1/domains`: how each domain stands, its last round, and a round now."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from exporter.documents import Json
from exporter.model import Incident, Round, Target
from exporter.web import asking
from exporter.web.api import documents
from exporter.web.api.answers import ProblemError, answer, answer_list, parameters, target_of
from exporter.web.checks import Refused, checked
from exporter.web.house import HOUSE, House
from exporter.web.marks import mark_after, name_before
from exporter.web.origin import comes_from_another_site
from exporter.web.presentable import presentable
from exporter.web.state import STATES, State, state_of

_LIMIT, _MOST = 500, 1000
_PER_STEP = 100  # a step of some 2 ms


async def domains(request: web.Request) -> web.StreamResponse:
    """All domains by name, a page at a time."""
    house = request.app[HOUSE]
    asked = parameters(request, {"state", "cause", "group", "limit", "cursor"})
    state = asked.get("state", asking.one_of(STATES))
    cause, group = asked.get("cause", asking.cause), asked.get("group", asking.text)
    limit = asked.get("limit", asking.whole_number(1, _MOST)) or _LIMIT
    after = asked.get("cursor", name_before) or ""

    def is_asked_for(document: Mapping[str, Json], target: Target) -> bool:
        return cause in (None, document["cause"]) and group in (None, target.group)

    found, cursor = await _page(house, after, limit, state, is_asked_for)
    return await answer_list(request, {"cursor": cursor}, "domains", found)


async def _page(
    house: House, after: str, limit: int, state: State | None, wanted: Callable[[Mapping[str, Json], Target], bool]
) -> tuple[Sequence[Mapping[str, Json]], str]:
    """The documents, and the mark behind the last of them; empty where there are no more."""
    targets, now, open_by_domain = house.targets(), house.now(), incidents_by_domain(house.chronicle.open)
    names = sorted(targets)
    found: list[dict[str, Json]] = []
    for number, name in enumerate(names[bisect_right(names, after) :], start=1):
        round_ = house.latest.get(name)
        if state is None or state_of(round_) is state:
            document = documents.domain(targets[name], round_, open_by_domain.get(name, ()), now)
            if wanted(document, targets[name]):
                if len(found) == limit:
                    return found, mark_after(str(found[-1]["domain"]))
                found.append(document)
        if number % _PER_STEP == 0:
            await asyncio.sleep(0)
    return found, ""


def incidents_by_domain(incidents: Sequence[Incident]) -> Mapping[str, Sequence[Incident]]:
    found: defaultdict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        for name in incident.domains:
            found[name].append(incident)
    return found


async def domain(request: web.Request) -> web.StreamResponse:
    parameters(request)
    return await answer(request, _document(request.app[HOUSE], target_of(request)))


async def check(request: web.Request) -> web.StreamResponse:
    """Runs a round now: 200 with it, or 202 where it takes long."""
    if comes_from_another_site(request):
        raise ProblemError(403, "a page of another site must not ask for this")
    parameters(request)
    house, target = request.app[HOUSE], target_of(request)
    done = await checked(request.app, house, target.domain)
    if isinstance(done, Refused):
        raise ProblemError(429, "checks of this domain, or of all, are asked for too fast", None, done.seconds)
    if done is None:
        where = {"Location": f"../{target.domain}"}
        return web.json_response({"domain": target.domain, "running": True}, status=202, headers=where)
    return await answer(request, _document(house, target))


def _document(house: House, target: Target) -> dict[str, Json]:
    last: Round | None = house.latest.get(target.domain)
    shown = presentable(last) if last is not None else None
    incidents = [incident for incident in house.chronicle.open if target.domain in incident.domains]
    return {
        **documents.domain(target, shown, incidents, house.now()),
        "round": documents.round_(shown) if shown is not None else None,
    }
