"""A scriptable HTTPS server for tests: certificate by SNI, every answer byte by byte. Real sockets, real TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme


@dataclass
class Origin:
    """What a running server saw.

    Attributes:
        snis: the server name of each handshake, in order; None: none was sent.
        requests: the head of each request, in order, as (connection number, text).
    """

    address: str
    port: int
    snis: list[str | None] = field(default_factory=list)
    requests: list[tuple[int, str]] = field(default_factory=list)

    @property
    def hosts(self) -> list[tuple[int, str]]:
        return [(number, host_of(head)) for number, head in self.requests]


def host_of(head: str) -> str:
    """The Host field's value, without a port."""
    line = next(line for line in head.split("\r\n") if line.lower().startswith("host:"))
    return line.split(":")[1].strip()


def answer(status: int = 200, body: bytes = b"hello", headers: str = "", reason: str = "Fine") -> bytes:
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode("latin-1") + body


@asynccontextmanager
async def origin(
    certificates: dict[str | None, trustme.LeafCert],
    respond: Callable[[str], bytes | None],
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    tune: Callable[[ssl.SSLContext], object] = lambda _: None,
) -> AsyncIterator[Origin]:
    """Serve while inside. `respond(head)` gives the bytes; b"" closes at once, None never answers.

    Bytes that end with `CLOSE` are sent without it, and the connection is closed after them.
    """
    contexts = {name: _context(leaf, tune) for name, leaf in certificates.items()}
    front = contexts.get(None) or next(iter(contexts.values()))
    seen = Origin(address, 0)

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        seen.snis.append(name)
        if name in contexts:
            connection.context = contexts[name]
        return None

    front.sni_callback = choose
    numbers = iter(range(1_000_000))

    serving = Serving()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.note(writer)
        number = next(numbers)
        try:
            while head := await _head(reader):
                seen.requests.append((number, head))
                given = respond(head)
                if given is None:
                    await reader.read()
                    return
                writer.write(given.removesuffix(CLOSE))
                await writer.drain()
                if not given or given.endswith(CLOSE):
                    return
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, port, ssl=front)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        await serving.end()


class Serving:
    """The connections of a server, so that none outlives it: a task left behind breaks a later test, by its warning."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def note(self, writer: asyncio.StreamWriter) -> None:
        """Call from the task that serves the connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = writer
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def end(self) -> None:
        left = dict(self._tasks)
        for writer in left.values():
            writer.transport.abort()  # which ends what the task waits for
        if left:
            await asyncio.wait(left, timeout=5)


CLOSE = b"\x00<close>"


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return ""


def _context(leaf: trustme.LeafCert, tune: Callable[[ssl.SSLContext], object]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    leaf.configure_cert(context)
    tune(context)
    return context


@asynccontextmanager
async def raw_server(first_bytes: bytes, *, read_first: bool = True) -> AsyncIterator[int]:
    """A TCP server on 127.0.0.1 that answers whatever comes with `first_bytes` and closes; yields its port."""

    serving = Serving()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.note(writer)
        if read_first:
            await reader.read(1)
        writer.write(first_bytes)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await serving.end()
