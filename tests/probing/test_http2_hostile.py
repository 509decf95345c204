"""What hostile servers do over HTTP/2: each gets a failure of a known kind, in time, in little memory, and alone."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterable
from itertools import chain, repeat

import pytest
from hpack.hpack import encode_integer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.model import Ask, Connection, Dial, Method, Phase, Probe, Protocol, Request
from exporter.probing.run import run
from tests.origin2 import (
    ACK,
    ALTSVC,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HANG_UP,
    HEADERS,
    ORIGIN,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STATUS_200,
    WINDOW_UPDATE,
    answer,
    frame,
    goaway,
    literal,
    origin2,
    raw_origin2,
)

IN_TIME = 20.0  # seconds; with memory traced, each of them takes less than one here
MOST_MEMORY = 4_000_000  # bytes at most, of the probe and of the server within the same process


def dial(port, *hosts, timeout=IN_TIME) -> Dial:
    asks = []
    for host in hosts:
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, "a.test", host, "127.0.0.1", Protocol.H2, connection)
        asks.append(Ask(probe, Request(Method.GET, f"{host}:{port}", "/", ())))
    return Dial("127.0.0.1", port, "a.test", Protocol.H2, timeout, tuple(asks))


def flood(*frames: bytes) -> Iterable[bytes]:
    """Without end, some 64 KiB at a time."""
    once = b"".join(frames)
    return repeat(once * (65_536 // len(once) + 1))


def headed(stream: int, fields: bytes = b"", flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, STATUS_200 + fields)


def whole(stream: int, fields: bytes) -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, fields)


def indexed_4_kb(name: bytes = b"x") -> bytes:
    """A field that goes into the dynamic table, where `\\xbe` refers to it: RFC 7541, section 6.2.1."""
    return b"\x40" + bytes([len(name)]) + name + bytes(encode_integer(4000, 7)) + b"y" * 4000


def amplified(stream: int) -> Iterable[bytes]:
    """Of 45,000 bytes, a header list of 160 MB."""
    yield frame(HEADERS, 0, stream, STATUS_200 + indexed_4_kb() + b"\xbe" * 10_000)
    yield frame(CONTINUATION, 0, stream, b"\xbe" * 15_000)
    yield frame(CONTINUATION, END_HEADERS, stream, b"\xbe" * 15_000)


PROCESSING, TRANSFER = Phase.PROCESSING, Phase.TRANSFER
PROTOCOL_ERROR, TOO_BIG = "protocol-error", "headers-too-big"
WRONG, WRONG_LATER = (PROCESSING, PROTOCOL_ERROR), (TRANSFER, PROTOCOL_ERROR)

FLOODS = {
    # What is sent in place of an answer on stream s, and how the probe is to end.
    "header section without end": (
        lambda s: chain([headed(s, flags=0)], flood(frame(CONTINUATION, 0, s, literal(b"a", b"b" * 100) * 150))),
        (PROCESSING, TOO_BIG),
    ),
    "CONTINUATION": (
        lambda s: chain([headed(s, flags=0)], flood(frame(CONTINUATION, 0, s, literal(b"a", b"b")))),
        WRONG,
    ),
    "empty CONTINUATION": (
        lambda s: chain([headed(s, flags=0)], flood(frame(CONTINUATION, 0, s))),
        WRONG,
    ),
    "CONTINUATION after the end of headers": (
        lambda s: chain([headed(s)], flood(frame(CONTINUATION, END_HEADERS, s))),
        WRONG_LATER,
    ),
    "interim answers": (
        lambda s: flood(frame(HEADERS, END_HEADERS, s, literal(b":status", b"103"))),
        WRONG,
    ),
    "long interim answers": (
        lambda s: flood(frame(HEADERS, END_HEADERS, s, literal(b":status", b"103") + literal(b"a", b"b" * 9) * 1100)),
        WRONG,
    ),
    "PING": (lambda _: flood(frame(PING, payload=b"12345678")), WRONG),
    "PING acknowledged": (lambda _: flood(frame(PING, ACK, payload=b"12345678")), WRONG),
    "SETTINGS": (lambda _: flood(frame(SETTINGS)), WRONG),
    "SETTINGS of many": (
        lambda _: flood(
            frame(SETTINGS, payload=b"".join(code.to_bytes(2, "big") + b"\0\0\0\1" for code in range(99, 2000)))
        ),
        WRONG,
    ),
    "SETTINGS acknowledged": (lambda _: flood(frame(SETTINGS, ACK)), WRONG),
    "PRIORITY of our stream": (
        lambda s: flood(frame(PRIORITY, stream=s, payload=b"\0\0\0\0\x10")),
        WRONG,
    ),
    "PRIORITY of others": (
        lambda _: flood(*(frame(PRIORITY, stream=n, payload=b"\0\0\0\0\x10") for n in range(101, 9001, 2))),
        WRONG,
    ),
    "WINDOW_UPDATE": (
        lambda _: flood(frame(WINDOW_UPDATE, payload=b"\0\0\0\1")),
        WRONG,
    ),
    "WINDOW_UPDATE of our stream": (
        lambda s: flood(frame(WINDOW_UPDATE, stream=s, payload=b"\0\0\0\1")),
        WRONG,
    ),
    "WINDOW_UPDATE within the body": (
        lambda s: chain([headed(s)], flood(frame(WINDOW_UPDATE, stream=s, payload=b"\0\0\0\1"))),
        WRONG_LATER,
    ),
    "empty DATA": (lambda s: chain([headed(s)], flood(frame(DATA, 0, s))), WRONG_LATER),
    "DATA of nothing but padding": (
        lambda s: chain([headed(s)], flood(frame(DATA, PADDED, s, bytes([255]) + bytes(255)))),
        WRONG_LATER,
    ),
    "DATA byte by byte": (lambda s: chain([headed(s)], flood(frame(DATA, 0, s, b"x"))), WRONG_LATER),
    "DATA on the stream before": (
        lambda s: flood(frame(DATA, 0, s - 2, bytes(16_384))),
        WRONG,
    ),
    "RST_STREAM of the stream before": (
        lambda s: flood(frame(RST_STREAM, stream=s - 2, payload=bytes(4))),
        WRONG,
    ),
    "rapid resets": (
        lambda s: chain(
            [headed(s)], flood(*(headed(n) + frame(RST_STREAM, 0, n, bytes(4)) for n in range(2, 99)))
        ),
        WRONG_LATER,
    ),
    "GOAWAY that promises an answer": (lambda _: flood(goaway(0, 2**31 - 1)), WRONG),
    "frames of an unknown type": (lambda s: flood(frame(0xEE, 0xFF, s, bytes(99))), WRONG),
    "long frames of an unknown type": (lambda _: flood(frame(0xEE, 0, 0, bytes(16_384))), WRONG),
    "ORIGIN of 10,000 entries each": (
        lambda _: flood(frame(ORIGIN, payload=b"\0\1x" * 5_461)),
        WRONG,
    ),
    "ALTSVC": (lambda _: flood(frame(ALTSVC, payload=b"\0\1x" + b"y" * 16_000)), WRONG),
}  # fmt: skip

BROKEN = {
    "header list of 160 MB by references": (amplified, (PROCESSING, TOO_BIG)),
    "501 fields": (lambda s: [whole(s, STATUS_200 + literal(b"a", b"b") * 501)], (PROCESSING, TOO_BIG)),
    "header section of 70 KB": (
        lambda s: [
            headed(s, literal(b"a", b"b" * 96) * 160, flags=0),
            *[frame(CONTINUATION, 0, s, literal(b"a", b"b" * 96) * 160)] * 4,
        ],
        (PROCESSING, TOO_BIG),
    ),
    "HPACK garbage": (lambda s: [whole(s, b"\xff" * 100)], WRONG),
    "HPACK integer without end": (lambda s: [whole(s, b"\x7f" + b"\xff" * 16_000)], WRONG),
    "HPACK index of nothing": (lambda s: [whole(s, STATUS_200 + b"\xfe")], WRONG),
    "HPACK index 0": (lambda s: [whole(s, STATUS_200 + b"\x80")], WRONG),
    "HPACK table that is too large": (lambda s: [whole(s, b"\x3f\xff\xff\x03" + STATUS_200)], WRONG),
    "Huffman garbage": (lambda s: [whole(s, STATUS_200 + b"\x00\x01x\x84\xff\xff\xff\xff")], WRONG),
    "field that is cut off": (lambda s: [whole(s, STATUS_200 + b"\x00\x01x\x50y")], WRONG),
    "no fields at all": (lambda s: [whole(s, b"")], WRONG),
    "no status": (lambda s: [whole(s, literal(b"server", b"x"))], WRONG),
    "two statuses": (lambda s: [whole(s, STATUS_200 + STATUS_200)], WRONG),
    "status behind a field": (lambda s: [whole(s, literal(b"server", b"x") + STATUS_200)], WRONG),
    "status of letters": (lambda s: [whole(s, literal(b":status", b"abc"))], WRONG),
    "status of one digit": (lambda s: [whole(s, literal(b":status", b"2"))], WRONG),
    "status of four digits": (lambda s: [whole(s, literal(b":status", b"2000"))], WRONG),
    "status with a sign": (lambda s: [whole(s, literal(b":status", b"+20"))], WRONG),
    "empty status": (lambda s: [whole(s, literal(b":status", b""))], WRONG),
    "pseudo-header field of a request": (lambda s: [whole(s, STATUS_200 + literal(b":path", b"/"))], WRONG),
    "upper-case field": (lambda s: [whole(s, STATUS_200 + literal(b"Server", b"x"))], WRONG),
    "field without a name": (lambda s: [whole(s, STATUS_200 + literal(b"", b"x"))], WRONG),
    "name of other letters": (lambda s: [whole(s, STATUS_200 + literal(b"caf\xe9", b"x"))], WRONG),
    "line break in a value": (lambda s: [whole(s, STATUS_200 + literal(b"a", b"b\r\nc: d"))], WRONG),
    "NUL in a value": (lambda s: [whole(s, STATUS_200 + literal(b"a", b"\0"))], WRONG),
    "field of the connection": (lambda s: [whole(s, STATUS_200 + literal(b"upgrade", b"h2"))], WRONG),
    "length of letters": (lambda s: [whole(s, STATUS_200 + literal(b"content-length", b"abc"))], WRONG),
    "length of 120 digits": (
        lambda s: [headed(s, literal(b"content-length", b"9" * 120)), frame(DATA, END_STREAM, s)],
        (TRANSFER, "truncated"),
    ),
    "interim answer that ends": (lambda s: [whole(s, literal(b":status", b"103"))], WRONG),
    "headers twice": (lambda s: [headed(s), headed(s)], WRONG_LATER),
    "another frame between headers": (lambda s: [headed(s, flags=0), frame(PING, payload=bytes(8))], WRONG),
    "headers of another stream between headers": (
        lambda s: [headed(s, flags=0), frame(CONTINUATION, END_HEADERS, s + 2)],
        WRONG,
    ),
    "padding that is too long": (lambda s: [headed(s), frame(DATA, PADDED, s, b"\xffx")], WRONG_LATER),
    "a push": (lambda s: [frame(PUSH_PROMISE, END_HEADERS, s, b"\0\0\0\2" + STATUS_200)], WRONG),
    "frame that is too long": (lambda s: [headed(s), frame(DATA, 0, s, bytes(16_385))], WRONG_LATER),
    "frame of 16 MB": (lambda s: chain([b"\xff\xff\xff" + frame(DATA, 0, s)[3:]], flood(bytes(65_536))), WRONG),
    "window that overflows": (lambda _: [frame(WINDOW_UPDATE, payload=b"\x7f\xff\xff\xff")], WRONG),
    "window of our stream that overflows": (lambda s: [frame(WINDOW_UPDATE, 0, s, b"\x7f\xff\xff\xff")], WRONG),
    "window that opens by nothing": (lambda s: [frame(WINDOW_UPDATE, 0, s, bytes(4))], WRONG),
    "setting out of range": (lambda _: [frame(SETTINGS, payload=b"\0\2\0\0\0\2")], WRONG),
    "settings of odd length": (lambda _: [frame(SETTINGS, payload=b"\0\2\0")], WRONG),
    "ping of odd length": (lambda _: [frame(PING, payload=b"x")], WRONG),
    "goaway that is cut off": (lambda _: [frame(GOAWAY, payload=b"\0\0\0\0")], WRONG),
    "goaway on a stream": (lambda s: [frame(GOAWAY, 0, s, bytes(8))], WRONG),
    "ALTSVC that is cut off": (lambda _: [frame(ALTSVC, payload=b"\0")], WRONG),
    "data before headers": (lambda s: [frame(DATA, END_STREAM, s, b"x")], WRONG),
    "data on no stream": (lambda _: [frame(DATA, 0, 0, b"x")], WRONG),
    "answer to what nobody asked": (lambda s: [headed(s + 2)], WRONG),
    "stream that only a push opens": (lambda _: [headed(2)], WRONG),
    "text": (lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], WRONG),
    "garbage": (lambda _: [bytes(range(256)) * 64], WRONG),
}  # fmt: skip


async def asked_of(leaf, judge, sent):
    """Three requests on one connection, of which the second gets what `sent` gives for its stream."""

    def respond(connection, stream, host):
        return sent(stream) if host == "b.test" else answer(connection, stream)

    async with origin2(leaf, respond) as server:
        return await run(dial(server.port, "a.test", "b.test", "a.test"), judge)


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_left_at_a_bound_in_time_and_in_little_memory(judge, leaf, name):
    sent, (phase, kind) = FLOODS[name]

    tracemalloc.start()
    seen = await asked_of(leaf, judge, sent)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (seen[1].failure.phase, seen[1].failure.kind) == (phase, kind), seen[1].failure
    assert [o.response.status for o in (seen[0], seen[2])] == [200, 200], "the others are answered"
    assert most < MOST_MEMORY


async def test_a_body_without_end_from_a_server_without_regard_for_windows_costs_no_more_than_the_bound(judge, leaf):
    def endless(stream):
        return chain([headed(stream)], flood(frame(DATA, 0, stream, bytes(16_384))))

    seen = await asked_of(leaf, judge, endless)

    assert (seen[1].failure, seen[1].response.body_bytes, seen[1].response.body_complete) == (None, 1_048_576, False)
    assert (seen[2].failure.kind, seen[2].failure.detail[:7]) == (PROTOCOL_ERROR, "a flood"), "nobody would be answered"


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_the_rules_is_told_by_phase_and_kind(judge, leaf, name):
    sent, (phase, kind) = BROKEN[name]

    seen = await asked_of(leaf, judge, sent)

    assert (seen[1].failure.phase, seen[1].failure.kind) == (phase, kind), seen[1].failure
    assert (seen[1].response is not None) == (phase is TRANSFER), "a status that came is kept"
    assert [o.response.status for o in (seen[0], seen[2])] == [200, 200], "the others are answered"


@pytest.mark.parametrize(
    "sent",
    [b"HTTP/1.1 200 OK\r\n\r\n", frame(PING, payload=bytes(8)), frame(HEADERS, END_HEADERS, 1, STATUS_200), bytes(99)],
    ids=["text", "ping", "headers", "zeros"],
)
async def test_a_server_that_does_not_begin_with_its_settings_speaks_no_http_2(judge, leaf, sent):
    async with raw_origin2(leaf, lambda: sent) as port:
        (seen,) = await run(dial(port, "a.test"), judge)

    assert (seen.failure.phase, seen.failure.kind) == WRONG
    assert seen.failure.detail.startswith("the server began with")


async def test_silence_ends_with_the_time(judge, leaf):
    async with raw_origin2(leaf, lambda: frame(SETTINGS)) as port:
        (seen,) = await run(dial(port, "a.test", timeout=0.2), judge)

    assert (seen.failure.phase, seen.failure.kind) == (PROCESSING, "timeout")


async def test_a_server_that_broke_the_rules_is_told_so(judge, leaf):
    """The code in its own log is where its operator will look."""
    told = []

    def respond(_connection, _stream, _host):
        return frame(PING, payload=b"odd")

    async with origin2(leaf, respond) as server:
        await run(dial(server.port, "a.test"), judge)
        for _ in range(100):
            if server.goaways:
                break
            await asyncio.sleep(0.01)
        told += server.goaways

    assert told == [1]


async def test_a_flood_lets_other_probes_have_their_turn(judge, leaf):
    """No more than some milliseconds at a time go to whatever one server sends."""
    longest, stop = 0.0, asyncio.Event()

    async def watch():
        nonlocal longest
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            before = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - before)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        await asked_of(leaf, judge, FLOODS["DATA byte by byte"][0])
        stop.set()

    assert longest < 0.5, "seconds; 0.02 here"


KNOWN = {PROTOCOL_ERROR, TOO_BIG, "goaway", "stream-reset", "timeout", "closed", "truncated", "reset"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=400))
async def test_random_bytes_are_never_a_fault_of_ours(judge, leaf, junk):
    async with origin2(leaf, lambda *_: junk + HANG_UP) as server:
        (seen,) = await run(dial(server.port, "a.test", timeout=0.5), judge)

    assert seen.failure is None or seen.failure.kind in KNOWN
