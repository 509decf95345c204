"""HTTP/3 over QUIC (RFC 9114): one request at a time, its answer, all of it bounded. aioquic's home, with `quic.py`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType

import pylsqpack
from aioquic.h3.connection import ErrorCode, H3Connection, H3Stream, Setting
from aioquic.h3.events import DataReceived, H3Event, Headers, HeadersReceived
from aioquic.quic.events import QuicEvent, StreamDataReceived, StreamReset

from exporter.model import Failure, Method, Phase, Request, Response, revealed
from exporter.probing import origin_frame
from exporter.probing.body import Body
from exporter.probing.bounds import MOST_HEADER_BYTES, MOST_HEADERS, MOST_INTERIM
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.control_stream import GOAWAY, ControlStream, integer
from exporter.probing.failures import Broken
from exporter.probing.quic import Quic, http_code

_MOST_IDLE_EVENTS = 1_000  # about something else than our request
_MOST_ASIDE = 256 * 1024  # bytes on other streams than our requests', per connection: settings are some 100
_PIECE = 16 * 1024  # bytes that are taken in at once, so that a bound is never exceeded by more
_CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields that HTTP/3 forbids (RFC 9114, section 4.2)."""


class Http3:
    """A connection that speaks HTTP/3. `usable` says whether one more request may be sent on it."""

    alt_svc: Mapping[str, str] = MappingProxyType({})
    """HTTP/3 has no ALTSVC frame."""

    def __init__(self, quic: Quic) -> None:
        self._quic = quic
        self._h3 = _BoundedH3(quic.engine)
        self._control = ControlStream()
        self._events: deque[H3Event] = deque()
        self._stream = 0
        self._last_stream: int | None = None
        self._unparsed = 0
        self._aside = 0
        self._idle_events = 0
        self.origins: tuple[str, ...] | None = None
        self.usable = True

    async def exchange(self, request: Request, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        """Ask and listen. A failure after the header section stands beside what was received of the answer."""
        answer = _Answer(request.method)
        try:
            async with clock.phase(Phase.PROCESSING):
                self._send(request)
                await self._receive_headers(answer)
            async with clock.phase(Phase.TRANSFER):
                await self._receive_body(answer)
                self._note_what_is_left()
        except PhaseFailed as failed:
            if failed.failure.kind != "stream-reset":
                self.usable = False
            return answer.response() if answer.has_headers else None, failed.failure
        return answer.response(), None

    def _send(self, request: Request) -> None:
        self._idle_events = self._unparsed = 0
        self._events.clear()
        self._quic.begin_exchange()
        self._stream = self._quic.engine.get_next_available_stream_id()
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in _fields(request)]
        self._h3.send_headers(self._stream, fields, end_stream=True)
        self._quic.flush()

    async def _receive_headers(self, answer: _Answer) -> None:
        while not answer.has_headers:
            answer.take(await self._next())
            if answer.complete and not answer.has_headers:
                raise Broken("protocol-error", "the stream ended without an answer")

    async def _receive_body(self, answer: _Answer) -> None:
        while not answer.complete:
            if answer.body.is_enough:
                self._cancel()
                return
            answer.take(await self._next_of_body())
        answer.check_length()

    def _cancel(self) -> None:
        """Enough was read: the server need not send the rest."""
        with suppress(ValueError):  # it has sent all of it by now
            self._quic.engine.stop_stream(self._stream, ErrorCode.H3_REQUEST_CANCELLED)
        self._quic.flush()

    def _note_what_is_left(self) -> None:
        """What came along with the answer: a GOAWAY behind it means that the next request needs another connection."""
        try:
            for event in self._quic.events_at_hand():
                self._note(event)
        except Broken:
            self.usable = False
        self.usable = self.usable and self._last_stream is None and self._quic.has_room

    async def _next_of_body(self) -> H3Event:
        try:
            return await self._next()
        except Broken as broken:
            if broken.kind == "closed":
                raise Broken("truncated", "the server closed the connection before the body's end") from broken
            raise

    async def _next(self) -> H3Event:
        """The next event of our stream. Raises `Broken` where the stream or the connection is over."""
        while not self._events:
            event = await self._quic.next_event()
            if getattr(event, "stream_id", None) == self._stream:
                self._take(event)
            else:
                self._note(event)
        return self._events.popleft()

    def _take(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived):
            for piece in _pieces(event):
                self._take_piece(piece)
            return
        self._h3.handle_event(event)
        if isinstance(event, StreamReset):
            raise Broken("stream-reset", http_code(event.error_code))

    def _take_piece(self, piece: StreamDataReceived) -> None:
        """aioquic keeps a frame of fields until it is whole, however long it says that it is."""
        events = self._h3.handle_event(piece)
        self._events.extend(events)
        self._unparsed = 0 if events else self._unparsed + len(piece.data)
        if self._unparsed > MOST_HEADER_BYTES:
            raise Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of header section")

    def _note(self, event: QuicEvent) -> None:
        """What is about the connection, or about streams of before."""
        if isinstance(event, StreamDataReceived) and event.stream_id % 4 == 0:  # RFC 9000, section 2.1
            return  # the rest of an answer that was cut short
        self._idle_events += 1
        if isinstance(event, StreamDataReceived):
            self._aside += len(event.data)
        if self._idle_events > _MOST_IDLE_EVENTS or self._aside > _MOST_ASIDE:
            raise Broken("protocol-error", "the server sent too much about something else than the request")
        self._h3.handle_event(event)
        if isinstance(event, StreamDataReceived) and event.stream_id % 4 == 3:
            for kind, payload in self._control.frames(event.stream_id, event.data):
                self._note_control(kind, payload)

    def _note_control(self, kind: int, payload: bytes) -> None:
        if kind == origin_frame.TYPE:
            self.origins = tuple(origin_frame.origins(payload))
        elif kind == GOAWAY:
            self._last_stream, _ = integer(payload, 0)
            if self._stream >= self._last_stream:
                raise Broken("goaway", f"the server answers no request from number {self._last_stream // 4} on")


