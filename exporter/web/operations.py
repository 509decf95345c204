"""The pages under `/-/`, as Prometheus has them: healthy, ready, reload."""

from aiohttp import web

from exporter.web.house import HOUSE
from exporter.web.origin import comes_from_another_site


async def healthy(_request: web.Request) -> web.Response:
    return web.Response(text="Healthy\n")


async def ready(request: web.Request) -> web.Response:
    if request.app[HOUSE].ready():
        return web.Response(text="Ready\n")
    return web.Response(status=503, text="Not ready: the first rounds are not scheduled yet\n")


async def reload(request: web.Request) -> web.Response:
    """Load the configuration anew; with complaints the old one stays in force, and the answer is 500 as Prometheus'."""
    if comes_from_another_site(request):
        raise web.HTTPForbidden
    complaints = await request.app[HOUSE].reload()
    if complaints:
        text = "The configuration was not reloaded; the last one stays in force:\n" + "\n".join(complaints) + "\n"
        return web.Response(status=500, text=text)
    return web.Response(text="Reloaded\n")
