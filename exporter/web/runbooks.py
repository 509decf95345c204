"""`/runbooks/`: what to do about each cause and status code."""

from aiohttp import web

from exporter import runbooks
from exporter.web.streaming import stream
from exporter.web.templating import TEMPLATES

# Pages below `/runbooks/` reach the style sheet and the other pages from there.
_ROOT = "../"


async def index(request: web.Request) -> web.StreamResponse:
    lists = {"families": runbooks.FAMILIES, "codes": runbooks.CODES, "about_us": runbooks.ABOUT_US}
    return await _answer(request, "runbooks.html", titles=runbooks.titles(), **lists)


async def runbook(request: web.Request) -> web.StreamResponse:
    page = runbooks.page(request.match_info["id"])
    if page is None:
        raise web.HTTPNotFound
    return await _answer(request, "runbook.html", page=page)


async def without_slash(_request: web.Request) -> web.Response:
    """To the index by a relative reference, which holds behind a proxy that serves us below a path too."""
    return web.Response(status=308, headers={"Location": "runbooks/"}, text="It is runbooks/\n")


async def _answer(request: web.Request, template: str, **values: object) -> web.StreamResponse:
    text = TEMPLATES.get_template(template).render(root=_ROOT, **values)
    return await stream(request, "text/html; charset=utf-8", [text.encode()])
