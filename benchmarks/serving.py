"""`python -m benchmarks.serving PORT`: our web application with 100,000 samples, and how long its loop stood still."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time

import uvloop
from aiohttp import web

from benchmarks.content import house_with
from benchmarks.processes import HOST
from benchmarks.writing import SAMPLES
from exporter import garbage
from exporter.web import application

STALL_PATH = "/longest-stalls"
_TICK_SECONDS = 0.001


class Ticker:
    """Wants to run every millisecond, and remembers by how much it was ever late, and what ran in between.

    The two differ where the machine gave the processor to somebody else.
    """

    def __init__(self) -> None:
        self._late_seconds = self._busy_seconds = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, spent = loop.time() + _TICK_SECONDS, time.thread_time()
            await asyncio.sleep(_TICK_SECONDS)
            self._late_seconds = max(self._late_seconds, loop.time() - due)
            self._busy_seconds = max(self._busy_seconds, time.thread_time() - spent)

    async def taken(self, _request: web.Request) -> web.Response:
        """The longest since the last question, in seconds: [by the clock, CPU time of the loop's thread]."""
        longest, self._late_seconds, self._busy_seconds = [self._late_seconds, self._busy_seconds], 0.0, 0.0
        return web.json_response(longest)


async def serve(port: int) -> None:
    garbage.calm()
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
