"""HTTP/3 as a laboratory server speaks it (RFC 9114): at one UDP socket, each request answered when it is whole.

What a client may cost is bounded by aioquic: 1 MiB that was sent and not read yet, 128 streams of a connection at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ProtocolNegotiated, QuicEvent, StreamReset

from exporter.demo.sites import Reply, bare_host, page

# aioquic tells its logs of each connection.
for _name in ("quic", "http3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

BODY_BYTES = 1024 * 1024  # nginx's client_max_body_size
IDLE_SECONDS = 75  # nginx's keepalive_timeout

Fields = tuple[tuple[str, str], ...]


async def stand_open(
    listener: socket.socket, certificate: Path, answer: Callable[[str], Reply], fields: Callable[[], Fields]
) -> None:
    """Answer whoever comes to `listener`, a bound UDP socket, until cancelled; it is closed then.

    Arguments:
        certificate: PEM, with its key; shown whatever the SNI, which aioquic tells no server.
        answer: from host to reply.
        fields: what every answer has in its head.
    """
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN, idle_timeout=IDLE_SECONDS)
    configuration.load_cert_chain(certificate, certificate)
    create = partial(_Server, configuration=configuration, create_protocol=partial(Conversation, answer, fields))
    _, server = await asyncio.get_running_loop().create_datagram_endpoint(create, sock=listener)
    try:
        await server.gone.wait()
    finally:
        server.close()
        await server.gone.wait()


class _Server(QuicServer):
    """Attributes: `gone`, set when its socket is closed."""

    def __init__(
        self, *, configuration: QuicConfiguration, create_protocol: Callable[..., QuicConnectionProtocol]
    ) -> None:
        super().__init__(configuration=configuration, create_protocol=create_protocol)
        self.gone = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        self.gone.set()


@dataclass(slots=True)
class _Exchange:
    """A request that comes in.

    Attributes:
        host: of the authority, lower case, without port and trailing dot.
        body_bytes: how much of the request's body has come; it is dropped.
        is_whole: whether the request has ended.
    """

    method: str
    host: str
    body_bytes: int = 0
    is_whole: bool = False


class Conversation(QuicConnectionProtocol):
    """One connection, seen from the server."""

    def __init__(
        self,
        answer: Callable[[str], Reply],
        fields: Callable[[], Fields],
        quic: QuicConnection,
        stream_handler: None = None,
    ) -> None:
        super().__init__(quic, stream_handler)
        self._answer = answer
        self._fields = fields
        self._h3: H3Connection | None = None
        self._exchanges: dict[int, _Exchange] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._h3 = H3Connection(self._quic)
        if isinstance(event, StreamReset):
            self._exchanges.pop(event.stream_id, None)
        if self._h3 is not None:
            for happened in self._h3.handle_event(event):  # what breaks the protocol ends the connection
                self._note(self._h3, happened)

    def _note(self, h3: H3Connection, event: H3Event) -> None:
        if not isinstance(event, HeadersReceived | DataReceived):
            return
        if isinstance(event, HeadersReceived) and (opened := _exchange(event)) is not None:
            self._exchanges[event.stream_id] = opened
        exchange = self._exchanges.get(event.stream_id)
        if exchange is None:
            return  # the rest of what was too long
        if isinstance(event, DataReceived):
            exchange.body_bytes += len(event.data)
        exchange.is_whole = event.stream_ended
        if exchange.is_whole or exchange.body_bytes > BODY_BYTES:
            del self._exchanges[event.stream_id]
            with suppress(RuntimeError):  # the client wants no answer any more, by the same datagram maybe
                self._send(h3, event.stream_id, exchange)

    def _send(self, h3: H3Connection, stream: int, exchange: _Exchange) -> None:
        reply = self._answer(exchange.host) if exchange.is_whole else page(413, "The body is too long.")
        body = b"" if exchange.method == "HEAD" else reply.body.encode()
        head = ((":status", str(reply.status)), *self._fields(), *reply.fields)
        h3.send_headers(stream, [(name.encode(), value.encode()) for name, value in head], end_stream=not body)
        if body:
            h3.send_data(stream, body, end_stream=True)
        if not exchange.is_whole:
            self._quic.stop_stream(stream, ErrorCode.H3_NO_ERROR)  # spare us the rest (RFC 9114, section 4.1)


def _exchange(event: HeadersReceived) -> _Exchange | None:
    """A request, which aioquic has made sure to name its method and authority; None: these are trailers."""
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
    return _Exchange(fields[":method"], bare_host(fields[":authority"])) if ":method" in fields else None
