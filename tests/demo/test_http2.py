"""What the laboratory's servers make of HTTP/2, sound and unsound."""

import asyncio

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st

from exporter.demo.http2 import BODY_BYTES, Conversation, converse
from exporter.demo.sites import Reply, page
from tests.demo.browser import Browser


def answer(host: str) -> Reply:
    return Reply(404, "") if host == "empty.test" else page(200, f"[{host}]")


def conversation() -> Conversation:
    return Conversation(answer, lambda: (("server", "demo-test"),))


def talk(browser: Browser, server: Conversation) -> None:
    """The first words, and all that follows from them."""
    browser.take(server.begin())
    talk_on(browser, server)


def talk_on(browser: Browser, server: Conversation) -> None:
    """Carry bytes to and fro until neither side has more to say."""
    while sent := browser.to_send():
        browser.take(server.take(sent))


def test_requests_of_one_connection_are_answered_each_on_its_stream():
    browser = Browser()
    streams = [browser.ask(host) for host in ("one.test", "two.test", "empty.test")]
    talk(browser, conversation())

    seen = [browser.answers[stream] for stream in streams]
    assert [(each.status, each.is_whole) for each in seen] == [(200, True), (200, True), (404, True)]
    assert [b"[one.test]" in seen[0].body, b"[two.test]" in seen[1].body, seen[2].body] == [True, True, b""]


def test_an_answer_is_signed_and_says_its_length_and_its_kind():
    browser = Browser()
    with_body, without = browser.ask("one.test"), browser.ask("empty.test")
    talk(browser, conversation())

    assert browser.answers[with_body].headers == {
        ":status": "200",
        "server": "demo-test",
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(browser.answers[with_body].body)),
    }
    assert browser.answers[without].headers == {":status": "404", "server": "demo-test", "content-length": "0"}


def test_an_answer_to_head_has_the_length_but_no_body():
    browser = Browser()
    asked, shown = browser.ask("a.test"), browser.ask("a.test", "HEAD")
    talk(browser, conversation())

    assert browser.answers[shown].headers == browser.answers[asked].headers
    assert (browser.answers[shown].body, browser.answers[shown].is_whole) == (b"", True)


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ([(":authority", "A.test.:8443")], "a.test"),
        ([("host", "B.test")], "b.test"),
        ([(":authority", "c.test"), ("host", "c.test")], "c.test"),
    ],
)
def test_the_host_is_that_of_either_field(fields, host):
    browser = Browser()
    pseudo = [pair for pair in fields if pair[0].startswith(":")]
    plain = [pair for pair in fields if not pair[0].startswith(":")]
    head = [(":method", "GET"), (":scheme", "https"), (":path", "/"), *pseudo, *plain]
    browser.h2.send_headers(1, head, end_stream=True)
    talk(browser, conversation())

    assert f"[{host}]".encode() in browser.answers[1].body


def test_a_request_with_a_body_is_answered_when_it_has_ended_however_long_it_takes_to_come():
    browser, server = Browser(), conversation()
    stream = browser.ask("a.test", "POST", ends=False)
    talk(browser, server)
    early = dict(browser.answers)
    for _ in range(BODY_BYTES // 16_384):
        browser.h2.send_data(stream, bytes(16_384))
        talk_on(browser, server)
    browser.h2.end_stream(stream)
    talk_on(browser, server)

    assert early == {}
    assert browser.answers[stream].status == 200


def test_a_body_that_is_too_long_is_refused_before_it_ends_and_what_still_comes_of_it_does_no_harm():
    browser, server = Browser(), conversation()
    stream = browser.ask("a.test", "POST", ends=False)
    talk(browser, server)
    while browser.answers[stream].reset is None:
        browser.h2.send_data(stream, bytes(16_384))
        talk_on(browser, server)
    server.take(DataFrame(stream, b"late").serialize())
    after = browser.ask("a.test")
    talk_on(browser, server)

    refused = browser.answers[stream]
    assert (refused.status, refused.is_whole, refused.reset) == (413, True, ErrorCodes.NO_ERROR)
    assert browser.answers[after].status == 200


def test_a_body_waits_for_the_clients_window():
    browser, server = Browser(window_bytes=0), conversation()
    stalled, free = browser.ask("a.test"), browser.ask("empty.test")
    talk(browser, server)
    before = (browser.answers[stalled].status, browser.answers[stalled].body, browser.answers[free].is_whole)
    bodies = []
    for increment in (5, 10_000):
        browser.h2.increment_flow_control_window(increment, stalled)
        talk_on(browser, server)
        bodies.append(browser.answers[stalled].body)

    assert before == (200, b"", True)
    assert bodies[0] == b"<!doc"
    assert len(bodies[1]) == int(browser.answers[stalled].headers["content-length"])
    assert browser.answers[stalled].is_whole


def test_a_window_that_settings_widen_lets_the_body_through():
    browser, server = Browser(window_bytes=0), conversation()
    stream = browser.ask("a.test")
    talk(browser, server)
    stalled = not browser.answers[stream].is_whole
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10_000})
    talk_on(browser, server)

    assert (stalled, browser.answers[stream].is_whole) == (True, True)


