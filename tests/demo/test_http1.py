"""What the laboratory's servers make of requests, sound and unsound."""

import asyncio
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.demo.http1 import RefusedError, Request, converse, parse
from exporter.demo.sites import page


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


@pytest.mark.parametrize(
    ("lines", "request_"),
    [
        (("GET / HTTP/1.1", "Host: a.test"), Request("GET", "a.test", 0, persists=True)),
        (("GET / HTTP/1.1", "HOST:A.test.:8443"), Request("GET", "a.test", 0, persists=True)),
        (("HEAD / HTTP/1.1", "Host: a.test", "Connection: Close"), Request("HEAD", "a.test", 0, persists=False)),
        (("GET / HTTP/1.1", "Host: a.test", "Connection: x, close"), Request("GET", "a.test", 0, persists=False)),
        (("GET / HTTP/1.0", "Host: a.test"), Request("GET", "a.test", 0, persists=False)),
        (("POST /x HTTP/1.1", "Host: a.test", "Content-Length: 12"), Request("POST", "a.test", 12, persists=True)),
    ],
)
def test_a_sound_head_is_understood(lines, request_):
    assert parse(head(*lines)) == request_


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET /", "Host: a.test"), 400),
        (("GET / HTTP/2.0", "Host: a.test"), 400),
        (("GET  HTTP/1.1", "Host: a.test"), 400),
        (("GET / HTTP/1.1",), 400),
        (("GET / HTTP/1.1", "Host:"), 400),
        (("GET / HTTP/1.1", "Host: a.test", "Host: b.test"), 400),
        (("GET / HTTP/1.1", "Host: a.test", "no colon"), 400),
        (("GET / HTTP/1.1", "Host : a.test"), 400),
        (("GET / HTTP/1.1", "Host: a.test", " folded: yes"), 400),
        (("POST / HTTP/1.1", "Host: a.test", "Content-Length: -1"), 400),
        (("POST / HTTP/1.1", "Host: a.test", "Content-Length: 1", "Content-Length: 1"), 400),
        (("POST / HTTP/1.1", "Host: a.test", "Content-Length: " + "9" * 5000), 400),
        (("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: chunked"), 411),
        (("POST / HTTP/1.1", "Host: a.test", "Content-Length: 1048577"), 413),
    ],
)
def test_an_unsound_head_is_refused_with_a_reason(lines, status):
    with pytest.raises(RefusedError) as refused:
        parse(head(*lines))

    assert refused.value.reply.status == status


@given(st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_no_bytes_break_the_parser(garbage):
    assert status_of(garbage + b"\r\n\r\n") in {200, 400, 411, 413}


def status_of(sent: bytes) -> int:
    try:
        parse(sent)
    except RefusedError as refused:
        return refused.reply.status
    return 200


@pytest.fixture
async def server():
    """A converse() on a plain socket; gives its (host, port)."""

    async def speak(reader, writer):
        await converse(reader, writer, lambda host: page(200, f"[{host}]"), lambda: (("server", "demo-test"),))
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", limit=1024) as listening:
        yield listening.sockets[0].getsockname()


async def answers_to(address, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    writer.write_eof()
    received = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return received


ONE = head("GET / HTTP/1.1", "Host: one.test")
TWO = head("GET / HTTP/1.1", "Host: two.test")


async def test_pipelined_requests_are_answered_in_order_and_a_body_is_no_request(server):
    with_body = head("POST / HTTP/1.1", "Host: body.test", f"Content-Length: {len(TWO)}") + TWO

    received = await answers_to(server, ONE + with_body + TWO)

    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert received.index(b"[one.test]") < received.index(b"[body.test]") < received.index(b"[two.test]")


async def test_an_answer_to_head_has_the_length_but_no_body(server):
    asked = await answers_to(server, head("GET / HTTP/1.0", "Host: a.test"))
    shown = await answers_to(server, head("HEAD / HTTP/1.0", "Host: a.test"))

    assert shown == asked.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert b"\r\nContent-Length: " in shown


async def test_nothing_is_answered_after_the_client_asked_for_the_end(server):
    received = await answers_to(server, head("GET / HTTP/1.1", "Host: a.test", "Connection: close") + ONE)

    assert received.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in received


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"\x16\x03\x01\r\n\r\n", b"400 Bad Request"), (b"x" * 2000, b"431 Request Header Fields Too Large")],
)
async def test_a_refusal_is_signed_like_any_answer_and_ends_the_connection(server, sent, status):
    received = await answers_to(server, sent + b"\r\n\r\n" + ONE)

    assert received.startswith(b"HTTP/1.1 " + status + b"\r\nServer: demo-test\r\n")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: 9") + b"x"]
)
async def test_a_client_that_goes_midway_gets_no_answer(server, sent):
    assert await answers_to(server, sent) == b""
