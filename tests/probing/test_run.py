"""One dial against a real TLS server: one observation per probe, whatever the server does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import pytest
import trustme

from exporter.model import Ask, Connection, Dial, Failure, Method, Phase, Probe, Protocol, Request, Response, Secret
from exporter.probing import body
from exporter.probing.run import run
from tests.origin import CLOSE, answer, host_of, origin, raw_server

TIMEOUT = 0.5


def dial(port, *hosts, sni="a.test", address="127.0.0.1", ca_file=None, timeout=TIMEOUT, headers=(), **request) -> Dial:
    """SNI = a.test; the first host on the new connection, the others after it."""
    asks = []
    for host in hosts or ("a.test",):
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, sni, host, address, Protocol.HTTP11, connection)
        asked = Request(request.get("method", Method.GET), f"{host}:{port}", request.get("path", "/"), headers)
        asks.append(Ask(probe, asked))
    return Dial(address, port, sni, Protocol.HTTP11, timeout, tuple(asks), ca_file=ca_file and str(ca_file))


async def observe(judge, respond, leaf, *hosts, **settings):
    async with origin({None: leaf}, respond) as server:
        return await run(dial(server.port, *hosts, **settings), judge), server


async def test_a_fresh_probe_shows_status_fields_body_phases_and_certificate(judge, leaf, ca_file):
    page = answer(200, b"hello", "Server: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n", reason="All Right")

    (seen,), server = await observe(judge, lambda _: page, leaf, ca_file=ca_file)

    assert seen.failure is None
    assert seen.response == Response(
        status=200,
        reason="All Right",
        version="1.1",
        headers=(("content-length", "5"), ("server", "x"), ("set-cookie", "a=1"), ("set-cookie", "b=2")),
        body=b"hello",
        body_bytes=5,
        body_complete=True,
        body_sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    )
    assert set(seen.seconds) == {Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER}
    assert all(0 <= spent < TIMEOUT for spent in seen.seconds.values())
    assert seen.tls.version == "TLSv1.3"
    assert seen.tls.alpn == "http/1.1"
    assert seen.tls.faults == ()
    assert seen.tls.chain[0].names == ("a.test", "b.test")
    assert server.snis == ["a.test"]


async def test_the_request_is_just_what_the_plan_says(judge, leaf):
    headers = (("User-Agent", "probe"), ("X-Token", Secret("s3cret", "env T")))

    _, server = await observe(judge, lambda _: answer(), leaf, path="/health?x=1", method=Method.HEAD, headers=headers)

    (_, head), *_ = server.requests
    assert head == f"HEAD /health?x=1 HTTP/1.1\r\nHost: a.test:{server.port}\r\nUser-Agent: probe\r\n\r\n"


async def test_secrets_are_shown_to_a_trusted_server_only(judge, leaf, ca_file):
    headers = (("Authorization", Secret("Bearer s3cret", "env T")),)

    _, trusted = await observe(judge, lambda _: answer(), leaf, headers=headers, ca_file=ca_file)
    _, untrusted = await observe(judge, lambda _: answer(), leaf, headers=headers)

    assert "s3cret" in trusted.requests[0][1]
    assert "s3cret" not in untrusted.requests[0][1]


async def test_sni_is_sent_as_said_or_not_at_all(judge, leaf):
    async with origin({None: leaf}, lambda _: answer()) as server:
        await run(dial(server.port, sni="other.test"), judge)
        (seen,) = await run(dial(server.port, sni=None), judge)

    assert server.snis == ["other.test", None]
    assert seen.response.status == 200


async def test_further_hosts_are_asked_on_the_same_connection(judge, leaf):
    def respond(head):
        return answer(421) if host_of(head) == "b.test" else answer()

    seen, server = await observe(judge, respond, leaf, "a.test", "b.test", "c.test")

    assert [o.response.status for o in seen] == [200, 421, 200]
    assert [o.asked_before for o in seen] == [0, 1, 2]
    assert [o.connection_survived for o in seen] == [True, True, None]
    assert [set(o.seconds) for o in seen[1:]] == [{Phase.PROCESSING, Phase.TRANSFER}] * 2
    assert server.hosts == [(0, "a.test"), (0, "b.test"), (0, "c.test")]


@pytest.mark.parametrize("field", ["", "Connection: close\r\n"])
async def test_where_the_server_closes_after_an_answer_the_opener_is_asked_again_first(judge, leaf, field):
    """As Apache does after each 421 without a word, and nginx with one."""

    def respond(head):
        return answer(421, headers=field) + CLOSE if host_of(head) == "b.test" else answer()

    seen, server = await observe(judge, respond, leaf, "a.test", "b.test", "c.test")

    assert [o.response.status for o in seen] == [200, 421, 200]
    assert [o.connection_survived for o in seen] == [True, False, None]
    assert seen[2].asked_before == 1
    assert server.hosts[-2:] == [(1, "a.test"), (1, "c.test")]


@pytest.mark.parametrize(
    ("sent", "survived"),
    [
        (answer(421) + CLOSE, False),
        (answer(421, headers="Connection: close\r\n") + CLOSE, False),
        (answer(421), True),
        (answer(200), None),
    ],
)
async def test_whether_the_connection_survives_an_error_is_seen(judge, leaf, sent, survived):
    (seen,), _ = await observe(judge, lambda _: sent, leaf)

    assert seen.connection_survived is survived


async def test_a_server_that_closes_after_every_answer_cannot_be_asked_twice(judge, leaf):
    seen, server = await observe(
        judge, lambda _: answer(headers="Connection: close\r\n") + CLOSE, leaf, "a.test", "b.test", "c.test"
    )

    assert seen[0].connection_survived is False
    refusal = Failure(Phase.PROCESSING, "not-reused", "the server closes the connection after each answer (200)")
    assert [o.failure for o in seen[1:]] == [refusal, refusal]
    assert len(server.snis) == 2, "no further connection is spent on what is known"


async def test_a_refused_port(judge):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        seen = await run(dial(port, "a.test", "b.test"), judge)

    assert (seen[0].failure.phase, seen[0].failure.kind) == (Phase.CONNECT, "refused")
    assert (seen[1].failure.kind, seen[1].failure.detail) == ("not-asked", "no connection to ask on (refused)")
    assert set(seen[0].seconds) == {Phase.CONNECT}


@pytest.mark.parametrize(
    ("first_bytes", "kind", "detail"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "plain-http", "the answer to a TLS hello began with HTTP/"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not-tls", "the answer to a TLS hello began with b'SSH-2.0-OpenSSH_'"),
        (b"\x00" * 64, "not-tls", f"the answer to a TLS hello began with {bytes(16)!r}"),
        (b"", "closed", "the server closed the connection during the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "alert", "unrecognized_name"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "alert", "handshake_failure"),
    ],
)
async def test_what_is_no_handshake_is_told_apart(judge, first_bytes, kind, detail):
    async with raw_server(first_bytes) as port:
        (seen,) = await run(dial(port), judge)

    assert seen.failure == Failure(Phase.TLS, kind, detail)


async def test_a_server_that_never_shakes_hands_times_out_in_the_phase_tls(judge):
    release = asyncio.Event()

    async def silent(_reader, writer):
        await release.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        (seen,) = await run(dial(server.sockets[0].getsockname()[1], timeout=0.1), judge)
        release.set()

    assert seen.failure == Failure(Phase.TLS, "timeout")
    assert 0.09 <= seen.seconds[Phase.CONNECT] + seen.seconds[Phase.TLS] < 1, "uvloop's timers count whole ms"


async def test_a_reset_during_the_handshake(judge):
    async def reset(reader, writer):
        await reader.read(1)
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    async with server:
        (seen,) = await run(dial(server.sockets[0].getsockname()[1]), judge)

    assert (seen.failure.phase, seen.failure.kind) == (Phase.TLS, "reset")


async def test_an_alpn_that_is_not_ours_is_a_failure_that_shows_the_certificate(judge, leaf):
    """A server may not select what was not offered (RFC 7301, section 3.2): OpenSSL sends an alert when asked to."""
    async with origin({None: leaf}, lambda _: answer(), tune=lambda c: c.set_alpn_protocols(["imap"])) as server:
        (seen,) = await run(dial(server.port), judge)

    assert seen.failure is None or seen.failure.kind in ("alert", "alpn")
    assert seen.tls is None or seen.tls.alpn is None


async def test_a_client_certificate_that_is_demanded_in_tls_1_3_shows_as_an_alert_after_the_request(judge, ca, leaf):
    def demand(context: ssl.SSLContext) -> None:
        ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    with blocking_handshake(leaf, demand) as port:
        (seen,) = await run(dial(port), judge)

    assert seen.failure == Failure(Phase.PROCESSING, "alert", "certificate_required")
    assert seen.tls is not None


@contextmanager
def blocking_handshake(leaf, tune):
    """A server of one handshake. asyncio's drops the alert of a handshake that it refuses; a plain socket sends it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    tune(context)

    def serve():
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
            with suppress(ssl.SSLError):
                tls.do_handshake()
            tls.shutdown(socket.SHUT_WR)
            tls.recv(65536)  # or the request that it leaves unread would turn the close into a reset

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


