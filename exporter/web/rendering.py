"""Pages made of templates in bounded steps."""

from __future__ import annotations

from aiohttp import web

from exporter.web.streaming import stream
from exporter.web.templating import TEMPLATES

# A step of about 2 ms, measured with 5,000 domains.
_PIECES_PER_CHUNK = 400


async def render(request: web.Request, template: str, **values: object) -> web.StreamResponse:
    page = TEMPLATES.get_template(template).stream(**values)
    page.enable_buffering(_PIECES_PER_CHUNK)
    return await stream(request, "text/html; charset=utf-8", (text.encode("utf-8", "replace") for text in page))
