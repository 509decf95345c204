"""Whether a request that changes something comes from a page of ours."""

from urllib.parse import urlsplit

from aiohttp import web

from exporter.web.house import HOUSE


def comes_from_another_site(request: web.Request) -> bool:
    """Whether a browser sent this for a page that is not ours.

    Browsers set both fields on every POST and pages cannot change them (Fetch, sections 3.1 and 3.2; Fetch Metadata,
    section 2.4). Other clients send neither.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return True
    ours = {request.host, urlsplit(request.app[HOUSE].external_url).netloc}
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc not in ours - {""}