async def test_a_client_certificate_is_shown_where_one_is_configured(judge, ca, leaf, tmp_path):
    client = ca.issue_cert("client@example.test", key_type=trustme.KeyType.ECDSA)
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")

    def demand(context: ssl.SSLContext) -> None:
        ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    async with origin({None: leaf}, lambda _: answer(), tune=demand) as server:
        asked = dial(server.port)
        shown = Dial(
            asked.address,
            asked.port,
            asked.sni,
            asked.protocol,
            TIMEOUT,
            asked.asks,
            None,
            str(tmp_path / "client.pem"),
        )
        (seen,) = await run(shown, judge)

    assert seen.response.status == 200


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("sent", "phase", "kind"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n" + CLOSE, Phase.PROCESSING, "not-http"),
        (b"HTTP/1.1 99 Low\r\n\r\n" + CLOSE, Phase.PROCESSING, "not-http"),
        (HEAD + b"no colon\r\n\r\n" + CLOSE, Phase.PROCESSING, "not-http"),
        (CLOSE, Phase.PROCESSING, "closed"),
        (HEAD + b"Content-Le" + CLOSE, Phase.PROCESSING, "closed"),
        (HEAD + b"X: " + b"a" * 200_000 + b"\r\n\r\n", Phase.PROCESSING, "headers-too-big"),
        (HEAD + b"X: a\r\n" * 600 + b"\r\n", Phase.PROCESSING, "headers-too-big"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50 + CLOSE, Phase.PROCESSING, "not-http"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc" + CLOSE, Phase.TRANSFER, "truncated"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + CLOSE, Phase.TRANSFER, "truncated"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + CLOSE, Phase.TRANSFER, "malformed"),
        (None, Phase.PROCESSING, "timeout"),
        (HEAD + b"Content-Le", Phase.PROCESSING, "slow"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc", Phase.TRANSFER, "slow"),
    ],
)
async def test_each_way_to_break_an_answer_has_its_kind(judge, leaf, sent, phase, kind):
    (seen,), _ = await observe(judge, lambda _: sent, leaf, timeout=0.25 if kind in ("timeout", "slow") else 5.0)

    assert (seen.failure.phase, seen.failure.kind) == (phase, kind)
    assert (seen.response is not None) == (phase is Phase.TRANSFER), "a status that came is kept"
    assert seen.tls is not None


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, b"hi"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end" + CLOSE, 200, b"until the end"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nTrailer: x\r\n\r\n", 200, b"hi"),
        (HEAD + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, b"hi"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + answer(200, b""), 200, b""),
        (b"HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n", 999, b""),
        (b"HTTP/1.1 204 None\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Same\r\nContent-Length: 10\r\n\r\n", 304, b""),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz", 101, b""),
        (HEAD + b"X: \xe9\x1b[31m\r\n folded\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (answer(200, b"hi") + answer(500, b"more"), 200, b"hi"),
        (answer(200, b"hi") + b"garbage", 200, b"hi"),
    ],
)  # fmt: skip
async def test_what_browsers_take_is_taken(judge, leaf, sent, status, body):
    (seen,), _ = await observe(judge, lambda _: sent, leaf)

    assert seen.failure is None
    assert (seen.response.status, seen.response.body, seen.response.body_complete) == (status, body, True)


