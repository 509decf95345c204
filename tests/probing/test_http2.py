"""HTTP/2 against real servers: what is sent, what is seen, and what hostile servers can do."""

from __future__ import annotations

import tracemalloc

import pytest
import trustme
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.model import Ask, Connection, Dial, Failure, Method, Phase, Probe, Protocol, Request, Secret
from exporter.probing.body import MOST_BODY_KEPT, MOST_BODY_READ
from exporter.probing.run import run
from tests.origin import origin
from tests.origin2 import HANG_UP, answer, frame, origin2

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION, ALTSVC, _, ORIGIN = range(13)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
STATUS_200 = b"\x88"  # an indexed field: RFC 7541, appendix A


def dial(port, *hosts, timeout=1.0, headers=(), method=Method.GET, ca_file=None, covered=False) -> Dial:
    asks = []
    for host in hosts or ("a.test",):
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, "a.test", host, "127.0.0.1", Protocol.H2, connection)
        asks.append(Ask(probe, Request(method, f"{host}:{port}", "/x?y", headers), needs_cover=covered and bool(asks)))
    return Dial("127.0.0.1", port, "a.test", Protocol.H2, timeout, tuple(asks), ca_file=ca_file and str(ca_file))


async def observe(judge, leaf, respond, *hosts, greeting=lambda _: b"", tune=lambda _: None, **how):
    async with origin2(leaf, respond, greeting=greeting, tune=tune) as server:
        return await run(dial(server.port, *hosts, **how), judge), server


def fine(connection, stream, _host):
    answer(connection, stream)


async def test_a_fresh_probe_negotiates_h2_and_shows_what_http_1_shows(judge, leaf, ca_file):
    def respond(connection, stream, _):
        answer(connection, stream, 200, b"hello", server="x", set_cookie="a=1")

    (seen,), server = await observe(judge, leaf, respond, ca_file=ca_file)

    assert seen.failure is None
    assert (seen.response.status, seen.response.version, seen.response.body) == (200, "2", b"hello")
    assert seen.response.headers == (("server", "x"), ("set-cookie", "a=1"))
    assert (seen.tls.alpn, seen.tls.faults) == ("h2", ())
    assert set(seen.seconds) == {Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER}
    assert server.hosts == [(0, "a.test")]


async def test_the_request_is_just_what_the_plan_says(judge, leaf, ca_file):
    headers = (("User-Agent", "probe"), ("Connection", "close"), ("X-Token", Secret("s3cret", "env T")))

    _, server = await observe(judge, leaf, fine, headers=headers, method=Method.HEAD, ca_file=ca_file)

    assert server.requests[0][1] == [
        (":method", "HEAD"),
        (":scheme", "https"),
        (":authority", f"a.test:{server.port}"),
        (":path", "/x?y"),
        ("user-agent", "probe"),
        ("x-token", "s3cret"),
    ]


async def test_secrets_are_withheld_from_a_server_that_is_not_trusted(judge, leaf):
    _, server = await observe(judge, leaf, fine, headers=(("X-Token", Secret("s3cret", "env T")),))

    assert "x-token" not in dict(server.requests[0][1])


async def test_several_names_are_asked_on_one_connection_and_a_421_does_not_end_it(judge, leaf):
    def respond(connection, stream, host):
        answer(connection, stream, 421 if host == "b.test" else 200)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "a.test")

    assert [o.response.status for o in seen] == [200, 421, 200]
    assert [o.asked_before for o in seen] == [0, 1, 2]
    assert [o.connection_survived for o in seen] == [True, True, None]
    assert server.hosts == [(0, "a.test"), (0, "b.test"), (0, "a.test")]


async def test_a_name_that_the_certificate_does_not_cover_is_not_asked(judge, leaf):
    seen, server = await observe(judge, leaf, fine, "a.test", "stranger.test", "b.test", covered=True)

    assert [o.failure and o.failure.kind for o in seen] == [None, "not-covered", None]
    assert server.hosts == [(0, "a.test"), (0, "b.test")]


