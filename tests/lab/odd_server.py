"""A server for what no ordinary one does: `odd_server.py BEHAVIOUR ADDRESS PORT [PEM]`; with a PEM it speaks TLS."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from itertools import count

PATIENCE_SECONDS = 60  # longer than whoever asks
DRIP_SECONDS = 0.25

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
requests = count(1)


def page(status: str, body: bytes, *fields: str, length: int | None = None) -> bytes:
    """A response that is the last on its connection."""
    head = (f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *fields)
    return "\r\n".join((*head, "Content-Type: text/html", "Connection: close", "", "")).encode() + body


async def well(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(page("200 OK", b"<title>well</title>"))


async def error(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(page("500 Internal Server Error", b"<title>Oops</title>cannot connect to database"))


async def error_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The first request finds it broken, all others find it mended."""
    await (error if next(requests) == 1 else well)(reader, writer)


async def lost_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if next(requests) > 1:
        await well(reader, writer)
    else:
        writer.write(page("404 Not Found", b"<title>Not found</title>deployment in progress"))


async def never(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(PATIENCE_SECONDS)


async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Slow for people, in time for a prober."""
    await asyncio.sleep(0.4)
    await well(reader, writer)


async def closes(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Takes the request and goes."""


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _reset(writer.get_extra_info("socket"))
    writer.transport.abort()


async def babbles(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.orchard.test ESMTP ready\r\n500 5.5.1 command unrecognized\r\n")


async def boasts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A megabyte of fields before the body."""
    writer.write(page("200 OK", b"<title>well</title>", *(f"X-Debug-{n}: {'x' * 4000}" for n in range(256))))


async def cuts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(page("200 OK", b"<title>well</title><p>This story", length=48_000))


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One octet of the head at a time, long beyond anybody's patience."""
    for octet in page("200 OK", b"<title>well</title>"):
        writer.write(bytes([octet]))
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def goes_on(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body without end, in chunks."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(int(PATIENCE_SECONDS / DRIP_SECONDS)):
        writer.write(b"10\r\n<p>and so on</p>\r\n")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


BEHAVIOURS: dict[str, Behaviour] = {
    "well": well,
    "error": error,
    "error-at-first": error_at_first,
    "lost-at-first": lost_at_first,
    "late": late,
    "never": never,
    "closes": closes,
    "resets": resets,
    "babbles": babbles,
    "boasts": boasts,
    "cuts": cuts,
    "drips": drips,
    "goes-on": goes_on,
}
BEFORE_ANY_REQUEST = {"resets-hello": resets, "ignores-hello": never}
"""What happens to a connection once its first octets are there, which are a ClientHello."""


def _reset(connection: socket.socket) -> None:
    """Closing then sends RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def converse(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, and what this server makes of it."""
    try:
        if name in BEFORE_ANY_REQUEST:
            if await reader.read(1):
                await BEFORE_ANY_REQUEST[name](reader, writer)
            return
        await reader.readuntil(b"\r\n\r\n")
        await BEHAVIOURS[name](reader, writer)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # whoever asked has gone
    finally:
        writer.close()


def tls_of(pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def serve(name: str, address: str, port: int, pem: str = "") -> None:
    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Awaitable[None]:
        return converse(name, reader, writer)

    server = await asyncio.start_server(connected, address, port, ssl=tls_of(pem) if pem else None)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    server.close()


if __name__ == "__main__":
    behaviour, where, number, *certificate = sys.argv[1:]
    asyncio.run(serve(behaviour, where, int(number), *certificate))
