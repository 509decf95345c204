"""A scriptable HTTP/2 server for tests: real sockets, real TLS, legal frames by h2, illegal ones as bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import PingAckReceived, RequestReceived, SettingsAcknowledged
from h2.exceptions import ProtocolError

Headers = list[tuple[str, str]]


@dataclass
class Origin2:
    """What a running server saw.

    Attributes:
        requests: (connection number, pseudo-header fields and fields) of each request, in order.
        acknowledged: how many of its SETTINGS and PING frames the client acknowledged.
    """

    port: int = 0
    requests: list[tuple[int, Headers]] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def hosts(self) -> list[tuple[int, str]]:
        return [(number, dict(headers)[":authority"].rpartition(":")[0]) for number, headers in self.requests]


Respond = Callable[[H2Connection, int, str], bytes | None]
"""Called with the connection, the stream and the host; writes with the library, or returns bytes to send as they are.

None sends what the library has; bytes that end with `HANG_UP` close the connection after the rest.
"""
HANG_UP = b"\x00<hang up>"


def answer(connection: H2Connection, stream: int, status: int = 200, body: bytes = b"hello", **fields: str) -> None:
    headers = [(":status", str(status)), *((name.replace("_", "-"), value) for name, value in fields.items())]
    connection.send_headers(stream, headers, end_stream=not body)
    if body:
        connection.send_data(stream, body, end_stream=True)


@asynccontextmanager
async def origin2(
    leaf: trustme.LeafCert,
    respond: Respond,
    *,
    greeting: Callable[[H2Connection], bytes] = lambda _: b"",
    tune: Callable[[ssl.SSLContext], object] = lambda _: None,
) -> AsyncIterator[Origin2]:
    """Serve on 127.0.0.1 while inside; `greeting` gives bytes that follow the server's SETTINGS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    leaf.configure_cert(context)
    tune(context)
    seen, numbers = Origin2(), iter(range(1_000_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send() + greeting(connection) + connection.data_to_send())
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, SettingsAcknowledged | PingAckReceived):
                        seen.acknowledged += 1
                    if isinstance(event, RequestReceived):
                        headers = [(str(name), str(value)) for name, value in event.headers]
                        seen.requests.append((number, headers))
                        given = respond(connection, event.stream_id, dict(headers)[":authority"].rpartition(":")[0])
                        writer.write(connection.data_to_send() + (given or b"").removesuffix(HANG_UP))
                        if given is not None and given.endswith(HANG_UP):
                            return
                writer.write(connection.data_to_send())
                await writer.drain()
        except (ConnectionError, ssl.SSLError, ProtocolError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame as bytes (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