@pytest.mark.parametrize("protocols", [["http/1.1"], ["imap"]])
async def test_a_server_that_does_not_speak_it_is_told_by_alpn_and_keeps_its_certificate(judge, leaf, protocols):
    async with origin(
        {None: leaf}, lambda _: b"", tune=lambda context: context.set_alpn_protocols(protocols)
    ) as server:
        (seen,) = await run(dial(server.port), judge)

    assert (seen.failure.phase, seen.failure.kind) == (Phase.TLS, "alpn")
    assert seen.tls.chain


async def test_interim_answers_and_trailers_are_passed_over(judge, leaf):
    def respond(connection, stream, _):
        connection.send_headers(stream, [(":status", "103"), ("link", "</a>")])
        connection.send_headers(stream, [(":status", "200")])
        connection.send_data(stream, b"hi")
        connection.send_headers(stream, [("x-checksum", "1")], end_stream=True)

    (seen,), _ = await observe(judge, leaf, respond)

    assert (seen.failure, seen.response.status, seen.response.headers, seen.response.body) == (None, 200, (), b"hi")


async def test_settings_and_pings_are_acknowledged(judge, leaf):
    def greeting(connection):
        connection.ping(b"12345678")
        return b""

    seen, server = await observe(judge, leaf, fine, "a.test", "b.test", "a.test", greeting=greeting)

    assert [o.failure for o in seen] == [None] * 3
    assert server.acknowledged == 2


async def test_a_long_body_is_read_to_the_bound_and_the_connection_goes_on(judge, leaf):
    def respond(connection, stream, host):
        if host == "a.test":
            return answer(connection, stream)
        connection.send_headers(stream, [(":status", "200")])
        flow = min(connection.local_flow_control_window(stream), MOST_BODY_READ)
        for _ in range(0, flow, 16384):
            room = min(16384, connection.local_flow_control_window(stream))
            connection.send_data(stream, b"x" * room)
        return None

    seen, _ = await observe(judge, leaf, respond, "a.test", "b.test", "a.test")

    assert [o.response.status for o in seen] == [200, 200, 200]
    kept, read = len(seen[1].response.body), seen[1].response.body_bytes
    assert MOST_BODY_KEPT >= kept > 0
    assert read <= MOST_BODY_READ


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (ErrorCodes.PROTOCOL_ERROR, "PROTOCOL_ERROR"),
        (ErrorCodes.HTTP_1_1_REQUIRED, "HTTP_1_1_REQUIRED"),
        (ErrorCodes.REFUSED_STREAM, "REFUSED_STREAM"),
        (0xBEEF, "48879"),
    ],
)
async def test_a_reset_stream_has_its_code_and_leaves_the_connection(judge, leaf, code, name):
    def respond(connection, stream, host):
        if host == "b.test":
            return frame(RST, stream=stream, payload=int(code).to_bytes(4, "big"))
        return answer(connection, stream)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "a.test")

    assert seen[1].failure == Failure(Phase.PROCESSING, "stream-reset", name)
    assert seen[2].response.status == 200
    assert {number for number, _ in server.hosts} == {0}


async def test_goaway_in_place_of_an_answer_has_its_code(judge, leaf):
    def respond(_connection, _stream, _host):
        return frame(GOAWAY, payload=bytes(4) + int(ErrorCodes.ENHANCE_YOUR_CALM).to_bytes(4, "big"))

    (seen,), _ = await observe(judge, leaf, respond)

    assert seen.failure == Failure(Phase.PROCESSING, "goaway", "ENHANCE_YOUR_CALM")


