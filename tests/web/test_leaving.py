"""Somebody who leaves before the answer is whole is no fault of the exporter's."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web

from exporter.web.errors import told_errors
from exporter.web.streaming import stream

WITHIN_SECONDS = 10
MOST_TURNS = 100_000  # of the event loop


@contextlib.asynccontextmanager
async def serving(handler):
    app = web.Application(middlewares=[told_errors])
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0]
    finally:
        await runner.cleanup()


async def ask(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader, writer


async def until_gone(request):
    for _ in range(MOST_TURNS):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0)
    pytest.fail("still there")


async def test_who_leaves_before_the_first_byte_is_not_logged(caplog):
    asked, done = asyncio.Event(), asyncio.Event()

    async def answer(request):
        asked.set()
        await until_gone(request)
        try:
            return await stream(request, "text/plain", [b"too late"])
        finally:
            done.set()

    async with serving(answer) as address:
        _, writer = await ask(address)
        await asyncio.wait_for(asked.wait(), WITHIN_SECONDS)
        writer.transport.abort()
        await asyncio.wait_for(done.wait(), WITHIN_SECONDS)

    assert caplog.records == []


async def test_who_leaves_in_the_middle_is_not_logged(caplog):
    done = asyncio.Event()

    async def answer(request):
        try:
            return await stream(request, "text/plain", (bytes(65_536) for _ in range(10_000)))
        finally:
            done.set()

    async with serving(answer) as address:
        reader, writer = await ask(address)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        await asyncio.wait_for(done.wait(), WITHIN_SECONDS)

    assert caplog.records == []


async def test_a_connection_of_our_own_that_breaks_is_a_fault_and_is_logged(caplog):
    async def answer(_request):
        raise ConnectionRefusedError

    async with serving(answer) as address, aiohttp.request("GET", "http://{}:{}".format(*address)) as response:
        await response.read()

    assert response.status == 500
    assert [record.name for record in caplog.records] == ["aiohttp.server"]
