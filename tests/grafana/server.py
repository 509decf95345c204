"""A small server that keeps to the documented contract of Grafana's Annotations HTTP API, in place of Grafana.

No Grafana can be had where the tests run. Kept to: the paths, methods and fields, `Bearer` tokens, the codes 200, 400,
401, 403 and 404, that an annotation without `timeEnd` is a point, that tags must all match, the order and the limit of
a list, and that PATCH changes what it names and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

from aiohttp import web

TOKEN = "glsa_hunter2hunter2"


class Grafana:
    """Attributes: `failures` are statuses to answer with next; `loses` counts answers that get lost after the work."""

    def __init__(self):
        self.annotations = {}
        self.requests = []
        self.failures = []
        self.loses = 0
        self.refuses = None
        self.token = TOKEN
        self.url = ""
        self._next = 41
        self._changed = asyncio.Event()

    async def until(self, question):
        """Wait until `question` is true of this; within a bound."""
        async with asyncio.timeout(15):
            while not question(self):
                self._changed.clear()
                await self._changed.wait()

    @property
    def only(self):
        ((_, annotation),) = self.annotations.items()
        return annotation

    def application(self):
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/sub/api/annotations", self._find),
                web.post("/sub/api/annotations", self._post),
                web.patch("/sub/api/annotations/{id}", self._patch),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request, handler):
        self.requests.append(request.method)
        try:
            return await self._answer(request, handler)
        finally:
            asyncio.get_running_loop().call_soon(self._changed.set)

    async def _answer(self, request, handler):
        if self.failures:
            status = self.failures.pop(0)
            headers = {"Location": "https://elsewhere.example/"} if status in {301, 302} else {}
            return web.json_response({"message": f"<b>no</b>\n{status}"}, status=status, headers=headers)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Invalid API key"}, status=401)
        answer = await handler(request)
        if self.loses and request.method != "GET":
            self.loses -= 1
            request.transport.abort()
        return answer

    async def _find(self, request):
        tags = set(request.query.getall("tags", []))
        assert request.query.get("type", "annotation") in {"annotation", "alert"}
        found = [one for one in self.annotations.values() if tags <= set(one["tags"])]
        found.sort(key=lambda one: one["time"], reverse=True)
        return web.json_response(found[: int(request.query.get("limit", 100))])

    async def _post(self, request):
        asked = await request.json()
        if not asked.get("text") or (self.refuses and self.refuses in asked["text"]):
            return web.json_response(
                {"message": "Failed to save annotation: text field should not be empty"}, status=400
            )
        assert asked.keys() <= {"dashboardUID", "panelId", "time", "timeEnd", "tags", "text", "data"}
        assert sum(map(len, asked["tags"])) <= 500
        number, self._next = self._next, self._next + 1
        self.annotations[number] = {"id": number, "timeEnd": asked["time"], **asked}
        return web.json_response({"message": "Annotation added", "id": number})

    async def _patch(self, request):
        number = int(request.match_info["id"])
        asked = await request.json()
        assert asked.keys() <= {"text", "tags", "time", "timeEnd", "data"}
        if number not in self.annotations:
            return web.json_response({"message": "Annotation not found"}, status=404)
        self.annotations[number].update(asked)
        return web.json_response({"message": "Annotation patched"})


@asynccontextmanager
async def running_grafana(certificate=None):
    """A Grafana under a path; with a certificate, over TLS."""
    grafana = Grafana()
    runner = web.AppRunner(grafana.application(), access_log=None)
    await runner.setup()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    grafana.url = f"https://localhost:{port}/sub" if certificate else f"http://127.0.0.1:{port}/sub"
    try:
        yield grafana
    finally:
        await runner.cleanup()
