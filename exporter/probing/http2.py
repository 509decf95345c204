"""HTTP/2 over a channel (RFC 9113): one request at a time, its answer, all of it bounded. The only home of h2."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    UnknownFrameReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes
from hyperframe.frame import ExtensionFrame

from exporter.model import Failure, Phase, Request, Response, revealed
from exporter.probing.body import MOST_BODY_READ, Body
from exporter.probing.bounds import MOST_HEADER_BYTES, MOST_HEADERS, MOST_INTERIM
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, PlainChannel
from exporter.probing.failures import Broken, printable

_MOST_IDLE_EVENTS = 1_000  # frames about something else than our request; a flood of PING, SETTINGS, ... ends here
_FRAME_HEAD_BYTES = 9  # RFC 9113, section 4.1
_MOST_FRAME_BYTES = 16_384
_ORIGIN = 0x0C  # RFC 8336, section 2
_MOST_ORIGINS = 1_000
_CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields that HTTP/2 forbids (RFC 9113, section 8.2.2)."""


class Http2:
    """A connection that speaks HTTP/2. `usable` says whether one more request may be sent on it."""

    def __init__(self, channel: Channel | PlainChannel) -> None:
        self._channel = channel
        # What we send is right by construction; what comes is checked.
        settings = H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._h2 = H2Connection(settings)
        self._h2.local_settings.update(
            {
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: MOST_BODY_READ,
                SettingCodes.MAX_HEADER_LIST_SIZE: MOST_HEADER_BYTES,
            }
        )
        self._h2.initiate_connection()
        self._events: deque[Event] = deque()
        self._frames = _FrameLengths()
        self._idle_events = 0
        self._origins: tuple[str, ...] | None = None
        self.usable = True

    @property
    def origins(self) -> tuple[str, ...] | None:
        """The origins of the last ORIGIN frame (RFC 8336); None: none came."""
        return self._origins

    async def exchange(self, request: Request, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        """Ask and listen. A failure after the header section stands beside what was received of the answer."""
        answer = _Answer()
        try:
            async with clock.phase(Phase.PROCESSING):
                stream = self._send(request)
                await self._receive_headers(stream, answer)
            async with clock.phase(Phase.TRANSFER):
                await self._receive_body(stream, answer)
        except PhaseFailed as failed:
            if failed.failure.kind != "stream-reset":
                self.usable = False
            return answer.response() if answer.has_headers else None, failed.failure
        self._note_what_is_left()
        return answer.response(), None

    def _send(self, request: Request) -> int:
        self._idle_events = 0
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, list(_fields(request)), end_stream=True)
        except H2Error as error:
            raise Broken("protocol-error", f"nothing can be asked on this connection any more: {error}") from error
        self._flush()
        return stream

    def _note_what_is_left(self) -> None:
        """What came along with the answer: a GOAWAY behind it means that the next request needs another connection."""
        try:
            while self._events:
                self._note(self._events.popleft())
        except Broken:
            self.usable = False

    async def _receive_headers(self, stream: int, answer: _Answer) -> None:
        while not answer.has_headers:
            answer.take(await self._next(stream))

    async def _receive_body(self, stream: int, answer: _Answer) -> None:
        while not answer.complete:
            if answer.body.is_enough:
                self._cancel(stream)
                return
            event = await self._next_of_body(stream)
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
            answer.take(event)

    def _cancel(self, stream: int) -> None:
        """Enough was read: the server need not send the rest."""
        self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        self._flush()

    async def _next_of_body(self, stream: int) -> Event:
        try:
            return await self._next(stream)
        except Broken as broken:
            if broken.kind == "closed":
                raise Broken("truncated", "the server closed the connection before the body's end") from broken
            raise

    async def _next(self, stream: int) -> Event:
        """The next event of `stream`. Raises `Broken` where the stream or the connection is over."""
        while True:
            while self._events:
                event = self._events.popleft()
                if getattr(event, "stream_id", None) == stream:
                    return _unbroken(event)
                self._note(event)
            await self._receive()

    async def _receive(self) -> None:
        self._flush()  # acknowledgements go out together, before there is something to wait for
        data = await self._channel.read()
        if not data:
            raise Broken("closed", "the server closed the connection without an answer")
        self._frames.check(data)
        try:
            self._events.extend(self._h2.receive_data(data))
        except H2Error as error:
            self._flush()  # h2 has written a GOAWAY that says what is wrong
            raise Broken("protocol-error", f"the server broke HTTP/2: {error}") from error

    def _note(self, event: Event) -> None:
        """What is about the connection, or about streams of before."""
        self._idle_events += 1
        if self._idle_events > _MOST_IDLE_EVENTS:
            raise Broken(
                "protocol-error", f"more than {_MOST_IDLE_EVENTS} frames about something else than the request"
            )
        if isinstance(event, ConnectionTerminated):
            self.usable = False
            raise Broken("goaway", _code(event.error_code))
        if isinstance(event, UnknownFrameReceived) and isinstance(event.frame, ExtensionFrame):
            self._note_extension(event.frame)

    def _note_extension(self, frame: ExtensionFrame) -> None:
        if frame.type == _ORIGIN and frame.stream_id == 0:
            self._origins = tuple(_origins(frame.body))

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._channel.write(data)


