"""HTTP/3 against real servers: what is sent, what is seen, and what hostile servers can do."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tracemalloc
from dataclasses import replace

import pytest
import trustme
from aioquic.buffer import Buffer
from aioquic.h3.connection import ErrorCode, Setting
from aioquic.quic.packet import QuicErrorCode, QuicStreamFrame, encode_quic_version_negotiation, pull_quic_header
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from exporter.model import Ask, Connection, Dial, Failure, Method, Phase, Probe, Protocol, Request, Secret
from exporter.probing.body import MOST_BODY_KEPT, MOST_BODY_READ
from exporter.probing.control_stream import ControlStream, integer
from exporter.probing.quic import Quic, connect
from exporter.probing.run import run
from tests.origin3 import (
    answer,
    control,
    encoded,
    flooding_server,
    frame,
    later,
    origin3,
    quic_of,
    relay,
    udp_server,
    write,
)

DATA, HEADERS, SETTINGS, PUSH_PROMISE, GOAWAY, ORIGIN, GREASE = 0x0, 0x1, 0x4, 0x5, 0x7, 0xC, 0x21


def dial(port, *hosts, sni="a.test", timeout=2.0, headers=(), method=Method.GET, ca_file=None) -> Dial:
    asks = []
    for host in hosts or ("a.test",):
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, sni, host, "127.0.0.1", Protocol.H3, connection)
        asks.append(Ask(probe, Request(method, f"{host}:{port}", "/x?y", headers)))
    return Dial("127.0.0.1", port, sni, Protocol.H3, timeout, tuple(asks), ca_file=ca_file and str(ca_file))


async def observe(judge, leaf, respond, *hosts, server_has=None, **how):
    async with origin3(leaf, respond, **(server_has or {})) as server:
        return await run(dial(server.port, *hosts, **how), judge), server


def fine(h3, stream, _host):
    answer(h3, stream)


def never(_h3, _stream, _host):
    pass


async def test_a_fresh_probe_shows_what_the_other_protocols_show(judge, leaf, ca_file):
    def respond(h3, stream, _):
        answer(h3, stream, 200, b"hello", server="x", set_cookie="a=1")

    (seen,), server = await observe(judge, leaf, respond, ca_file=ca_file)

    assert seen.failure is None
    assert (seen.response.status, seen.response.version, seen.response.body) == (200, "3", b"hello")
    assert seen.response.headers == (("server", "x"), ("set-cookie", "a=1"))
    assert seen.response.body_complete
    assert set(seen.seconds) == {Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER}
    assert server.hosts == [(0, "a.test")]
    assert server.snis == ["a.test"]


async def test_the_handshake_shows_its_evidence(judge, leaf, ca_file):
    """The chain, the cipher and the request for a certificate come by aioquic's private attributes: held here."""
    (seen,), _ = await observe(judge, leaf, fine, ca_file=ca_file)

    assert (seen.tls.version, seen.tls.cipher, seen.tls.alpn) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "h3")
    assert seen.tls.faults == ()
    assert seen.tls.chain[0].names == ("a.test", "b.test")
    assert (seen.tls.client_certificate_requested, seen.tls.resumed) == (False, False)

    (asked,), _ = await observe(judge, leaf, fine, server_has={"wants_client_certificate": True})
    assert asked.tls.client_certificate_requested


async def test_the_whole_chain_is_shown(judge, ca, ca_file):
    below = ca.create_child_ca(key_type=trustme.KeyType.ECDSA)
    leaf = below.issue_cert("a.test", key_type=trustme.KeyType.ECDSA)

    (seen,), _ = await observe(judge, leaf, fine, ca_file=ca_file)

    assert len(seen.tls.chain) == len(leaf.cert_chain_pems) == 2
    assert seen.tls.faults == ()


