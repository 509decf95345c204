"""`/runbooks/`: what to do about each cause and status code."""

from aiohttp import web

from exporter import runbooks
from exporter.web.rendering import render

# Pages below `/runbooks/` reach the style sheet and the other pages from there.
_ROOT = "../"


async def index(request: web.Request) -> web.StreamResponse:
    lists = {"families": runbooks.FAMILIES, "codes": runbooks.CODES, "about_us": runbooks.ABOUT_US}
    return await render(request, "runbooks.html", root=_ROOT, titles=runbooks.titles(), **lists)


async def runbook(request: web.Request) -> web.StreamResponse:
    page = runbooks.page(request.match_info["id"])
    if page is None:
        raise web.HTTPNotFound
    return await render(request, "runbook.html", root=_ROOT, page=page)


async def without_slash(_request: web.Request) -> web.Response:
    """To the index by a relative reference, which holds behind a proxy that serves us below a path too."""
    return web.Response(status=308, headers={"Location": "runbooks/"}, text="It is runbooks/\n")
