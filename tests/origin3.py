"""A scriptable HTTP/3 server for tests: real UDP sockets, real TLS, by aioquic; illegal frames are written as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, QuicEvent
from aioquic.tls import Epoch, pull_client_hello
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Headers = list[tuple[str, str]]


@dataclass
class Origin3:
    """What a running server saw.

    Attributes:
        snis: the server name of each handshake, in order; None: none was sent.
        requests: (connection number, pseudo-header fields and fields) of each request, in order.
        ends: the error code of each connection that ended; `ended` is set with the first.
        connections: all that were made, in order.
    """

    port: int = 0
    snis: list[str | None] = field(default_factory=list)
    requests: list[tuple[int, Headers]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[H3Connection] = field(default_factory=list)

    @property
    def hosts(self) -> list[tuple[int, str]]:
        return [(number, dict(headers)[":authority"].rpartition(":")[0]) for number, headers in self.requests]


Respond = Callable[[H3Connection, int, str], None]
"""Called with the connection, the stream and the host."""


def answer(h3: H3Connection, stream: int, status: int = 200, body: bytes = b"hello", **fields: str) -> None:
    headers = [(":status", str(status)), *((name.replace("_", "-"), value) for name, value in fields.items())]
    h3.send_headers(stream, encoded(headers), end_stream=not body)
    if body:
        h3.send_data(stream, body, end_stream=True)


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


def quic_of(h3: H3Connection):
    return h3._quic


def write(h3: H3Connection, stream: int, data: bytes, *, end: bool = False) -> None:
    """Bytes as they are."""
    quic_of(h3).send_stream_data(stream, data, end)


def control(h3: H3Connection, kind: int, payload: bytes = b"") -> None:
    """A frame on the control stream."""
    write(h3, h3._local_control_stream_id, frame(kind, payload))


def later(h3: H3Connection, seconds: float, act: Callable[[], object]) -> None:
    """Do something that is no answer to a datagram, and send what it brings."""

    def do() -> None:
        if quic_of(h3)._close_event is None:
            act()
            h3.transmit()

    asyncio.get_running_loop().call_later(seconds, do)


def frame(kind: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """One frame as bytes (RFC 9114, section 7.1), with a length that may be a lie."""
    return encode_uint_var(kind) + encode_uint_var(len(payload) if length is None else length) + payload


@asynccontextmanager
async def origin3(
    leaf: trustme.LeafCert,
    respond: Respond,
    *,
    greeting: Callable[[H3Connection], object] = lambda _: None,
    tune: Callable[[QuicConfiguration], object] = lambda _: None,
    wants_client_certificate: bool = False,
    address: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Origin3]:
    """Serve while inside; `greeting` is called when the handshake is done."""
    seen, numbers = Origin3(), iter(range(1_000_000))

    class Serving(QuicConnectionProtocol):
        def __init__(self, quic, stream_handler=None):
            super().__init__(quic, stream_handler)
            self._number = next(numbers)
            self._h3 = None
            listen(quic)

        def quic_event_received(self, event: QuicEvent) -> None:
            if isinstance(event, HandshakeCompleted):
                self._h3 = H3Connection(self._quic)
                self._h3.transmit = self.transmit
                seen.connections.append(self._h3)
                greeting(self._h3)
            if isinstance(event, ConnectionTerminated):
                seen.ends.append(event.error_code)
                seen.ended.set()
            for happened in self._h3.handle_event(event) if self._h3 is not None else ():
                if isinstance(happened, HeadersReceived):
                    headers = [(name.decode(), value.decode()) for name, value in happened.headers]
                    seen.requests.append((self._number, headers))
                    respond(self._h3, happened.stream_id, dict(headers)[":authority"].rpartition(":")[0])

    def listen(quic) -> None:
        """Hear the server name, and ask for a client certificate: aioquic tells and does neither."""
        begin = quic._initialize

        def initialize(*arguments):
            begin(*arguments)
            quic.tls._request_client_certificate = wants_client_certificate
            quic._crypto_buffers[Epoch.HANDSHAKE] = Buffer(capacity=1_000_000)  # for certificates beyond measure
            shake = quic.tls._server_handle_hello

            def hear(message, *outputs):
                seen.snis.append(pull_client_hello(Buffer(data=message.data_slice(0, message.capacity))).server_name)
                shake(message, *outputs)

            quic.tls._server_handle_hello = hear

        quic._initialize = initialize

    server = QuicServer(configuration=configuration(leaf, tune), create_protocol=Serving)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, local_addr=(address, port))
    seen.port = transport.get_extra_info("sockname")[1]
    try:
        yield seen
    finally:
        server.close()


def configuration(leaf: trustme.LeafCert, tune: Callable[[QuicConfiguration], object]) -> QuicConfiguration:
    chain = [x509.load_pem_x509_certificate(pem.bytes()) for pem in leaf.cert_chain_pems]
    made = QuicConfiguration(
        is_client=False,
        alpn_protocols=["h3"],
        certificate=chain[0],
        certificate_chain=chain[1:],
        private_key=load_pem_private_key(leaf.private_key_pem.bytes(), None),
    )
    tune(made)
    return made


@asynccontextmanager
async def relay(port: int, passes: Callable[[int], bool], copies: int = 1) -> AsyncIterator[int]:
    """Stands between one client and the server at `port`; yields its own port.

    Of the client's datagrams, only those pass whose number does; the client gets so many copies of the server's.
    """
    loop, numbers = asyncio.get_running_loop(), iter(range(1_000_000))
    client: list[tuple[str, int]] = []

    class Inside(asyncio.DatagramProtocol):
        def datagram_received(self, data, _address):
            for _ in range(copies):
                outside.sendto(data, client[0])

    class Outside(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            client[:] = [address]
            if passes(next(numbers)):
                inside.sendto(data)

    inside, _ = await loop.create_datagram_endpoint(Inside, remote_addr=("127.0.0.1", port))
    outside, _ = await loop.create_datagram_endpoint(Outside, local_addr=("127.0.0.1", 0))
    try:
        yield outside.get_extra_info("sockname")[1]
    finally:
        inside.close()
        outside.close()


@asynccontextmanager
async def flooding_server(datagram: bytes) -> AsyncIterator[int]:
    """A socket on 127.0.0.1 that sends the same datagram on and on to who has sent it one; yields its port."""

    class Flooding(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, _data, address):
            self.flood(address)

        def flood(self, address):
            if not self.transport.is_closing():
                for _ in range(2):
                    self.transport.sendto(datagram, address)
                asyncio.get_running_loop().call_soon(self.flood, address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Flooding, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def udp_server(respond: Callable[[bytes], Iterable[bytes]]) -> AsyncIterator[int]:
    """A socket on 127.0.0.1 that answers each datagram with those of `respond`; yields its port."""

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            for answered in respond(data):
                self.transport.sendto(answered, address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Answering, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