async def test_a_bad_certificate_is_judged_and_the_answer_still_comes(judge, leaf, ca_file):
    (untrusted,), _ = await observe(judge, leaf, fine)
    (misnamed,), _ = await observe(judge, leaf, fine, sni="c.test", ca_file=ca_file)

    assert (untrusted.tls.faults, untrusted.response.status) == (("untrusted",), 200)
    assert (misnamed.tls.faults, misnamed.response.status) == (("wrong-name",), 200)


@pytest.mark.parametrize("sni", ["a.test", "other.test", "odd_name.test", None])
async def test_sni_is_sent_as_said_or_not_at_all(judge, leaf, sni):
    (seen,), server = await observe(judge, leaf, fine, sni=sni)

    assert server.snis == [sni]
    assert seen.response.status == 200


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
    def respond(h3, stream, host):
        answer(h3, stream, 421 if host == "b.test" else 200)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "c.test", "a.test")

    assert [o.response.status for o in seen] == [200, 421, 200, 200]
    assert [o.asked_before for o in seen] == [0, 1, 2, 3]
    assert [o.connection_survived for o in seen] == [True, True, True, None]
    assert server.hosts == [(0, "a.test"), (0, "b.test"), (0, "c.test"), (0, "a.test")]
    assert all(set(o.seconds) == {Phase.PROCESSING, Phase.TRANSFER} for o in seen[1:])


async def test_the_server_is_told_goodbye(judge, leaf):
    async with origin3(leaf, fine) as server:
        await run(dial(server.port), judge)
        await asyncio.wait_for(server.ended.wait(), 5)

    assert server.ends == [ErrorCode.H3_NO_ERROR]


async def test_a_server_certificate_is_asked_for_at_ipv6_addresses_too(judge, leaf, ca_file):
    async with origin3(leaf, fine, address="::1") as server:
        asked = dial(server.port, ca_file=ca_file)
        (seen,) = await run(replace(asked, address="::1"), judge)

    assert (seen.failure, seen.tls.faults) == (None, ())


async def test_a_client_certificate_is_shown_where_one_is_configured(judge, ca, leaf, tmp_path):
    client = ca.issue_cert("client@example.test", key_type=trustme.KeyType.ECDSA)
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    path = str(tmp_path / "client.pem")

    async with origin3(leaf, fine, wants_client_certificate=True) as server:
        await run(replace(dial(server.port), client_certificate=path, client_key=path), judge)
        shown = quic_of(server.connections[0]).tls._peer_certificate

    assert shown.public_bytes(encoding=Encoding.PEM) == client.cert_chain_pems[0].bytes()


# What servers may do.


async def test_interim_answers_and_trailers_leave_no_fields_in_the_final_one(judge, leaf):
    def respond(h3, stream, _):
        h3.send_headers(stream, encoded([(":status", "103"), ("link", "</x>")]))
        h3.send_headers(stream, encoded([(":status", "200"), ("server", "x")]))
        h3.send_data(stream, b"hello", end_stream=False)
        h3.send_headers(stream, encoded([("x-trailer", "1")]), end_stream=True)

    (seen,), _ = await observe(judge, leaf, respond)

    assert (seen.failure, seen.response.headers, seen.response.body) == (None, (("server", "x"),), b"hello")
    assert seen.response.body_complete


@pytest.mark.parametrize(("method", "status"), [(Method.HEAD, 200), (Method.GET, 304)])
async def test_an_answer_without_a_body_may_say_how_long_it_would_be(judge, leaf, method, status):
    """aioquic alone would end the connection: it does not know that HEAD was asked. A private hook, held here."""

    def respond(h3, stream, _):
        answer(h3, stream, status, b"", content_length="10")

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", method=method)

    assert [o.failure for o in seen] == [None, None]
    assert server.hosts == [(0, "a.test"), (0, "b.test")]


async def test_a_body_that_is_not_as_long_as_was_said_is_truncated(judge, leaf):
    (seen,), _ = await observe(judge, leaf, lambda h3, s, _: answer(h3, s, 200, b"hello", content_length="10"))

    assert (seen.failure.phase, seen.failure.kind, seen.response.status) == (Phase.TRANSFER, "truncated", 200)


