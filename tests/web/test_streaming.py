from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web

from exporter.web.streaming import accepts_gzip, stream


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_event_loop_turns_between_any_two_chunks(encoding):
    turns = 0
    turns_at_chunk = []
    sent = [random.Random(number).randbytes(50_000) for number in range(10)]

    def chunks():
        for chunk in sent:
            turns_at_chunk.append(turns)
            yield chunk

    async def watch():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def answer(request):
        return await stream(request, "application/octet-stream", chunks())

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watching = asyncio.create_task(watch())
    async with aiohttp.ClientSession() as session:
        url = "http://{}:{}".format(*runner.addresses[0])
        async with session.get(url, headers={"Accept-Encoding": encoding}) as response:
            received = await response.read()
    watching.cancel()
    await runner.cleanup()

    assert received == b"".join(sent)
    assert all(later > earlier for earlier, later in pairwise(turns_at_chunk))


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0", False),
        ("br, zstd", False),
        ("identity", False),
    ],
)
def test_gzip_is_accepted_as_rfc_9110_says(accept_encoding, accepted):
    assert accepts_gzip(accept_encoding) is accepted
