"""Rounds leave nothing that only the garbage collector would free: its walks stall every other probe."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
import uvloop

from exporter import garbage
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.model import Protocol, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.rounds import Instruments, Investigator, run
from tests.origin import answer, origin
from tests.origin2 import HANG_UP, origin2
from tests.origin2 import answer as answer_by_http2

NAMES = ("a.test", "b.test")
OURS = ("exporter", "httptools")


def target(domain, server, ca_file, **settings):
    return Target(
        domain, "g", siblings=NAMES, snis=(*NAMES, None), hosts=NAMES, port=server.port, resolve=("127.0.0.1",),
        ca_file=str(ca_file), timeout_seconds=0.5, **settings,
    )  # fmt: skip


async def garbage_of(targets):
    """Types of what two rounds of each have left in cycles, after one that fills what is kept."""
    judge, resolver = Judge(), Resolver(["127.0.0.1:1"])
    known = {one.domain: one for one in targets}
    shared = Instruments(known, Latest(), resolver, judge, Gate(64, 8, Health()), Held(judge))
    investigator = Investigator()

    async def rounds(turn):
        for one in targets:
            shared.latest.put(await run(one, turn, shared, investigator))
        await asyncio.sleep(0)

    await rounds(0)
    gc.collect()
    gc.disable()
    try:
        await rounds(1)
        await rounds(2)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return {type(one) for one in gc.garbage if type(one).__module__.partition(".")[0] in OURS}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        await resolver.close()


@pytest.mark.parametrize(
    ("respond", "settings"),
    [
        (lambda _: answer(), {}),
        (lambda _: answer(421), {}),
        (lambda _: b"nonsense", {}),
        (lambda _: b"", {}),
        (lambda _: answer(headers="X: " + "y" * 100_000), {}),
        (lambda _: None, {"protocols": (Protocol.HTTP11,)}),
    ],
    ids=["well", "refused", "not-http", "closed", "too-big", "silent"],
)
def test_a_round_frees_what_it_made_by_itself(leaf, ca_file, respond, settings):
    async def left():
        async with origin({None: leaf}, respond) as server:
            return await garbage_of([target(name, server, ca_file, **settings) for name in NAMES])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the daemon; asyncio's own TLS leaves cycles
        assert runner.run(left()) == set()


@pytest.mark.parametrize(
    "respond",
    [
        lambda connection, stream, _: answer_by_http2(connection, stream),
        lambda connection, stream, _: answer_by_http2(connection, stream, status=421),
        lambda connection, stream, _: connection.reset_stream(stream),
        lambda *_: b"nonsense that is no frame",
        lambda *_: HANG_UP,
        lambda *_: None,
    ],
    ids=["well", "refused", "reset", "no-frame", "hang-up", "silent"],
)
def test_so_does_one_by_http2(leaf, ca_file, respond):
    async def left():
        async with origin2(leaf, respond) as server:
            return await garbage_of([target(name, server, ca_file, protocols=(Protocol.H2,)) for name in NAMES])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(left()) == set()


class Ring:
    """Holds itself."""

    def __init__(self):
        self.me = self


async def test_what_others_leave_in_cycles_is_found_in_pieces():
    """Also what was held until an earlier walk had passed it on."""
    gc.collect()
    gc.disable()
    try:
        held = Ring()
        gone, later = weakref.ref(Ring()), weakref.ref(held)
        gc.collect(0)
        del held
        collecting = asyncio.create_task(garbage.collect_in_pieces(0.001))
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if gone() is None and later() is None:
                break
        collecting.cancel()
    finally:
        gc.enable()

    assert (gone(), later()) == (None, None)