async def test_frames_of_unknown_kinds_are_skipped(judge, leaf):
    def respond(h3, stream, _):
        write(h3, stream, frame(GREASE, b"x" * 5000))
        answer(h3, stream)

    (seen,), _ = await observe(judge, leaf, respond, server_has={"greeting": lambda h3: control(h3, GREASE, b"x" * 99)})

    assert seen.failure is None


async def test_origins_of_the_origin_frame_are_noted(judge, leaf):
    entries = [b"https://a.test", b"https://b\x1b[31m.test"]
    payload = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)

    (seen,), _ = await observe(judge, leaf, fine, server_has={"greeting": lambda h3: control(h3, ORIGIN, payload)})
    (silent,), _ = await observe(judge, leaf, fine)

    assert seen.origins == ("https://a.test", "https://b?[31m.test")
    assert silent.origins is None


async def test_after_a_goaway_the_next_request_goes_over_a_new_connection(judge, leaf):
    def respond(h3, stream, host):
        answer(h3, stream)
        if host == "b.test":
            control(h3, GOAWAY, (stream + 4).to_bytes(1, "big"))

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "c.test")

    assert [o.failure for o in seen] == [None] * 3
    assert server.hosts[0:2] == [(0, "a.test"), (0, "b.test")]
    assert (1, "c.test") in server.hosts


async def test_a_goaway_instead_of_an_answer(judge, leaf):
    (seen,), _ = await observe(judge, leaf, lambda h3, _stream, _host: control(h3, GOAWAY, b"\0"))

    assert seen.failure == Failure(Phase.PROCESSING, "goaway", "the server answers no request from number 0 on")


async def test_a_connection_that_the_server_ended_in_between_is_opened_again(judge, leaf):
    def respond(h3, stream, host):
        answer(h3, stream)
        if host == "b.test":
            later(h3, 0, lambda: quic_of(h3).close(ErrorCode.H3_NO_ERROR))

    seen, _ = await observe(judge, leaf, respond, "a.test", "b.test", "c.test")

    assert [o.failure for o in seen] == [None] * 3


@pytest.mark.parametrize(
    ("code", "detail"), [(ErrorCode.H3_REQUEST_REJECTED, "H3_REQUEST_REJECTED"), (0xBEEF, "0xbeef")]
)
async def test_a_stream_that_is_reset_leaves_the_connection_alone(judge, leaf, code, detail):
    def respond(h3, stream, host):
        if host == "b.test":
            quic_of(h3).reset_stream(stream, code)
        else:
            answer(h3, stream)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test", "c.test")

    assert seen[1].failure == Failure(Phase.PROCESSING, "stream-reset", detail)
    assert [o.failure for o in (seen[0], seen[2])] == [None, None]
    assert {number for number, _ in server.hosts} == {0}


@pytest.mark.parametrize(("refusals", "asked"), [(1, 2), (9, 2)])
async def test_what_the_server_left_undone_is_asked_once_more_as_clients_do(judge, leaf, refusals, asked):
    left = [refusals]

    def respond(h3, stream, host):
        if host == "b.test" and left[0]:
            left[0] -= 1
            quic_of(h3).reset_stream(stream, ErrorCode.H3_REQUEST_REJECTED)
        else:
            answer(h3, stream)

    seen, server = await observe(judge, leaf, respond, "a.test", "b.test")

    assert [host for _, host in server.hosts].count("b.test") == asked
    assert (seen[1].failure is None) is (refusals == 1)


async def test_a_reset_within_the_body_keeps_what_came(judge, leaf):
    def respond(h3, stream, _):
        h3.send_headers(stream, encoded([(":status", "200")]))
        later(h3, 0.05, lambda: quic_of(h3).reset_stream(stream, ErrorCode.H3_INTERNAL_ERROR))

    (seen,), _ = await observe(judge, leaf, respond)

    assert seen.response.status == 200
    assert seen.failure == Failure(Phase.TRANSFER, "stream-reset", "H3_INTERNAL_ERROR")