async def test_a_connection_that_the_server_ended_in_between_is_opened_again_behind_the_opener(judge, leaf):
    def respond(connection, stream, host):
        answer(connection, stream)
        if host == "a.test" and stream == 1 and not ended:
            ended.append(host)
            connection.close_connection(last_stream_id=stream)

    ended = []
    seen, server = await observe(judge, leaf, respond, "a.test", "b.test")

    assert [o.response and o.response.status for o in seen] == [200, 200]
    assert server.hosts[-2:] == [(1, "a.test"), (1, "b.test")]


@pytest.mark.parametrize(
    ("sent", "phase", "kind"),
    [
        (HANG_UP, Phase.PROCESSING, "closed"),
        (
            frame(HEADERS, END_HEADERS, 1, STATUS_200) + frame(DATA, 0, 1, b"part") + HANG_UP,
            Phase.TRANSFER,
            "truncated",
        ),
    ],
)
async def test_an_end_without_an_answer_or_within_one(judge, leaf, sent, phase, kind):
    (seen,), _ = await observe(judge, leaf, lambda *_: sent)

    assert (seen.failure.phase, seen.failure.kind) == (phase, kind)
    assert (seen.response is not None) == (phase is Phase.TRANSFER)


def origins(*entries: bytes) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


@pytest.mark.parametrize(
    ("sent", "seen_origins"),
    [
        (b"", None),
        (frame(ORIGIN, payload=b""), ()),
        (frame(ORIGIN, payload=origins(b"https://a.test", b"https://b.test:8443")), ("https://a.test", "https://b.test:8443")),
        (frame(ORIGIN, payload=origins(b"https://a.test") + b"\x00\x50cut off"), ("https://a.test",)),
        (frame(ORIGIN, stream=1, payload=origins(b"https://a.test")), None),
        (frame(ORIGIN, payload=origins(b"https://a.test\x1b[31m")), ("https://a.test?[31m",)),
        (frame(ORIGIN, payload=origins(*[b"x"] * 5000)), ("x",) * 1000),
    ],
)  # fmt: skip
async def test_origin_frames_are_read(judge, leaf, sent, seen_origins):
    def respond(connection, stream, _):
        connection.send_headers(stream, [(":status", "200")], end_stream=True)

    seen, _ = await observe(judge, leaf, respond, greeting=lambda _: sent)

    assert (seen[0].failure, seen[0].origins) == (None, seen_origins)


