"""Routes, and what holds for every answer: plain errors, security headers, no banner."""

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.web import operations, overview, runbooks, scrape
from exporter.web.house import HOUSE, House

STATIC = Path(__file__).parent / "static"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "statuscode-exporter",  # aiohttp would tell its version and Python's
}


def application(house: House) -> web.Application:
    app = web.Application(middlewares=[plain_errors])
    app[HOUSE] = house
    app.on_response_prepare.append(harden)
    app.add_routes(
        [
            web.get("/", overview.overview),
            web.get("/metrics", scrape.metrics),
            web.get("/-/healthy", operations.healthy),
            web.get("/-/ready", operations.ready),
            web.post("/-/reload", operations.reload),
            web.get("/runbooks", runbooks.without_slash),
            web.get("/runbooks/", runbooks.index),
            web.get("/runbooks/{id}", runbooks.runbook),
            web.static("/static", STATIC),
        ]
    )
    return app


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as one line of text, with `Allow` where the method was wrong (RFC 9110, section 15.5.6)."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return web.Response(status=error.status, text=f"{error.status} {error.reason}\n", headers=allow)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