# How connections end.


@pytest.mark.parametrize(
    ("code", "frame_type", "kind", "detail"),
    [
        (ErrorCode.H3_NO_ERROR, None, "closed", "the server closed the connection without an answer"),
        (QuicErrorCode.NO_ERROR, 0, "closed", "the server closed the connection without an answer"),
        (ErrorCode.H3_EXCESSIVE_LOAD, None, "h3-error", "H3_EXCESSIVE_LOAD: we ?[31m are ? full"),
        (0xBEEF, None, "h3-error", "0xbeef: we ?[31m are ? full"),
        (QuicErrorCode.CONNECTION_REFUSED, 0, "quic-error", "CONNECTION_REFUSED: we ?[31m are ? full"),
        (QuicErrorCode.PROTOCOL_VIOLATION, 0, "quic-error", "PROTOCOL_VIOLATION: we ?[31m are ? full"),
        (QuicErrorCode.INTERNAL_ERROR, 0, "quic-error", "INTERNAL_ERROR: we ?[31m are ? full"),
        (QuicErrorCode.CRYPTO_ERROR + 116, 6, "alert", "certificate_required"),
        (QuicErrorCode.CRYPTO_ERROR + 200, 6, "alert", "200"),
    ],
)
async def test_each_end_of_a_connection_has_its_kind_and_name(judge, leaf, code, frame_type, kind, detail):
    def respond(h3, _stream, _host):
        quic_of(h3).close(error_code=code, frame_type=frame_type, reason_phrase="we \x1b[31m are \n full")

    (seen,), _ = await observe(judge, leaf, respond)

    assert seen.failure == Failure(Phase.PROCESSING, kind, detail)
    assert seen.tls is not None


async def test_a_reason_of_any_length_is_one_bounded_line(judge, leaf):
    def respond(h3, _stream, _host):
        quic_of(h3).close(error_code=ErrorCode.H3_INTERNAL_ERROR, reason_phrase="\n" * 900)

    (seen,), _ = await observe(judge, leaf, respond)

    assert seen.failure.kind == "h3-error"
    assert len(seen.failure.detail) == 200
    assert seen.failure.detail.isprintable()


async def test_a_server_that_does_not_speak_h3_says_so_by_an_alert(judge, leaf):
    (seen,), _ = await observe(judge, leaf, fine, server_has={"tune": lambda c: setattr(c, "alpn_protocols", ["hq"])})

    assert seen.failure == Failure(Phase.TLS, "alert", "no_application_protocol")
    assert seen.tls is None


async def test_a_server_that_selects_no_protocol_is_told_apart(judge, leaf):
    (seen,), _ = await observe(judge, leaf, fine, server_has={"tune": lambda c: setattr(c, "alpn_protocols", None)})

    assert (seen.failure.phase, seen.failure.kind) == (Phase.TLS, "alpn")


async def test_where_nobody_listens_icmp_says_so(judge):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    seen = await run(dial(port, "a.test", "b.test"), judge)

    assert (seen[0].failure.phase, seen[0].failure.kind) == (Phase.TLS, "refused")
    assert seen[1].failure.kind == "not-asked"


async def test_a_server_that_never_says_a_word_times_out_within_the_limit(judge):
    loop = asyncio.get_running_loop()
    async with udp_server(lambda _: ()) as port:
        started = loop.time()
        (seen,) = await run(dial(port, timeout=0.3), judge)

    assert seen.failure == Failure(Phase.TLS, "timeout")
    assert 0.25 < loop.time() - started < 1.0


async def test_a_server_that_shakes_hands_and_never_answers_times_out(judge, leaf):
    (seen,), _ = await observe(judge, leaf, never, timeout=0.3)

    assert seen.failure == Failure(Phase.PROCESSING, "timeout")


