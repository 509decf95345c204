"""`python -m benchmarks.paging CONFIG PORT FOLDER STALL_PORT`: the whole exporter, and how long its loop stalls."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from pathlib import Path

import uvloop
from aiohttp import web

from benchmarks.processes import HOST
from benchmarks.serving import STALL_PATH, Ticker
from exporter import config, garbage
from exporter.app import Exporter, Options


async def serve(options: Options, stall_port: int) -> None:
    """Until it is ended. The stalls are told at a port of their own, so that asking for them is not measured."""
    exporter = Exporter(options, config.load(options.config_file, os.environ))
    garbage.calm()
    ticker = Ticker()
    app = web.Application()
    app.router.add_get(STALL_PATH, ticker.taken)
    runner = web.AppRunner(app, access_log=None, handle_signals=True)
    async with exporter.running():
        await runner.setup()
        await web.TCPSite(runner, HOST, stall_port).start()
        with contextlib.suppress(web.GracefulExit):
            await ticker.run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paging")
    parser.add_argument("config", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("stall_port", type=int)
    arguments = parser.parse_args()
    options = Options(arguments.config, ((HOST, arguments.port),), storage=arguments.folder)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options, arguments.stall_port))


if __name__ == "__main__":
    main()
