"""`/metrics`: the probed domains and the exporter itself in one document."""

from collections.abc import Iterator

from aiohttp import web

from exporter.exposition import Format, negotiate
from exporter.web.house import HOUSE, House
from exporter.web.streaming import stream


async def metrics(request: web.Request) -> web.StreamResponse:
    form = negotiate(request.headers.get("Accept", ""))
    return await stream(request, form.content_type, document(request.app[HOUSE], form))


def document(house: House, form: Format) -> Iterator[bytes]:
    """The whole document as of the moment at which its first chunk is taken."""
    yield from house.metrics.chunks(form)
    yield house.health.text(form)
    yield form.ending