async def test_a_server_that_gives_up_on_an_idle_connection_is_a_timeout_too(judge, leaf):
    (seen,), _ = await observe(
        judge, leaf, never, timeout=5.0, server_has={"tune": lambda c: setattr(c, "idle_timeout", 0.2)}
    )

    assert seen.failure == Failure(Phase.PROCESSING, "timeout")
    assert sum(seen.seconds.values()) < 4.0


async def test_lost_datagrams_are_sent_again(judge, leaf):
    """Every third one from us is lost on the way."""
    async with origin3(leaf, fine) as server, relay(server.port, lambda number: number % 3 != 1) as port:
        (seen,) = await run(dial(port, timeout=5.0), judge)

    assert seen.failure is None
    assert seen.response.status == 200


# What hostile servers do.


async def test_of_a_long_body_64_kib_are_kept_and_1_mib_is_read(judge, leaf):
    seen, _ = await observe(
        judge, leaf, lambda h3, s, _: answer(h3, s, 200, b"x" * 3_000_000), "a.test", "b.test", timeout=10.0
    )

    assert [o.failure for o in seen] == [None, None]
    assert len(seen[0].response.body) == MOST_BODY_KEPT
    assert seen[0].response.body_bytes == MOST_BODY_READ
    assert not seen[0].response.body_complete


async def test_a_body_that_never_ends_ends_at_the_bound(judge, leaf):
    (seen,), _ = await observe(judge, leaf, endless_body, timeout=10.0)

    assert seen.failure is None
    assert seen.response.body_bytes == MOST_BODY_READ


def endless_body(h3, stream, _host):
    h3.send_headers(stream, encoded([(":status", "200")]))
    write(h3, stream, frame(DATA, b"", length=2**40))

    def more():
        write(h3, stream, b"x" * 65_536)
        later(h3, 0.001, more)

    more()


@pytest.mark.parametrize(
    "sent",
    [
        frame(HEADERS, b"\0\0" + b"\xd9" * 300_000),
        frame(HEADERS, b"x" * 100_000, length=2**40),
        frame(GREASE, b"x" * 100_000, length=2**40),
        frame(HEADERS, b"\0\0\xd9") + frame(HEADERS, b"x" * 100_000, length=2**40),
        frame(HEADERS, b"\0\0\xd9") + frame(DATA, b"hi") + frame(HEADERS, b"\0\0" + b"\xd9" * 300_000),
    ],
    ids=["fields", "announced fields", "announced frame", "announced trailers", "trailers"],
)
async def test_a_header_section_without_end_is_cut(judge, leaf, sent):
    (seen,), _ = await observe(judge, leaf, lambda h3, s, _: write(h3, s, sent))

    assert seen.failure.kind == "headers-too-big"


async def test_more_header_lines_than_anyone_needs_are_refused(judge, leaf):
    def respond(h3, stream, _):
        h3.send_headers(stream, encoded([(":status", "200"), *[("a", "b")] * 600]), end_stream=True)

    (seen,), _ = await observe(judge, leaf, respond)

    assert seen.failure == Failure(Phase.PROCESSING, "headers-too-big", "more than 500 header lines")


async def test_the_tables_that_a_header_bomb_needs_are_switched_off(judge, leaf):
    """A private hook of aioquic, held here: what the server is allowed to use, and that nothing may be pushed."""
    _, server = await observe(judge, leaf, fine)

    settings = server.connections[0].received_settings
    assert settings[Setting.QPACK_MAX_TABLE_CAPACITY] == settings[Setting.QPACK_BLOCKED_STREAMS] == 0
    assert settings[Setting.MAX_FIELD_SECTION_SIZE] == 65_536
    assert server.connections[0]._max_push_id is None


