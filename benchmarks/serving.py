"""`python -m benchmarks.serving PORT`: our web application with 100,000 samples, and how long its loop stood still."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

import uvloop
from aiohttp import web

from benchmarks.content import house_with
from benchmarks.processes import HOST
from benchmarks.writing import SAMPLES
from exporter.web import application

STALL_PATH = "/longest-stall"
_TICK_SECONDS = 0.001


class Ticker:
    """Wants to run every millisecond, and remembers by how much it was ever late."""

    def __init__(self) -> None:
        self._latest_seconds = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            self._latest_seconds = max(self._latest_seconds, loop.time() - due)

    async def taken(self, _request: web.Request) -> web.Response:
        """The answer is the longest stall since the last question, in seconds."""
        longest, self._latest_seconds = self._latest_seconds, 0.0
        return web.Response(text=repr(longest))


async def serve(port: int) -> None:
    ticker = Ticker()
    app = application(house_with(SAMPLES))
    app.router.add_get(STALL_PATH, ticker.taken)
    runner = web.AppRunner(app, access_log=None, handle_signals=True)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    with contextlib.suppress(web.GracefulExit):
        await ticker.run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("port", type=int)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
