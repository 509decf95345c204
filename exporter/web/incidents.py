"""`/incidents`: what was and what is, with a timeline; `/incidents/{id}`: how one of them went."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from exporter.diagnosis import CAUSES
from exporter.store import CursorError, UnavailableError
from exporter.web import asking, bars
from exporter.web.api.answers import ProblemError, form
from exporter.web.asking import AskedError
from exporter.web.between import steps
from exporter.web.house import HOUSE
from exporter.web.rendering import render

_PER_PAGE = 50
_UNREADABLE = "the store cannot be read now; what is wrong at this moment is on the overview"
_RETRY_SECONDS = 5


async def incidents(request: web.Request) -> web.StreamResponse:
    house, now = request.app[HOUSE], request.app[HOUSE].now()
    query = asking.incidents(form(request, asking.INCIDENT_FILTERS | {"cursor"}), now, _PER_PAGE)
    try:
        page = await house.store.page(query)
    except CursorError as error:
        raise AskedError("cursor", str(error)) from error
    except UnavailableError as error:
        raise ProblemError(503, _UNREADABLE, None, _RETRY_SECONDS) from error
    asked = {name: value for name, value in request.query.items() if value and name != "cursor"}
    return await render(
        request,
        "incidents.html",
        root="",
        now=now,
        causes=CAUSES,
        incidents=page.incidents,
        window=bars.window(page.incidents, now, query.after, query.before),
        width=bars.WIDTH,
        asked=asked,
        older=urlencode({**asked, "cursor": page.cursor}) if page.cursor else "",
        newest=urlencode(asked) if query.cursor else None,
    )


async def incident(request: web.Request) -> web.StreamResponse:
    form(request)
    house = request.app[HOUSE]
    try:
        record = await house.store.record(request.match_info["id"])
    except UnavailableError as error:
        raise ProblemError(503, _UNREADABLE, None, _RETRY_SECONDS) from error
    if record is None:
        raise ProblemError(404, "no incident of this id is kept")
    return await render(
        request,
        "incident.html",
        root="../",
        now=house.now(),
        causes=CAUSES,
        configured=house.targets(),
        incident=record.incident,
        steps=steps(record.rounds)[::-1],
    )