class _BoundedH3(H3Connection):
    """aioquic's HTTP/3 with its tables switched off, so that what fields unpack to is bounded by what was sent.

    With a table of 4,096 bytes, 64 KiB of references would unpack to 256 MiB.
    """

    def _init_connection(self) -> None:
        self._decoder = pylsqpack.Decoder(0, 0)
        self._max_push_id = None  # nothing may be pushed (RFC 9114, section 7.2.7)
        super()._init_connection()

    def _get_local_settings(self) -> dict[int, int]:
        return {
            Setting.QPACK_MAX_TABLE_CAPACITY: 0,
            Setting.QPACK_BLOCKED_STREAMS: 0,
            Setting.MAX_FIELD_SECTION_SIZE: MOST_HEADER_BYTES,
        }

    def _check_content_length(self, stream: H3Stream) -> None:
        """Not here: the answers to HEAD have a length and no body, and aioquic does not know what was asked."""


class _Answer:
    """Collects one answer from events."""

    def __init__(self, method: Method) -> None:
        self.body = Body()
        self.complete = False
        self.has_headers = False
        self._method = method
        self._fields: list[tuple[str, str]] = []
        self._status = 0
        self._interim = 0

    def take(self, event: H3Event) -> None:
        match event:
            case HeadersReceived():
                if not self.has_headers:
                    self._begin(event.headers)
                self.complete = event.stream_ended
            case DataReceived():
                self.body.take(event.data)
                self.complete = event.stream_ended
            case _:
                pass

    def check_length(self) -> None:
        """Raises `Broken` where the body is not as long as Content-Length says (RFC 9114, section 4.1.2)."""
        said = dict(self._fields).get("content-length")
        has_none = self._method is Method.HEAD or self._status in (204, 304)
        if said is not None and not has_none and said != str(self.body.read):
            raise Broken("truncated", f"the body has {self.body.read} bytes, and its Content-Length is another")

    def response(self) -> Response:
        return Response(
            status=self._status,
            version="3",
            headers=tuple(self._fields),
            body=self.body.kept,
            body_bytes=self.body.read,
            body_complete=self.complete,
            body_sha256=self.body.sha256,
        )

    def _begin(self, headers: Headers) -> None:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers[: MOST_HEADERS + 1]]
        if len(fields) > MOST_HEADERS:
            raise Broken("headers-too-big", f"more than {MOST_HEADERS} header lines")
        status = int(dict(fields)[":status"])  # three digits: aioquic has seen to it
        if status < 100:
            raise Broken("protocol-error", f"the status is {status}")
        if status < 200:
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise Broken("protocol-error", f"more than {MOST_INTERIM} interim answers")
            return
        self._status = status
        self._fields = [(name, value) for name, value in fields if not name.startswith(":")]
        self.has_headers = True


def _pieces(event: StreamDataReceived) -> Iterator[StreamDataReceived]:
    if len(event.data) <= _PIECE:
        yield event
        return
    for start in range(0, len(event.data), _PIECE):
        last = start + _PIECE >= len(event.data)
        yield StreamDataReceived(event.data[start : start + _PIECE], event.end_stream and last, event.stream_id)


def _fields(request: Request) -> Iterator[tuple[str, str]]:
    yield ":method", request.method
    yield ":scheme", "https"
    yield ":authority", request.authority
    yield ":path", request.path
    for name, value in request.headers:
        if name.lower() not in _CONNECTION_FIELDS:
            yield name.lower(), revealed(value)