@pytest.mark.parametrize(
    ("respond", "detail"),
    [
        (lambda h3, s: write(h3, s, frame(DATA, b"x")), "H3_FRAME_UNEXPECTED"),
        (lambda h3, s: write(h3, s, frame(SETTINGS)), "H3_FRAME_UNEXPECTED"),
        (lambda h3, s: write(h3, s, frame(HEADERS, b"\xff" * 9)), "QPACK_DECOMPRESSION_FAILED"),
        (lambda h3, s: write(h3, s, frame(PUSH_PROMISE, b"\0\0\0")), "H3_ID_ERROR"),
        (lambda h3, s: h3.send_headers(s, encoded([("server", "x")])), "H3_MESSAGE_ERROR"),
        (lambda h3, s: h3.send_headers(s, encoded([(":status", "2x0")])), "H3_MESSAGE_ERROR"),
        (lambda h3, s: h3.send_headers(s, encoded([(":status", "200"), ("A", "x")])), "H3_MESSAGE_ERROR"),
        (lambda h3, s: h3.send_headers(s, encoded([(":status", "042")])), "the status is 42"),
        (lambda h3, s: write(h3, s, b"", end=True), "the stream ended without an answer"),
        (lambda h3, s: write(h3, s, b"\1", end=True), "H3_FRAME_ERROR"),
        (lambda h3, _: write(h3, h3._local_encoder_stream_id, b"\x3f\xe1\x1f"), "QPACK_ENCODER_STREAM_ERROR"),
        (lambda h3, _: write(h3, h3._local_control_stream_id, b"", end=True), "H3_CLOSED_CRITICAL_STREAM"),
        (
            lambda h3, s: [h3.send_headers(s, encoded([(":status", "103")])) for _ in range(50)],
            "more than 20 interim answers",
        ),
    ],
)
async def test_a_server_that_breaks_http_3_is_told_so(judge, leaf, respond, detail):
    (seen,), _ = await observe(judge, leaf, lambda h3, stream, _: respond(h3, stream))

    assert (seen.failure.phase, seen.failure.kind) == (Phase.PROCESSING, "protocol-error")
    assert detail in seen.failure.detail


async def test_a_flood_of_settings_and_streams_ends(judge, leaf):
    def streams(h3, _stream, _host):
        for _ in range(100):
            write(h3, quic_of(h3).get_next_available_stream_id(is_unidirectional=True), b"\x21" + b"x" * 5000)

    def settings(h3, _stream, _host):
        write(h3, h3._local_control_stream_id, frame(GREASE, b"x" * 500_000))

    for flood in (streams, settings):
        (seen,), _ = await observe(judge, leaf, flood, timeout=5.0)
        assert (seen.failure.kind, "too much" in seen.failure.detail) == ("protocol-error", True)


async def test_gaps_in_streams_cannot_take_memory_without_end(judge, leaf):
    """One byte far ahead makes aioquic keep room for all before it, and widen the window for the next."""

    def respond(h3, stream, _):
        sender = quic_of(h3)._streams[stream].sender

        def as_far_as_allowed(_size, place):
            sender.highest_offset, sender.buffer_is_empty = place, True
            return QuicStreamFrame(data=b"x", offset=place - 1)

        def leap():
            sender.buffer_is_empty = False
            sender.get_frame, sender.on_data_delivery = as_far_as_allowed, lambda *_: None
            later(h3, 0.01, leap)

        h3.send_headers(stream, encoded([(":status", "200")]))
        later(h3, 0.01, leap)

    async with origin3(leaf, respond) as server:
        tracemalloc.start()
        try:
            (seen,) = await run(dial(server.port, timeout=3.0), judge)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert (seen.failure.phase, seen.failure.kind) == (Phase.TRANSFER, "protocol-error")
    assert "too much" in seen.failure.detail
    assert peak < 64 * 1024 * 1024


async def test_garbage_instead_of_quic_is_ignored_until_the_time_is_over(judge):
    async with udp_server(lambda _: [os.urandom(1200), b"", b"\xc0", b"HTTP/1.1 400 Bad\r\n\r\n"]) as port:
        (seen,) = await run(dial(port, timeout=0.4), judge)

    assert seen.failure == Failure(Phase.TLS, "timeout")