def test_a_page_longer_than_a_frame_comes_whole():
    browser, server = Browser(), Conversation(lambda _: page(200, "x" * 50_000), tuple)
    stream = browser.ask("a.test")
    talk(browser, server)

    assert b"x" * 50_000 in browser.answers[stream].body
    assert browser.answers[stream].is_whole


def test_a_request_that_is_taken_back_in_the_same_breath_gets_no_answer_and_the_next_one_does():
    browser, server = Browser(), conversation()
    taken_back = browser.ask("a.test")
    browser.h2.reset_stream(taken_back, ErrorCodes.CANCEL)
    kept = browser.ask("b.test")
    talk(browser, server)

    assert (taken_back in browser.answers, browser.answers[kept].status) == (False, 200)


def test_an_answer_that_the_client_cancels_midway_is_forgotten():
    browser, server = Browser(window_bytes=0), conversation()
    stream = browser.ask("a.test")
    talk(browser, server)
    browser.h2.reset_stream(stream, ErrorCodes.CANCEL)
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10_000})
    after = browser.ask("b.test")
    talk_on(browser, server)

    assert browser.answers[after].is_whole
    assert browser.answers[stream].body == b""


def test_a_client_that_says_goodbye_is_let_go():
    browser, server = Browser(), conversation()
    browser.ask("a.test")
    talk(browser, server)
    before = server.is_over
    browser.h2.close_connection()
    talk_on(browser, server)

    assert (before, server.is_over) == (False, True)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()


def head(stream: int, *fields: tuple[str, str], flags: tuple[str, ...] = ("END_HEADERS", "END_STREAM")) -> Frame:
    return HeadersFrame(stream, Encoder().encode(fields), flags=flags)


WITHOUT_HOST = ((":method", "GET"), (":scheme", "https"), (":path", "/"))
GET = (*WITHOUT_HOST, (":authority", "a.test"))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (PREFACE + head(2, *GET).serialize(), ErrorCodes.PROTOCOL_ERROR),
        (PREFACE + head(1, *WITHOUT_HOST).serialize(), ErrorCodes.PROTOCOL_ERROR),
        (PREFACE + head(1, *GET, ("host", "b.test")).serialize(), ErrorCodes.PROTOCOL_ERROR),
        (PREFACE + DataFrame(1, b"x").serialize(), ErrorCodes.PROTOCOL_ERROR),
        (PREFACE + DataFrame(1, bytes(16_385)).serialize(), ErrorCodes.FRAME_SIZE_ERROR),
        (PREFACE + HeadersFrame(1, b"\xff" * 20, flags=["END_HEADERS"]).serialize(), ErrorCodes.PROTOCOL_ERROR),
        (
            PREFACE + b"".join(head(2 * n + 1, *GET, flags=("END_HEADERS",)).serialize() for n in range(101)),
            ErrorCodes.PROTOCOL_ERROR,
        ),
        (
            PREFACE
            + head(1, *GET, flags=()).serialize()
            + b"".join(ContinuationFrame(1, b"").serialize() for _ in range(100)),
            ErrorCodes.PROTOCOL_ERROR,
        ),
    ],
    ids=[
        "a stream of the server's",
        "no host",
        "two hosts",
        "data without a request",
        "a frame of more than 16 KiB",
        "no HPACK",
        "101 streams",
        "a flood of CONTINUATION",
    ],
)
def test_what_breaks_the_protocol_ends_the_connection_with_its_reason(sent, code):
    server, browser = conversation(), Browser()
    browser.take(server.begin() + server.take(sent))

    assert (browser.goaway, server.is_over) == (code, True)


