"""A scriptable HTTP/2 server for tests: real sockets, real TLS, legal frames by h2, illegal ones as bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    RequestReceived,
    SettingsAcknowledged,
    StreamReset,
)
from h2.exceptions import ProtocolError
from hpack import NeverIndexedHeaderTuple

from tests.origin import Serving

Headers = list[tuple[str, str]]


@dataclass
class Origin2:
    """What a running server saw.

    Attributes:
        connections: how many were opened.
        requests: (connection number, pseudo-header fields and fields) of each request, in order.
        never_indexed: the names of fields that no intermediary may put into a table (RFC 7541, section 7.1.3).
        acknowledged: how many of its SETTINGS and PING frames the client acknowledged.
        resets: the code of each RST_STREAM.
        goaways: the code of each GOAWAY.
        settings: the client's, by number.
    """

    port: int = 0
    connections: int = 0
    requests: list[tuple[int, Headers]] = field(default_factory=list)
    never_indexed: list[str] = field(default_factory=list)
    acknowledged: int = 0
    resets: list[int] = field(default_factory=list)
    goaways: list[int] = field(default_factory=list)
    settings: dict[int, int] = field(default_factory=dict)

    @property
    def hosts(self) -> list[tuple[int, str]]:
        return [(number, host_of(headers)) for number, headers in self.requests]


Sent = bytes | Iterable[bytes] | None
Respond = Callable[["Connection2", int, str], Sent]
"""Called with the connection, the stream and the host; writes with the library, or gives bytes to send as they are.

Bytes that come one after the other, even without end, are sent as fast as the client takes them. Bytes that end with
`HANG_UP` close the connection after the rest.
"""
HANG_UP = b"\x00<hang up>"


class Connection2(H2Connection):
    """The server's side, which sends bodies as far as the client's windows let it."""

    def __init__(self) -> None:
        super().__init__(H2Configuration(client_side=False, header_encoding=None))
        self._unsent: dict[int, bytes] = {}

    def send_body(self, stream: int, body: bytes) -> None:
        self._unsent[stream] = body
        self.send_more()

    def send_more(self) -> None:
        for stream, body in list(self._unsent.items()):
            self._unsent[stream] = self._sent(stream, body)
            if not self._unsent[stream]:
                del self._unsent[stream]

    def forget(self, stream: int) -> None:
        self._unsent.pop(stream, None)

    def _sent(self, stream: int, body: bytes) -> bytes:
        while room := min(len(body), self.max_outbound_frame_size, self.local_flow_control_window(stream)):
            self.send_data(stream, body[:room], end_stream=room == len(body))
            body = body[room:]
        return body


def answer(connection: Connection2, stream: int, status: int = 200, body: bytes = b"hello", **fields: str) -> None:
    headers = [(":status", str(status)), *((name.replace("_", "-"), value) for name, value in fields.items())]
    connection.send_headers(stream, headers, end_stream=not body)
    if body:
        connection.send_body(stream, body)


@asynccontextmanager
async def origin2(
    leaf: trustme.LeafCert,
    respond: Respond,
    *,
    greeting: Callable[[Connection2], bytes] = lambda _: b"",
    tune: Callable[[ssl.SSLContext], object] = lambda _: None,
) -> AsyncIterator[Origin2]:
    """Serve on 127.0.0.1 while inside; `greeting` gives bytes that follow the server's SETTINGS."""
    seen = Origin2()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, seen.connections = seen.connections, seen.connections + 1
        connection = Connection2()
        connection.initiate_connection()
        writer.write(connection.data_to_send() + greeting(connection) + connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                given = _note(seen, number, connection, event, respond)
                writer.write(connection.data_to_send())
                if await _sent_all(writer, given):
                    return
            connection.send_more()
            writer.write(connection.data_to_send())
            await writer.drain()

    async with _serving(leaf, serve, tune) as seen.port:
        yield seen


def _note(seen: Origin2, number: int, connection: Connection2, event: Event, respond: Respond) -> Sent:
    match event:
        case SettingsAcknowledged() | PingAckReceived():
            seen.acknowledged += 1
        case RemoteSettingsChanged():
            seen.settings |= {int(code): changed.new_value for code, changed in event.changed_settings.items()}
        case ConnectionTerminated():
            seen.goaways.append(int(event.error_code))
        case StreamReset():
            seen.resets.append(int(event.error_code))
            connection.forget(event.stream_id)
        case RequestReceived():
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
            seen.requests.append((number, headers))
            never = [pair[0].decode() for pair in event.headers if isinstance(pair, NeverIndexedHeaderTuple)]
            seen.never_indexed.extend(never)
            return respond(connection, event.stream_id, host_of(headers))
    return None


def host_of(headers: Headers) -> str:
    """The authority, without its port."""
    return dict(headers)[":authority"].rpartition(":")[0]


@asynccontextmanager
async def raw_origin2(leaf: trustme.LeafCert, sent: Callable[[], Sent]) -> AsyncIterator[int]:
    """After the handshake, send just these bytes, and read nothing until they are sent; yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await _sent_all(writer, sent()):
            while await reader.read(65536):
                pass

    async with _serving(leaf, serve, lambda _: None) as port:
        yield port


async def _sent_all(writer: asyncio.StreamWriter, given: Sent) -> bool:
    """Send; whether the connection is to be closed now."""
    for piece in [given] if isinstance(given, bytes) else given or ():
        writer.write(piece.removesuffix(HANG_UP))
        if piece.endswith(HANG_UP):
            return True
        await writer.drain()
        await asyncio.sleep(0)  # a drain that need not wait lets nobody else have a turn
    return False


@asynccontextmanager
async def _serving(
    leaf: trustme.LeafCert,
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
    tune: Callable[[ssl.SSLContext], object],
) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    leaf.configure_cert(context)
    tune(context)

    serving = Serving()

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.note(writer)
        try:
            await serve(reader, writer)
        except (ConnectionError, ssl.SSLError, ProtocolError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve_and_close, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await serving.end()


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame as bytes (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ALTSVC, ORIGIN = 0xA, 0xC
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8
STATUS_200 = b"\x88"  # an indexed field: RFC 7541, appendix A


def literal(name: bytes, value: bytes) -> bytes:
    """A field without indexing: RFC 7541, section 6.2.2; names and values shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def goaway(code: int, last_stream: int) -> bytes:
    return frame(GOAWAY, payload=last_stream.to_bytes(4, "big") + code.to_bytes(4, "big"))