@pytest.mark.parametrize("maximum", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("asks", [True, False])
async def test_whether_a_client_certificate_was_asked_for_is_seen(judge, ca, leaf, maximum, asks):
    import ssl

    def tune(context):
        context.maximum_version = getattr(ssl.TLSVersion, maximum)
        if asks:
            ca.configure_trust(context)
            context.verify_mode = ssl.CERT_OPTIONAL

    (seen,), _ = await observe(judge, leaf, fine, tune=tune)

    assert seen.response.status == 200
    assert (seen.tls.version, seen.tls.client_certificate_requested) == (maximum.replace("_", ".", 1), asks)


def literal(name: bytes, value: bytes) -> bytes:
    """A field without indexing: RFC 7541, section 6.2.2; names and values shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


BOMB = b"\x40\x01x\x7f" + bytes([0x81, 0x1E]) + b"y" * 4000  # one field of 4 kB into the dynamic table ...
BOMB += b"\xbe" * 16_000  # ... and 16,000 references to it

HOSTILE = {
    "text": b"HTTP/1.1 200 OK\r\n\r\n" * 100,
    "garbage": bytes(range(256)) * 64,
    "zeros": bytes(1000),
    "settings flood": frame(SETTINGS) * 50_000,
    "ping flood": frame(PING, payload=b"12345678") * 50_000,
    "empty data flood": frame(HEADERS, END_HEADERS, 1, STATUS_200) + frame(DATA, 0, 1) * 50_000,
    "priority flood": frame(PRIORITY, stream=1, payload=b"\x00\x00\x00\x00\x10") * 50_000,
    "window flood": frame(WINDOW, payload=b"\x00\x00\x00\x01") * 50_000,
    "window overflow": frame(WINDOW, payload=b"\x7f\xff\xff\xff") * 3,
    "continuation flood": frame(HEADERS, 0, 1, STATUS_200) + frame(CONTINUATION, 0, 1, literal(b"a", b"b")) * 50_000,
    "header list of many fields": frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"a", b"b") * 2_000),
    "hpack bomb": frame(HEADERS, END_HEADERS, 1, STATUS_200 + BOMB[:16_000]),
    "hpack garbage": frame(HEADERS, END_HEADERS, 1, b"\xff" * 100),
    "push": frame(PUSH, END_HEADERS, 1, b"\x00\x00\x00\x02" + STATUS_200),
    "frame of 16 MB announced": b"\xff\xff\xff" + frame(DATA, 0, 1)[3:] + b"x" * 8_000_000,
    "oversized frame": frame(DATA, 0, 1, b"x" * 20_000),
    "no status": frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b"server", b"x")),
    "two statuses": frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + STATUS_200),
    "status of letters": frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b":status", b"abc")),
    "status of one digit": frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b":status", b"2")),
    "upper-case field": frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + literal(b"SERVER", b"x")),
    "interim flood": frame(HEADERS, END_HEADERS, 1, literal(b":status", b"103")) * 100,
    "data before headers": frame(DATA, END_STREAM, 1, b"x"),
    "stream that nobody opened": frame(HEADERS, END_HEADERS, 2, STATUS_200),
    "silence": b"",
}
KNOWN = {"protocol-error", "headers-too-big", "goaway", "stream-reset", "timeout", "closed", "truncated", "reset"}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_server_gets_a_failure_of_a_known_kind_within_the_time_and_in_little_memory(judge, leaf, name):
    def respond(connection, stream, host):
        return HOSTILE[name] if host == "b.test" else answer(connection, stream)

    async with origin2(leaf, respond) as server:
        tracemalloc.start()
        seen = await run(dial(server.port, "a.test", "b.test", "a.test", timeout=0.5), judge)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert [o.response and o.response.status for o in (seen[0], seen[2])] == [200, 200]
    assert seen[1].failure.kind in KNOWN, seen[1].failure
    assert most < 20_000_000


async def test_what_is_unknown_is_passed_over(judge, leaf):
    sent = frame(0xEE, payload=b"?") + frame(0xEE, stream=1) + frame(SETTINGS, payload=b"\xfe\xfe\x00\x00\x00\x01")

    (seen,), _ = await observe(judge, leaf, fine, greeting=lambda _: sent)

    assert seen.response.status == 200


async def test_values_in_any_encoding_are_kept_as_bytes_of_latin_1(judge, leaf):
    sent = frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + literal(b"x", b"caf\xe9\xff"))

    (seen,), _ = await observe(judge, leaf, lambda *_: sent)

    assert seen.response.headers == (("x", "caf\xe9\xff"),)


async def test_a_certificate_with_ten_thousand_names_is_no_burden(judge, ca):
    many = ca.issue_cert("a.test", *(f"n{number}.test" for number in range(3000)), key_type=trustme.KeyType.ECDSA)

    (seen, other), _ = await observe(judge, many, fine, "a.test", "n5.test", covered=True, timeout=5)

    assert (seen.response.status, other.response.status) == (200, 200)
    assert (len(seen.tls.chain[0].names), seen.tls.chain[0].names_total) == (1000, 3001)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=400))
async def test_random_bytes_are_never_a_fault_of_ours(judge, leaf, junk):
    (seen,), _ = await observe(judge, leaf, lambda *_: junk + HANG_UP, timeout=0.5)

    assert seen.failure is None or seen.failure.kind in KNOWN


async def test_a_window_that_the_server_closes_does_not_keep_us(judge, leaf):
    def greeting(connection):
        connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        return b""

    (seen,), _ = await observe(judge, leaf, fine, greeting=greeting)

    assert seen.response.status == 200