class _FrameLengths:
    """Refuses a frame as soon as its length is announced: h2 waits for the whole of it before it looks.

    The bound is the smallest SETTINGS_MAX_FRAME_SIZE there is (RFC 9113, section 6.5.2), and ours.
    """

    def __init__(self) -> None:
        self._head = b""
        self._payload_left = 0

    def check(self, data: bytes) -> None:
        place = 0
        while place < len(data):
            if self._payload_left:
                passed = min(self._payload_left, len(data) - place)
                self._payload_left -= passed
                place += passed
                continue
            piece = data[place : place + _FRAME_HEAD_BYTES - len(self._head)]
            self._head += piece
            place += len(piece)
            if len(self._head) == _FRAME_HEAD_BYTES:
                self._payload_left, self._head = int.from_bytes(self._head[:3], "big"), b""
                if self._payload_left > _MOST_FRAME_BYTES:
                    raise Broken("protocol-error", f"a frame of {self._payload_left} bytes is announced")


class _Answer:
    """Collects one answer from events."""

    def __init__(self) -> None:
        self.body = Body()
        self.complete = False
        self.has_headers = False
        self._fields: list[tuple[str, str]] = []
        self._status = 0
        self._interim = 0

    def take(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._begin(event)
            case InformationalResponseReceived():
                self._interim += 1
                if self._interim > MOST_INTERIM:
                    raise Broken("protocol-error", f"more than {MOST_INTERIM} interim answers")
            case DataReceived():
                self.body.take(event.data)
            case StreamEnded():
                self.complete = True
            case _:
                pass  # window updates, trailers

    def response(self) -> Response:
        return Response(
            status=self._status,
            version="2",
            headers=tuple(self._fields),
            body=self.body.kept,
            body_bytes=self.body.read,
            body_complete=self.complete,
            body_sha256=self.body.sha256,
        )

    def _begin(self, event: ResponseReceived) -> None:
        fields = [(_text(name), _text(value)) for name, value in event.headers]
        if len(fields) > MOST_HEADERS:
            raise Broken("headers-too-big", f"more than {MOST_HEADERS} header lines")
        self._status = _status(dict(fields).get(":status", ""))
        self._fields = [(name, value) for name, value in fields if not name.startswith(":")]
        self.has_headers = True


def _fields(request: Request) -> Iterator[tuple[str, str]]:
    yield ":method", request.method
    yield ":scheme", "https"
    yield ":authority", request.authority
    yield ":path", request.path
    for name, value in request.headers:
        if name.lower() not in _CONNECTION_FIELDS:
            yield name.lower(), revealed(value)


def _status(text: str) -> int:
    if not (len(text) == 3 and text.isascii() and text.isdigit()):
        raise Broken("protocol-error", f"the status is {printable(text)!r}")
    return int(text)


def _unbroken(event: Event) -> Event:
    if isinstance(event, StreamReset):
        raise Broken("stream-reset", _code(event.error_code))
    return event


def _code(code: ErrorCodes | int | None) -> str:
    """The name of an error code (RFC 9113, section 7), or its number."""
    return code.name if isinstance(code, ErrorCodes) else printable(str(code))


def _origins(body: bytes) -> Iterator[str]:
    """The entries of an ORIGIN frame: each a length of 16 bits and an ASCII origin. What is cut off is left out."""
    place = 0
    for _ in range(_MOST_ORIGINS):
        length = int.from_bytes(body[place : place + 2], "big")
        entry = body[place + 2 : place + 2 + length]
        place += 2 + length
        if not entry or len(entry) < length:
            return
        yield printable(entry.decode("ascii", "replace"))


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
