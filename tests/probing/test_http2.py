"""HTTP/2 against real servers: what is sent, and what is seen. `test_http2_hostile.py` has what hostile servers do."""

from __future__ import annotations

import asyncio
import ssl
import time

import pytest
import trustme
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from exporter.model import Ask, Connection, Dial, Failure, Method, Phase, Probe, Protocol, Request, Secret
from exporter.probing.body import MOST_BODY_KEPT, MOST_BODY_READ
from exporter.probing.run import run
from tests.origin import origin
from tests.origin2 import (
    ALTSVC,
    DATA,
    END_HEADERS,
    END_STREAM,
    HANG_UP,
    HEADERS,
    ORIGIN,
    RST_STREAM,
    SETTINGS,
    STATUS_200,
    answer,
    frame,
    goaway,
    literal,
    origin2,
)


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


async def test_h2_and_http_1_1_are_offered_in_that_order(judge):
    """As browsers do: RFC 7301, section 3.1."""
    hellos = []

    async def listen(reader, writer):
        hellos.append(await reader.read(65536))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        (seen,) = await run(dial(server.sockets[0].getsockname()[1]), judge)

    assert b"\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1" in hellos[0]
    assert (seen.failure.phase, seen.failure.kind) == (Phase.TLS, "closed")


async def test_the_request_is_just_what_the_plan_says(judge, leaf, ca_file):
    secret = ("X-Token", Secret("s3cret", "env T"))
    headers = (("User-Agent", "probe"), ("Connection", "close"), ("Keep-Alive", "5"), ("X-Name", "caf\xe9"), secret)

    def respond(connection, stream, _):
        answer(connection, stream, body=b"")

    _, server = await observe(
        judge, leaf, respond, "a.test", "b.test", headers=headers, method=Method.HEAD, ca_file=ca_file
    )

    assert server.requests == [
        (
            0,
            [
                (":method", "HEAD"),
                (":scheme", "https"),
                (":authority", f"{host}:{server.port}"),
                (":path", "/x?y"),
                ("user-agent", "probe"),
                ("x-name", "caf\xe9"),
                ("x-token", "s3cret"),
            ],
        )
        for host in ("a.test", "b.test")
    ]
    assert server.never_indexed == ["x-token", "x-token"]


async def test_a_long_request_is_sent_in_several_frames(judge, leaf):
    headers = tuple((f"X-Long-{number}", "v" * 8000) for number in range(5))

    (seen,), server = await observe(judge, leaf, fine, headers=headers)

    assert seen.response.status == 200
    assert [len(value) for _, value in server.requests[0][1][4:]] == [8000] * 5


async def test_a_server_that_wants_a_smaller_table_of_fields_gets_none(judge, leaf):
    """It may refuse whatever does not say so first (RFC 9113, section 4.3.1), and the library behind `origin2` does."""

    def shrink(connection, stream, _):
        connection.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
        answer(connection, stream)

    seen, _ = await observe(judge, leaf, shrink, "a.test", "b.test", "a.test")

    assert [o.failure for o in seen] == [None] * 3


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


async def test_nothing_may_be_pushed_and_the_bounds_are_announced(judge, leaf):
    _, server = await observe(judge, leaf, fine)

    announced = {code: server.settings[code] for code in (SettingCodes.ENABLE_PUSH, SettingCodes.INITIAL_WINDOW_SIZE)}
    assert announced == {SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: MOST_BODY_READ}
    assert server.settings[SettingCodes.MAX_HEADER_LIST_SIZE] == 65_536


async def test_settings_and_pings_are_acknowledged(judge, leaf):
    def greeting(connection):
        connection.ping(b"12345678")
        return b""

    seen, server = await observe(judge, leaf, fine, "a.test", "b.test", "a.test", greeting=greeting)

    assert [o.failure for o in seen] == [None] * 3
    assert server.acknowledged == 2


async def test_bodies_of_900_kb_come_whole_one_after_the_other_within_the_windows(judge, leaf):
    """The server's library refuses to send more than our windows allow: they are opened again as the body is read."""
    page = bytes(range(256)) * 3600

    seen, _ = await observe(
        judge, leaf, lambda connection, stream, _: answer(connection, stream, body=page), "a.test", "b.test", "a.test"
    )

    assert [(o.failure, o.response.body_bytes, o.response.body_complete) for o in seen] == [(None, 921_600, True)] * 3
    assert seen[0].response.body == page[:MOST_BODY_KEPT]


