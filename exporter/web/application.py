"""Routes, and what holds for every answer: errors in the asker's form, security headers, no banner."""

from pathlib import Path

from aiohttp import web

from exporter.web import api, domain, incidents, operations, overview, runbooks, scrape
from exporter.web.api.listening import close
from exporter.web.checks import ALLOWANCE, Allowance
from exporter.web.errors import told_errors
from exporter.web.guard import GUARD, Guard, guarded
from exporter.web.house import HOUSE, House
from exporter.web.survey import SURVEYOR, Surveyor
from exporter.web.templating import compile_all

STATIC = Path(__file__).parent / "static"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, our own forms would come from an origin `null` (Fetch, 3.1)
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "statuscode-exporter",  # aiohttp would tell its version and Python's
}


def application(house: House, guard: Guard | None = None) -> web.Application:
    compile_all()
    app = web.Application(middlewares=[told_errors, guarded])
    app[GUARD] = guard or Guard()
    app[HOUSE] = house
    app[ALLOWANCE] = Allowance()
    app[SURVEYOR] = Surveyor()
    app.on_response_prepare.append(harden)
    app.on_shutdown.append(close)
    app.add_routes(
        [
            web.get("/", overview.overview),
            web.get("/domains/{domain}", domain.domain),
            web.post("/domains/{domain}/check", domain.check),
            web.get("/incidents", incidents.incidents),
            web.get("/incidents/{id}", incidents.incident),
            web.get("/metrics", scrape.metrics),
            web.get("/-/healthy", operations.healthy),
            web.get("/-/ready", operations.ready),
            web.post("/-/reload", operations.reload),
            web.get("/runbooks", runbooks.without_slash),
            web.get("/runbooks/", runbooks.index),
            web.get("/runbooks/{id}", runbooks.runbook),
            web.static("/static", STATIC),
            *api.ROUTES,
        ]
    )
    return app


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