async def test_interim_answers_leave_no_fields_in_the_final_one(judge, leaf):
    sent = b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n"

    (seen,), _ = await observe(judge, lambda _: sent, leaf)

    assert seen.response.headers == (("content-length", "0"),)


async def test_the_answer_to_head_has_no_body(judge, leaf):
    seen, _ = await observe(
        judge, lambda _: HEAD + b"Content-Length: 10\r\n\r\n", leaf, "a.test", "b.test", method=Method.HEAD
    )

    assert [o.response.status for o in seen] == [200, 200]


async def test_of_a_long_body_64_kib_are_kept_and_1_mib_is_read(judge, leaf):
    (seen,), _ = await observe(judge, lambda _: answer(200, b"x" * 3_000_000), leaf, timeout=5)

    assert seen.failure is None
    assert len(seen.response.body) == body.MOST_BODY_KEPT
    assert seen.response.body_bytes == body.MOST_BODY_READ
    assert not seen.response.body_complete


async def test_a_body_that_never_ends_ends_at_the_bound_and_leaves_the_rest_of_the_dial_alone(judge, leaf):
    def respond(head):
        return HEAD + b"\r\n" + b"x" * 2_000_000 if host_of(head) == "b.test" else answer()

    seen, _ = await observe(judge, respond, leaf, "a.test", "b.test", "c.test", timeout=5)

    assert [o.response.status for o in seen] == [200, 200, 200]
    assert not seen[1].response.body_complete


async def test_requests_that_time_out_use_up_the_dial_and_then_the_rest_is_not_asked(judge, leaf):
    def respond(head):
        return answer() if host_of(head) == "a.test" else None

    hosts = ("a.test", "b.test", "c.test", "d.test", "e.test", "f.test")
    seen, _ = await observe(judge, respond, leaf, *hosts, timeout=0.1)

    kinds = [o.failure and o.failure.kind for o in seen]
    assert kinds == [None, "timeout", "timeout", "timeout", "not-asked", "not-asked"]
