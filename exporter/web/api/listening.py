"""`/api/v1/events`: the answer that does not end."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from exporter.web import asking
from exporter.web.api.answers import ProblemError, parameters
from exporter.web.events import Events, Subscription
from exporter.web.house import HOUSE

_HEARTBEAT_SECONDS = 15.0
"""Proxies give up on what is silent for a minute, and only by writing is a client found to be gone."""

_WRITES_WITHIN_SECONDS = 30.0
_BEGINNING = b"retry: 3000\n\n"
_HEARTBEAT = b": still here\n\n"
_RETRY_SECONDS = 30


async def events(request: web.Request) -> web.StreamResponse:
    """Rounds that end and incidents that change, of one domain or of all."""
    domain = parameters(request, {"domain"}).get("domain", asking.domain) or ""
    hub = request.app[HOUSE].events
    subscription = hub.subscribe(domain)
    if subscription is None:
        raise ProblemError(503, "as many clients listen as may", None, _RETRY_SECONDS)
    try:
        return await _told(request, subscription)
    finally:
        hub.unsubscribe(subscription)


async def _told(request: web.Request, subscription: Subscription) -> web.StreamResponse:
    # nginx would hold back what it proxies until a buffer is full.
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    with contextlib.suppress(TimeoutError, ConnectionError):
        await _write(response, _BEGINNING)
        while not subscription.is_over:
            await _write(response, await subscription.taken(_HEARTBEAT_SECONDS) or _HEARTBEAT)
    return response


async def _write(response: web.StreamResponse, data: bytes) -> None:
    """A client that takes nothing for so long is given up."""
    async with asyncio.timeout(_WRITES_WITHIN_SECONDS):
        await response.write(data)


async def close(app: web.Application) -> None:
    """When the house closes, these answers would else go on for ever."""
    hub: Events = app[HOUSE].events
    hub.close()
