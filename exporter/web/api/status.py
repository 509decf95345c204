"""`/api/v1/status`, `/api/v1/causes` and the description of the API."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from aiohttp import web

from exporter import __version__
from exporter.documents import Json
from exporter.web.api import documents, openapi
from exporter.web.api.answers import answer, parameters
from exporter.web.house import HOUSE, House
from exporter.web.state import STATES
from exporter.web.survey import survey
from exporter.web.trouble import troubles

_STORE = {
    "up": "statuscode_exporter_store_up",
    "waiting": "statuscode_exporter_store_queue_length",
    "dropped": "statuscode_exporter_store_dropped_total",
    "size_bytes": "statuscode_exporter_store_size_bytes",
    "last_success_at": "statuscode_exporter_store_last_success_timestamp_seconds",
}
_ROUNDS = {
    "in_flight": "statuscode_exporter_rounds_in_flight",
    "total": "statuscode_exporter_rounds_total",
    "missed": "statuscode_exporter_rounds_missed_total",
    "errors": "statuscode_exporter_round_errors_total",
}
_RELOAD = {
    "successful": "statuscode_exporter_config_last_reload_successful",
    "last_success_at": "statuscode_exporter_config_last_reload_success_timestamp_seconds",
}


async def status(request: web.Request) -> web.StreamResponse:
    """How the exporter itself is, without any name of a domain."""
    parameters(request)
    house = request.app[HOUSE]
    found = await survey(request)
    states = Counter(standing.state.id for standing in found)
    stale = sum(standing.is_stale for standing in found)
    complaints = house.complaints()
    document: dict[str, Json] = {
        "version": __version__,
        "started_at": house.started_at,
        "uptime_seconds": max(0.0, house.now() - house.started_at),
        "ready": house.ready(),
        "domains": {"total": len(found), "stale": stale, **{id_: states[id_] for id_ in STATES}},
        "incidents_open": len(house.chronicle.open),
        "rounds": _shown(house, _ROUNDS),
        "store": _shown(house, _STORE, ("up",)),
        "configuration": {**_shown(house, _RELOAD, ("successful",)), "complaints": list(complaints)},
        "listeners": house.events.clients,
        "troubles": [
            {"id": one.id, "title": one.title, "lines": list(one.lines)}
            for one in troubles(house.health, complaints, stale, len(found))
        ],
    }
    return await answer(request, document)


async def causes(request: web.Request) -> web.StreamResponse:
    """All causes that there are, by their numbers."""
    parameters(request)
    return await answer(request, {"causes": documents.causes()})


async def description(request: web.Request) -> web.StreamResponse:
    parameters(request)
    below = urlsplit(request.app[HOUSE].external_url).path.rstrip("/")
    return await answer(request, openapi.description(f"{below}/api/v1"))


def _shown(house: House, names: dict[str, str], booleans: tuple[str, ...] = ()) -> dict[str, Json]:
    values = house.health.values(*names.values())
    return {key: bool(values[name]) if key in booleans else values[name] for key, name in names.items()}
