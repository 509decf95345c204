"""The pages under `/-/`, as Prometheus has them: healthy, ready, reload."""

from urllib.parse import urlsplit

from aiohttp import web

from exporter.web.house import HOUSE


async def healthy(_request: web.Request) -> web.Response:
    return web.Response(text="Healthy\n")


async def ready(request: web.Request) -> web.Response:
    if request.app[HOUSE].ready():
        return web.Response(text="Ready\n")
    return web.Response(status=503, text="Not ready: the first rounds are not scheduled yet\n")


async def reload(request: web.Request) -> web.Response:
    """Load the configuration anew; with complaints the old one stays in force, and the answer is 500 as Prometheus'."""
    if _comes_from_another_site(request):
        raise web.HTTPForbidden
    complaints = await request.app[HOUSE].reload()
    if complaints:
        text = "The configuration was not reloaded; the last one stays in force:\n" + "\n".join(complaints) + "\n"
        return web.Response(status=500, text=text)
    return web.Response(text="Reloaded\n")


def _comes_from_another_site(request: web.Request) -> bool:
    """Whether a browser sent this for a page that is not ours.

    Browsers set both fields on every POST and pages cannot change them (Fetch, sections 3.1 and 3.2; Fetch Metadata,
    section 2.4). Other clients send neither.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return True
    ours = {request.host, urlsplit(request.app[HOUSE].external_url).netloc}
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc not in ours - {""}
