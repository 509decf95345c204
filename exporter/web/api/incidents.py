"""`/api/v1/incidents`: what the store keeps."""

from __future__ import annotations

from aiohttp import web

from exporter.store import CursorError, UnavailableError
from exporter.web import asking
from exporter.web.api import documents
from exporter.web.api.answers import ProblemError, answer_list, parameters
from exporter.web.house import HOUSE

_UNAVAILABLE = "the store cannot be read now"
_RETRY_SECONDS = 5


async def incidents(request: web.Request) -> web.StreamResponse:
    """The newest first, a page at a time."""
    house = request.app[HOUSE]
    query = asking.incidents(parameters(request, asking.INCIDENT_FILTERS | {"limit", "cursor"}), house.now())
    try:
        page = await house.store.page(query)
    except CursorError as error:
        raise ProblemError(400, f"cursor: {error}", "cursor") from error
    except UnavailableError as error:
        raise ProblemError(503, _UNAVAILABLE, None, _RETRY_SECONDS) from error
    return await answer_list(request, {"cursor": page.cursor}, "incidents", map(documents.incident, page.incidents))


async def incident(request: web.Request) -> web.StreamResponse:
    """With the rounds that opened, changed and closed it."""
    parameters(request)
    try:
        record = await request.app[HOUSE].store.record(request.match_info["id"])
    except UnavailableError as error:
        raise ProblemError(503, _UNAVAILABLE, None, _RETRY_SECONDS) from error
    if record is None:
        raise ProblemError(404, "no incident of this id is kept")
    return await answer_list(
        request, documents.incident(record.incident), "rounds", map(documents.kept_round, record.rounds)
    )
