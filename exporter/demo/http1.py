"""HTTP/1.1 as a laboratory server speaks it (RFC 9112): requests with a bounded body, answers with their length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from exporter.demo.sites import Reply, bare_host, page

BODY_BYTES = 1024 * 1024  # nginx's client_max_body_size
IDLE_SECONDS = 75  # nginx's keepalive_timeout

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What the server needs to know of a request.

    Attributes:
        host: of the Host field, lower case, without port and trailing dot.
        body_bytes: how long the body is that follows.
        persists: whether the client will ask again on this connection.
    """

    method: str
    host: str
    body_bytes: int
    persists: bool


class RefusedError(Exception):
    """The request cannot be read; `reply` says why, and the connection ends with it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.reply = page(status, text)


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Callable[[str], Reply],
    fields: Callable[[], Fields],
) -> None:
    """Answer one request after the other until one side has enough.

    Arguments:
        answer: from host to reply.
        fields: what every answer has in its head.
    """
    try:
        while (request := await _receive(reader)) is not None:
            reply = answer(request.host)
            shown = render(reply, fields(), persists=request.persists)
            writer.write(_head_only(shown) if request.method == "HEAD" else shown)
            await writer.drain()
            if reply.hangs_up or not request.persists:
                return
    except RefusedError as refused:
        writer.write(render(refused.reply, fields(), persists=False))


async def _receive(reader: asyncio.StreamReader) -> Request | None:
    """The next request, its body read and dropped; None: the client has gone or says nothing for too long."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            request = parse(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(request.body_bytes)
            return request
    except asyncio.LimitOverrunError:
        raise RefusedError(431, "The request's head is too long.") from None
    except (asyncio.IncompleteReadError, TimeoutError):
        return None


def parse(head: bytes) -> Request:
    r"""Read a request's head, to its empty line.

    >>> parse(b"GET / HTTP/1.1\r\nHost: Shop.example.test:8443\r\n\r\n").host
    'shop.example.test'

    Raises:
        RefusedError: it is not HTTP/1.x, or no request that this server takes.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, version = _request_line(first)
    fields = [_field(line) for line in lines]
    return Request(method, _host(fields), _body_bytes(fields), _persists(version, fields))


def _request_line(line: str) -> tuple[str, str]:
    match line.split(" "):
        case [method, target, ("HTTP/1.0" | "HTTP/1.1") as version] if method and target:
            return method, version
    raise RefusedError(400, "The request line is not that of HTTP/1.")


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise RefusedError(400, "A header field is malformed.")
    return name.lower(), value.strip()


def _values(fields: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in fields if key == name]


def _host(fields: list[tuple[str, str]]) -> str:
    """RFC 9112, section 3.2: one Host field, or 400."""
    match _values(fields, "host"):
        case [authority] if authority:
            return bare_host(authority)
    raise RefusedError(400, "One Host field is needed.")


def _body_bytes(fields: list[tuple[str, str]]) -> int:
    if _values(fields, "transfer-encoding"):
        raise RefusedError(411, "The body's length is needed.")
    match _values(fields, "content-length"):
        case []:
            return 0
        case [length] if length.isascii() and length.isdigit() and len(length) < 20:  # as a 64-bit counter holds
            return _bounded(int(length))
    raise RefusedError(400, "The Content-Length is malformed.")


def _bounded(length: int) -> int:
    if length > BODY_BYTES:
        raise RefusedError(413, "The body is too long.")
    return length


def _persists(version: str, fields: list[tuple[str, str]]) -> bool:
    """RFC 9112, section 9.3; an HTTP/1.0 client is let go after one answer."""
    options = {option.strip().lower() for value in _values(fields, "connection") for option in value.split(",")}
    return version == "HTTP/1.1" and "close" not in options


def render(reply: Reply, fields: Fields, *, persists: bool) -> bytes:
    """A whole answer as it goes over the wire."""
    ending = () if persists else (("connection", "close"),)
    lines = [f"{name.title()}: {value}\r\n" for name, value in (*fields, *reply.fields, *ending)]
    status_line = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
    return "".join((status_line, *lines, "\r\n")).encode("latin-1") + reply.body.encode()


def _head_only(shown: bytes) -> bytes:
    head, end, _ = shown.partition(b"\r\n\r\n")
    return head + end