async def test_a_body_of_just_the_bound_is_complete(judge, leaf):
    (seen,), server = await observe(
        judge, leaf, lambda connection, stream, _: answer(connection, stream, body=bytes(MOST_BODY_READ))
    )

    assert (seen.response.body_bytes, seen.response.body_complete) == (MOST_BODY_READ, True)
    assert server.resets == []


async def test_a_longer_body_is_cancelled_at_the_bound_and_the_connection_goes_on(judge, leaf):
    def respond(connection, stream, host):
        if host == "a.test":
            return answer(connection, stream)
        return answer(connection, stream, body=bytes(3 * MOST_BODY_READ))

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "a.test")

    assert [(o.failure, o.response.status, o.response.body_complete) for o in seen] == [
        (None, 200, True),
        (None, 200, False),
        (None, 200, True),
    ]
    assert (len(seen[1].response.body), seen[1].response.body_bytes) == (MOST_BODY_KEPT, MOST_BODY_READ)
    assert server.resets == [ErrorCodes.CANCEL]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [(Method.HEAD, "200", "10"), (Method.GET, "304", "10"), (Method.GET, "204", "0"), (Method.GET, "200", "0")],
)
async def test_an_answer_without_a_body_is_complete(judge, leaf, method, status, length):
    def respond(connection, stream, _):
        connection.send_headers(stream, [(":status", status), ("content-length", length)], end_stream=True)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", method=method)

    assert [(o.failure, o.response.status, o.response.body_complete) for o in seen] == [(None, int(status), True)] * 2
    assert server.connections == 1


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
            return frame(RST_STREAM, stream=stream, payload=int(code).to_bytes(4, "big"))
        return answer(connection, stream)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "a.test")

    assert seen[1].failure == Failure(Phase.PROCESSING, "stream-reset", name)
    assert seen[2].response.status == 200
    assert {number for number, _ in server.hosts} == {0}


@pytest.mark.parametrize(
    ("code", "refusals", "asked", "status"),
    [
        (ErrorCodes.REFUSED_STREAM, 1, 2, 200),
        (ErrorCodes.REFUSED_STREAM, 9, 2, None),
        (ErrorCodes.CANCEL, 1, 1, None),
    ],
)
async def test_what_the_server_left_undone_is_asked_once_more_as_clients_do(judge, leaf, code, refusals, asked, status):
    left = [refusals]

    def respond(connection, stream, host):
        if host == "b.test" and left[0]:
            left[0] -= 1
            return frame(RST_STREAM, stream=stream, payload=int(code).to_bytes(4, "big"))
        return answer(connection, stream)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test")

    assert [host for _, host in server.hosts].count("b.test") == asked
    assert (seen[1].response and seen[1].response.status) == status
    assert (seen[1].failure is None) is (status is not None)


def headers_and(rest: bytes, stream: int = 1) -> bytes:
    return frame(HEADERS, END_HEADERS, stream, STATUS_200) + rest


@pytest.mark.parametrize(
    ("sent", "phase", "detail"),
    [
        (lambda _: goaway(ErrorCodes.ENHANCE_YOUR_CALM, 0), Phase.PROCESSING, "ENHANCE_YOUR_CALM"),
        (lambda stream: goaway(ErrorCodes.PROTOCOL_ERROR, stream), Phase.PROCESSING, "PROTOCOL_ERROR"),
        (lambda _: goaway(0, 0), Phase.PROCESSING, "NO_ERROR"),
        (lambda _: goaway(0xABCD, 0), Phase.PROCESSING, "43981"),
        (lambda stream: goaway(0, stream) + HANG_UP, Phase.PROCESSING, "NO_ERROR"),
        (lambda stream: headers_and(goaway(ErrorCodes.INTERNAL_ERROR, stream)), Phase.TRANSFER, "INTERNAL_ERROR"),
        (lambda stream: headers_and(goaway(0, stream)) + HANG_UP, Phase.TRANSFER, "NO_ERROR"),
    ],
)
async def test_goaway_in_place_of_an_answer_or_within_it_has_its_code(judge, leaf, sent, phase, detail):
    (seen,), _ = await observe(judge, leaf, lambda _, stream, __: sent(stream))

    assert seen.failure == Failure(phase, "goaway", detail)
    assert (seen.response is not None) == (phase is Phase.TRANSFER), "a status that came is kept"


DONE = frame(DATA, END_STREAM, 1, b"hello")