def test_a_header_list_without_end_is_refused():
    """It is small on the wire: each field is one byte that points into HPACK's table."""
    encoder = Encoder()
    block = encoder.encode([*GET, ("x", "y" * 4000)])
    block += encoder.encode([("x", "y" * 4000)]) * 10_000
    server, browser = conversation(), Browser()
    browser.take(server.begin() + server.take(PREFACE + HeadersFrame(1, block, flags=["END_HEADERS"]).serialize()))

    assert (browser.goaway, len(block) < 16_384) == (ErrorCodes.ENHANCE_YOUR_CALM, True)


STREAMS = st.sampled_from([1, 3, 5])
FRAMES = st.one_of(
    st.builds(lambda stream, ends: head(stream, *GET, flags=ends), STREAMS, st.sampled_from([("END_HEADERS",), ()])),
    st.builds(lambda stream: head(stream, *GET), STREAMS),
    st.builds(lambda stream: head(stream, *GET, (":authority", "")), STREAMS),
    st.builds(lambda stream: head(stream, *WITHOUT_HOST, (":authority", "")), STREAMS),
    st.builds(lambda stream: head(stream, ("trailer", "yes")), STREAMS),
    st.builds(lambda stream, size, ends: DataFrame(stream, bytes(size), flags=ends), STREAMS, st.integers(0, 16_384),
              st.sampled_from([(), ("END_STREAM",)])),
    st.builds(ContinuationFrame, STREAMS, st.binary(max_size=20)),
    st.builds(lambda stream: RstStreamFrame(stream, 8), STREAMS),
    st.builds(WindowUpdateFrame, STREAMS | st.just(0), st.integers(1, 2**31 - 1)),
    st.builds(lambda size: SettingsFrame(0, {4: size}), st.integers(0, 2**31 - 1)),
    st.builds(PriorityFrame, STREAMS, st.just(0), st.integers(0, 255)),
    st.just(PingFrame(0, b"12345678")),
    st.just(GoAwayFrame(0)),
).map(lambda frame: frame.serialize())  # fmt: skip


@given(st.lists(FRAMES | st.binary(max_size=40), max_size=12), st.integers(1, 20_000))
def test_no_bytes_break_a_conversation_however_they_are_cut(pieces, size):
    server = conversation()
    sent = PREFACE + b"".join(pieces)
    server.begin()
    for start in range(0, len(sent), size):
        if not server.is_over:
            server.take(sent[start : start + size])

    assert server.is_over or server.end()


@pytest.fixture
async def server():
    """A converse() on a plain socket; gives its (host, port)."""

    async def speak(reader, writer):
        await converse(reader, writer, answer, lambda: (("server", "demo-test"),))
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1") as listening:
        yield listening.sockets[0].getsockname()


@pytest.mark.parametrize("count", [1, 100])
async def test_all_that_was_asked_is_answered_before_the_client_goes(server, count):
    browser = Browser()
    streams = [browser.ask(f"{number}.test") for number in range(count)]
    reader, writer = await asyncio.open_connection(*server)
    writer.write(browser.to_send())
    while not all(browser.answers[stream].is_whole for stream in streams):
        browser.take(await asyncio.wait_for(reader.read(65_536), 10))
    writer.write_eof()
    browser.take(await asyncio.wait_for(reader.read(), 10))
    writer.close()
    await writer.wait_closed()

    assert [f"[{number}.test]".encode() in browser.answers[stream].body for number, stream in enumerate(streams)] == [
        True
    ] * count
    assert browser.goaway == ErrorCodes.NO_ERROR


async def test_what_is_no_http2_is_hung_up_on(server):
    reader, writer = await asyncio.open_connection(*server)
    writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    browser = Browser()
    browser.take(await asyncio.wait_for(reader.read(), 10))
    writer.close()
    await writer.wait_closed()

    assert (browser.answers, browser.goaway) == ({}, None)
