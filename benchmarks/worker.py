"""`python -m benchmarks.worker TASK PORT CA_FILE`: measures itself once for each line that comes in.

A process of its own, so that CPU time is the prober's alone; one that lives on, so that contenders can alternate in
short turns on a machine whose speed drifts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

import uvloop

from benchmarks import probing, writing
from benchmarks.figures import Cost
from benchmarks.servers import Server
from exporter import garbage
from exporter.exposition import Format
from exporter.model import Protocol, Target

MATCHED_TARGETS = 400
HANDSHAKES = 400


def _sweeping(targets: tuple[Target, ...]) -> Callable[[], Cost]:
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    async def prober() -> probing.Prober:
        return probing.Prober(targets)

    started = runner.run(prober())
    return lambda: runner.run(started.sweep())


TASKS: dict[str, Callable[[Server], Callable[[], Cost]]] = {
    "http1": lambda server: _sweeping(probing.matched_targets(server, MATCHED_TARGETS, Protocol.HTTP11)),
    "http2": lambda server: _sweeping(probing.matched_targets(server, MATCHED_TARGETS, Protocol.H2)),
    "pairs": lambda server: _sweeping(probing.pair_targets(server)),
    "sweep": lambda server: _sweeping(probing.sweep_targets(server)),
    "hosts": lambda server: _sweeping(probing.group_targets(server, probing.GROUP_SIZE)),
    "rotation": lambda server: _sweeping(probing.group_targets(server, Target("default", "bench").siblings_per_round)),
    "handshake": lambda server: partial(probing.handshakes, server, HANDSHAKES),
    "text": lambda _: writing.ours(Format.TEXT),
    "openmetrics": lambda _: writing.ours(Format.OPENMETRICS),
    "generate_latest": lambda _: writing.peers(),
}


@contextlib.contextmanager
def worker(task: str, server: Server) -> Iterator[Callable[[], Cost]]:
    """Start one; each call has it measure itself once. It ends when its input does."""
    argv = (sys.executable, "-m", "benchmarks.worker", task, str(server.port), server.ca_file)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield partial(_measured, process)


def _measured(process: subprocess.Popen[str]) -> Cost:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a worker broke: {process.args!r}")
    return Cost(**json.loads(line))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("port", type=int)
    parser.add_argument("ca_file")
    arguments = parser.parse_args()
    garbage.calm()
    measure = TASKS[arguments.task](Server(arguments.port, arguments.ca_file))
    for _ in sys.stdin:
        print(json.dumps(asdict(measure())), flush=True)


if __name__ == "__main__":
    main()