@pytest.mark.parametrize(
    "sent",
    [
        goaway(0, 1) + headers_and(DONE),
        goaway(0, 2**31 - 1) + goaway(0, 1) + headers_and(DONE),
        headers_and(goaway(0, 1) + DONE),
        headers_and(DONE + goaway(0, 1)),
        headers_and(DONE + goaway(ErrorCodes.ENHANCE_YOUR_CALM, 0)),
    ],
)
async def test_a_goaway_that_lets_the_request_be_answered_ends_the_connection_after_the_answer(judge, leaf, sent):
    """As nginx sends it before the answer to the last request that it takes on a connection."""
    respond = given_once(lambda: sent)
    seen, server = await observe(judge, leaf, respond, "a.test", "b.test")

    assert [(o.failure, o.response.status, o.response.body) for o in seen] == [(None, 200, b"hello")] * 2
    assert [o.connection_survived for o in seen] == [False, None]
    assert server.hosts == [(0, "a.test"), (1, "a.test"), (1, "b.test")]


def given_once(sent):
    """Respond to the first request with these bytes, and to all others as one should."""
    asked = []

    def respond(connection, stream, host):
        asked.append(host)
        return sent() if len(asked) == 1 else fine(connection, stream, host)

    return respond


@pytest.mark.parametrize(
    "sent", [goaway(0, 1), goaway(ErrorCodes.ENHANCE_YOUR_CALM, 1), HANG_UP, goaway(0, 1) + HANG_UP]
)
async def test_a_connection_that_the_server_ended_in_between_is_opened_again_behind_the_opener(judge, leaf, sent):
    """The second request finds it ended: no fault of that name."""
    asked = []

    def respond(connection, stream, host):
        asked.append(host)
        return sent if len(asked) == 2 else fine(connection, stream, host)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test")

    assert [(o.failure, o.response.status) for o in seen] == [(None, 200)] * 2
    assert [o.connection_survived for o in seen] == [False, None]
    assert [o.asked_before for o in seen] == [0, 1]
    assert server.hosts == [(0, "a.test"), (0, "b.test"), (1, "a.test"), (1, "b.test")]


SHORT = frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"content-length", b"10")) + frame(DATA, 0, 1, b"part")


@pytest.mark.parametrize(
    ("sent", "phase", "kind"),
    [
        (HANG_UP, Phase.PROCESSING, "closed"),
        (frame(HEADERS, END_HEADERS, 1, STATUS_200)[:5] + HANG_UP, Phase.PROCESSING, "closed"),
        (frame(HEADERS, 0, 1, STATUS_200) + HANG_UP, Phase.PROCESSING, "closed"),
        (headers_and(HANG_UP), Phase.TRANSFER, "truncated"),
        (headers_and(frame(DATA, 0, 1, b"part") + HANG_UP), Phase.TRANSFER, "truncated"),
        (SHORT + HANG_UP, Phase.TRANSFER, "truncated"),
        (SHORT + frame(DATA, END_STREAM, 1), Phase.TRANSFER, "truncated"),
        (
            frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + literal(b"content-length", b"10")),
            Phase.TRANSFER,
            "truncated",
        ),
        (SHORT + frame(DATA, END_STREAM, 1, b"more than that"), Phase.TRANSFER, "protocol-error"),
        (headers_and(frame(RST_STREAM, stream=1, payload=bytes(4))), Phase.TRANSFER, "stream-reset"),
        (headers_and(b""), Phase.TRANSFER, "timeout"),
        (b"", Phase.PROCESSING, "timeout"),
    ],
)
async def test_each_way_to_end_without_an_answer_or_within_one_has_its_kind(judge, leaf, sent, phase, kind):
    (seen,), _ = await observe(judge, leaf, lambda *_: sent, timeout=0.3 if kind == "timeout" else 5.0)

    assert (seen.failure.phase, seen.failure.kind) == (phase, kind)
    assert (seen.response is not None) == (phase is Phase.TRANSFER), "a status that came is kept"
    assert seen.tls is not None


async def test_what_came_before_a_broken_frame_is_kept_though_it_came_with_it(judge, leaf):
    (seen,), _ = await observe(
        judge, leaf, lambda *_: headers_and(frame(DATA, 0, 1, b"part") + frame(DATA, 0, 0, b"of no stream"))
    )

    assert (seen.failure.phase, seen.failure.kind) == (Phase.TRANSFER, "protocol-error")
    assert (seen.response.status, seen.response.body) == (200, b"part")


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
        (frame(ORIGIN, payload=b"\xff"), ()),
        (frame(ORIGIN, payload=origins(b"https://a.test")) + frame(ORIGIN, payload=origins(b"https://b.test")), ("https://b.test",)),
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
    def tune(context):
        context.maximum_version = getattr(ssl.TLSVersion, maximum)
        if asks:
            ca.configure_trust(context)
            context.verify_mode = ssl.CERT_OPTIONAL

    (seen,), _ = await observe(judge, leaf, fine, tune=tune)

    assert seen.response.status == 200
    assert (seen.tls.version, seen.tls.client_certificate_requested) == (maximum.replace("_", ".", 1), asks)