async def test_a_flood_of_garbage_ends(judge):
    async with flooding_server(b"\x40" + bytes(20)) as port:
        (seen,) = await run(dial(port, timeout=30.0), judge)

    assert seen.failure.kind == "protocol-error"
    assert "datagrams" in seen.failure.detail


async def test_a_server_with_other_versions_of_quic_only(judge):
    async with udp_server(negotiating([0x1A2A3A4A])) as port:
        (seen,) = await run(dial(port), judge)

    assert seen.failure == Failure(Phase.TLS, "quic-error", "VERSION_NEGOTIATION: no common version of QUIC")


@pytest.mark.parametrize("versions", [[1], [0x6B3343CF]], ids=["ours", "another of ours"])
async def test_a_server_that_negotiates_versions_for_ever_times_out(judge, versions):
    async with udp_server(negotiating(versions)) as port:
        (seen,) = await run(dial(port, timeout=0.4), judge)

    assert seen.failure == Failure(Phase.TLS, "timeout")


def negotiating(versions):
    def respond(data):
        header = pull_quic_header(Buffer(data=data), host_cid_length=8)
        yield encode_quic_version_negotiation(
            source_cid=header.destination_cid, destination_cid=header.source_cid, supported_versions=versions
        )

    return respond


async def test_a_certificate_with_10000_names_is_bounded(judge, ca, ca_file):
    leaf = ca.issue_cert(*(f"{number}.test" for number in range(10_000)), "a.test", key_type=trustme.KeyType.ECDSA)

    (seen,), _ = await observe(judge, leaf, fine, ca_file=ca_file, timeout=10.0)

    assert (seen.failure, len(seen.tls.chain[0].names)) == (None, 1000)
    assert seen.tls.chain[0].names_total == 10_001


async def test_nothing_that_a_server_says_reaches_the_log(judge, leaf, caplog):
    def respond(h3, _stream, _host):
        quic_of(h3).close(error_code=ErrorCode.H3_INTERNAL_ERROR, reason_phrase="by aioquic")

    with caplog.at_level(logging.DEBUG):
        await observe(judge, leaf, respond)

    assert "by aioquic" not in caplog.text


async def test_a_cancelled_probe_leaves_no_socket_behind(judge):
    heard = asyncio.Event()
    async with udp_server(lambda _: heard.set() or ()) as port:
        task = asyncio.create_task(run(dial(port, timeout=60.0), judge))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_connection_can_be_closed_before_it_began():
    quic = await connect(dial(9))

    quic.close()

    assert isinstance(quic, Quic)


# The control stream.


@given(
    frames=st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=300)), max_size=5),
    cuts=st.lists(st.integers(1, 40), max_size=30),
)
def test_frames_of_the_control_stream_are_found_however_they_are_cut(frames, cuts):
    sent = b"\0" + b"".join(frame(kind, payload) for kind, payload in frames)
    stream, found = ControlStream(), []
    for size in [*cuts, len(sent)]:
        piece, sent = sent[:size], sent[size:]
        found += stream.frames(3, piece)

    assert found == frames


def test_only_the_first_control_stream_counts():
    stream = ControlStream()

    assert list(stream.frames(7, b"\x02" + frame(GOAWAY, b"\0"))) == []
    assert list(stream.frames(3, b"\x00" + frame(GOAWAY, b"\0"))) == [(GOAWAY, b"\0")]
    assert list(stream.frames(11, b"\x00" + frame(GOAWAY, b"\4"))) == []
    assert list(stream.frames(7, frame(GOAWAY, b"\0"))) == []


@given(st.binary(max_size=9))
def test_an_integer_that_is_cut_off_ends_beyond_the_data(data):
    _, end = integer(data, 0)

    assert end >= 1
    assert (end > len(data)) == (not data or len(data) < 1 << (data[0] >> 6))
