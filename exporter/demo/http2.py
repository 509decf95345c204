"""HTTP/2 as a laboratory server speaks it (RFC 9113): many requests on one connection, each answered when it is whole.

What a client may cost is bounded by h2 itself: 64 KiB of header list, 100 streams, 64 frames of CONTINUATION; and a
frame of 16 MiB, which it refuses only when all of it has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error

from exporter.demo.sites import Reply, bare_host, page

BODY_BYTES = 1024 * 1024  # nginx's client_max_body_size
IDLE_SECONDS = 75  # nginx's keepalive_timeout
READ_BYTES = 16 * 1024

Fields = tuple[tuple[str, str], ...]


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Callable[[str], Reply],
    fields: Callable[[], Fields],
) -> None:
    """Answer requests until one side has enough.

    Arguments:
        answer: from host to reply.
        fields: what every answer has in its head.

    Raises:
        TimeoutError: the client takes nothing.
    """
    conversation = Conversation(answer, fields)
    await _send(writer, conversation.begin())
    while not conversation.is_over:
        received = await _receive(reader)
        await _send(writer, conversation.take(received) if received else conversation.end())


async def _receive(reader: asyncio.StreamReader) -> bytes:
    """The next bytes; none: the client has gone or says nothing for too long."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            return await reader.read(READ_BYTES)
    except TimeoutError:
        return b""


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(IDLE_SECONDS):
        await writer.drain()


@dataclass(slots=True)
class _Exchange:
    """A request that comes in, and the answer that goes out.

    Attributes:
        host: of the authority, lower case, without port and trailing dot.
        body_bytes: how much of the request's body has come; it is dropped.
        is_whole: whether the request has ended.
        unsent: what the client's window has kept back of the answer's body; None: there is no answer yet.
    """

    method: str
    host: str
    body_bytes: int = 0
    is_whole: bool = False
    unsent: bytes | None = None


class Conversation:
    """One connection, seen from the server, without the wire: bytes in, bytes out.

    Attributes:
        is_over: nothing more is to be read; what was given to send is still to be sent.
    """

    def __init__(self, answer: Callable[[str], Reply], fields: Callable[[], Fields]) -> None:
        self._answer = answer
        self._fields = fields
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._exchanges: dict[int, _Exchange] = {}
        self.is_over = False

    def begin(self) -> bytes:
        self._h2.initiate_connection()
        return self._h2.data_to_send()

    def end(self) -> bytes:
        """Say goodbye."""
        self.is_over = True
        self._h2.close_connection()
        return self._h2.data_to_send()

    def take(self, received: bytes) -> bytes:
        """What to send for `received`; where that breaks the protocol, a GOAWAY; for what never was HTTP/2, nothing."""
        try:
            events = self._h2.receive_data(received)
        except H2Error:
            self.is_over = True
            return self._h2.data_to_send()
        # Answered after all events: h2 is ahead of them, and takes nothing for a stream that is reset further on.
        for event in events:
            self._note(event)
        if not self.is_over:
            self._go_on()
        return self._h2.data_to_send()

    def _note(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._exchanges[event.stream_id] = _exchange(event)
            case DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self._exchanges[event.stream_id].body_bytes += len(event.data)
            case StreamEnded():
                self._exchanges[event.stream_id].is_whole = True
            case StreamReset():
                self._exchanges.pop(event.stream_id, None)
            case ConnectionTerminated():
                self.is_over = True
            case _:
                pass  # settings, windows, pings: h2 has seen to them; trailers, priorities

    def _go_on(self) -> None:
        for stream, exchange in tuple(self._exchanges.items()):
            if exchange.unsent is None and (exchange.is_whole or exchange.body_bytes > BODY_BYTES):
                exchange.unsent = self._send_head(stream, exchange)
            if exchange.unsent is not None:
                self._send_body(stream, exchange, exchange.unsent)

    def _send_head(self, stream: int, exchange: _Exchange) -> bytes:
        """Begin the answer; gives the body that is to follow."""
        reply = self._answer(exchange.host) if exchange.is_whole else page(413, "The body is too long.")
        body = b"" if exchange.method == "HEAD" else reply.body.encode()
        head = ((":status", str(reply.status)), *self._fields(), *reply.fields)
        self._h2.send_headers(stream, head, end_stream=not body)
        return body

    def _send_body(self, stream: int, exchange: _Exchange, body: bytes) -> None:
        """As much as the client's windows let through now."""
        while body:
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if room <= 0:
                exchange.unsent = body
                return
            self._h2.send_data(stream, body[:room], end_stream=len(body) <= room)
            body = body[room:]
        self._forget(stream, exchange)

    def _forget(self, stream: int, exchange: _Exchange) -> None:
        del self._exchanges[stream]
        if not exchange.is_whole:
            self._h2.reset_stream(stream, ErrorCodes.NO_ERROR)  # spare us the rest (RFC 9113, section 8.1)


def _exchange(event: RequestReceived) -> _Exchange:
    """A request with the authority that h2 has made sure of: from either field, or from both where they agree."""
    fields = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in event.headers}
    return _Exchange(fields[":method"], bare_host(fields.get(":authority") or fields.get("host", "")))