async def test_an_altsvc_frame_for_the_name_asked_for_is_read(judge, leaf):
    def respond(_connection, stream, host):
        origin = f"https://{host}:{server.port}".encode()
        return frame(ALTSVC, payload=len(origin).to_bytes(2, "big") + origin + b'h3=":443"') + whole(stream)

    async with origin2(leaf, respond) as server:
        seen = await run(dial(server.port, "a.test", "b.test"), judge)

    assert [o.alt_svc for o in seen] == ['h3=":443"'] * 2
    assert [o.response.status for o in seen] == [200, 200]


def whole(stream: int) -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200)


async def test_what_is_unknown_is_passed_over(judge, leaf):
    sent = frame(0xEE, payload=b"?") + frame(0xEE, stream=1) + frame(SETTINGS, payload=b"\xfe\xfe\x00\x00\x00\x01")

    (seen,), _ = await observe(judge, leaf, fine, greeting=lambda _: sent)

    assert seen.response.status == 200


@pytest.mark.parametrize(
    ("field", "seen_field"),
    [
        (literal(b"x", b"caf\xe9\xff"), ("x", "caf\xe9\xff")),
        (literal(b"x", "\u2713".encode()), ("x", "\xe2\x9c\x93")),
        (literal(b"x", b"\x1b[31m"), ("x", "\x1b[31m")),
        (literal(b"x", b" spaces around\t"), ("x", "spaces around")),
        (literal(b"x", b""), ("x", "")),
        (literal(b"!#$%&'*+-.^_`|~09az", b"x"), ("!#$%&'*+-.^_`|~09az", "x")),
    ],
)
async def test_what_browsers_take_is_taken_and_kept_as_bytes_of_latin_1(judge, leaf, field, seen_field):
    sent = frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + field)

    (seen,), _ = await observe(judge, leaf, lambda *_: sent)

    assert (seen.failure, seen.response.headers) == (None, (seen_field,))


async def test_an_answer_may_have_500_fields(judge, leaf):
    sent = frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200 + literal(b"a", b"b") * 500)

    (seen,), _ = await observe(judge, leaf, lambda *_: sent)

    assert (seen.failure, len(seen.response.headers)) == (None, 500)


async def test_a_certificate_with_thousands_of_names_is_no_burden(judge, ca):
    many = ca.issue_cert("a.test", *(f"n{number}.test" for number in range(3000)), key_type=trustme.KeyType.ECDSA)

    begun = time.process_time()
    (seen, other), _ = await observe(judge, many, fine, "a.test", "n5.test", covered=True, timeout=5)
    spent = time.process_time() - begun

    assert (seen.response.status, other.response.status) == (200, 200)
    assert (len(seen.tls.chain[0].names), seen.tls.chain[0].names_total) == (1000, 3001)
    assert spent < 1, "seconds of CPU; 0.05 here"


async def test_a_certificate_of_more_than_100_kib_is_refused_by_openssl(judge, ca):
    """SSL_CTX_set_max_cert_list: what browsers refuse too; a certificate of 10,000 names has 180 KB."""
    many = ca.issue_cert("a.test", *(f"n{number}.test" for number in range(10_000)), key_type=trustme.KeyType.ECDSA)

    (seen,), _ = await observe(judge, many, fine, timeout=5)

    assert seen.failure == Failure(Phase.TLS, "handshake", "excessive message size")


async def test_a_window_that_the_server_closes_does_not_keep_us(judge, leaf):
    def greeting(connection):
        connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        return b""

    (seen,), _ = await observe(judge, leaf, fine, greeting=greeting)

    assert seen.response.status == 200


async def test_a_server_that_takes_no_request_at_all_is_told_so(judge, leaf):
    def greeting(connection):
        connection.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        return b""

    (_, seen), _ = await observe(judge, leaf, fine, "a.test", "b.test", greeting=greeting)

    assert (seen.failure.phase, seen.failure.kind) == (Phase.PROCESSING, "protocol-error")
    assert seen.failure.detail.startswith("nothing can be asked on this connection any more")
