"""HTTP/2 over a channel (RFC 9113): one request at a time, its answer, all of it bounded. The only home of h2."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    AlternativeServiceAvailable,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    UnknownFrameReceived,
)
from h2.exceptions import DenialOfServiceError, H2Error, InvalidBodyLengthError
from h2.settings import SettingCodes, Settings
from hpack import Encoder, HeaderTuple, NeverIndexedHeaderTuple
from hpack.hpack import encode_integer
from hyperframe.frame import ExtensionFrame

from exporter.model import Failure, Method, Phase, Request, Response, Secret, revealed
from exporter.probing import origin_frame
from exporter.probing.body import MOST_BODY_READ, Body
from exporter.probing.bounds import MOST_HEADER_BYTES, MOST_HEADERS, MOST_INTERIM
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, PlainChannel
from exporter.probing.failures import Broken, printable

_FRAME_HEAD_BYTES = 9  # RFC 9113, section 4.1
_MOST_FRAME_BYTES = 16_384  # the smallest SETTINGS_MAX_FRAME_SIZE there is (section 6.5.2), and ours
_MOST_IDLE_FRAMES = 1_000  # that are no part of a body; a flood of PING, SETTINGS, empty DATA, ... ends here
_MOST_FRAMES = 20_000  # per request; at this bound, a body of 1 MiB comes in pieces of 52 bytes
_MOST_BYTES = 4 * MOST_BODY_READ  # per request; what is left of a body that was cancelled is at most two windows
_FRAMES_IN_A_ROW = 200  # some 3 ms of work; then whatever else waits in the event loop has its turn
_DATA, _HEADERS, _SETTINGS, _PUSH_PROMISE, _GOAWAY, _CONTINUATION = 0x0, 0x1, 0x4, 0x5, 0x7, 0x9
_LONGEST_ALT_SVC = 8 * 1024  # bytes; honest ones have some 100
_CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields that HTTP/2 forbids (RFC 9113, section 8.2.2)."""


class Http2:
    """A connection that speaks HTTP/2. `usable` says whether one more request may be sent on it.

    Attributes:
        origins: of the last ORIGIN frame (RFC 8336); None: none came.
        alt_svc: the field value of the last ALTSVC frame (RFC 7838, section 4), for whichever origin; None: none came.
    """

    def __init__(self, channel: Channel | PlainChannel) -> None:
        self._channel = channel
        self._h2 = _connection()
        self._frames = _Frames()
        self._events: deque[Event] = deque()
        self._stream = 0
        self._goaway: str | None = None
        self.origins: tuple[str, ...] | None = None
        self.alt_svc: str | None = None
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
                self._take_the_rest()
        except PhaseFailed as failed:
            self.usable = self.usable and failed.failure.kind == "stream-reset"
            return answer.response() if answer.has_headers else None, failed.failure
        return answer.response(), None

    def _send(self, request: Request) -> None:
        self._frames.count_anew()
        try:
            self._stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(self._stream, list(_fields(request)), end_stream=True)
        except H2Error as error:
            raise Broken("protocol-error", f"nothing can be asked on this connection any more: {error}") from error
        self._flush()

    async def _receive_headers(self, answer: _Answer) -> None:
        while not answer.has_headers:
            answer.take(await self._next())

    async def _receive_body(self, answer: _Answer) -> None:
        while not answer.complete:
            if answer.body.is_enough and not self._events:
                self._cancel()
                return
            event = await self._next_of_body()
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, self._stream)
            answer.take(event)
        answer.check_length()

    def _cancel(self) -> None:
        """Enough was read: the server need not send the rest."""
        self._h2.reset_stream(self._stream, ErrorCodes.CANCEL)
        self._flush()

    def _take_the_rest(self) -> None:
        """What came along with the answer: after a GOAWAY behind it, the next request needs another connection."""
        try:
            while frame := self._frames.next():
                self._take(frame)
            while self._events:
                self._note(self._events.popleft())
        except Broken:
            self.usable = False

    async def _next_of_body(self) -> Event:
        try:
            return await self._next()
        except Broken as broken:
            if broken.kind == "closed":
                raise Broken("truncated", "the server closed the connection before the body's end") from broken
            raise

    async def _next(self) -> Event:
        """The next event of our stream. Raises `Broken` where the stream or the connection is over."""
        while True:
            while self._events:
                event = self._events.popleft()
                if getattr(event, "stream_id", None) == self._stream:
                    return _unbroken(event)
                self._note(event)
            if frame := self._frames.next():
                self._take(frame)
            else:
                await self._read()
            if self._frames.number % _FRAMES_IN_A_ROW == _FRAMES_IN_A_ROW - 1:
                await asyncio.sleep(0)

    async def _read(self) -> None:
        self._flush()  # acknowledgements go out together, before there is something to wait for
        data = await self._channel.read()
        if data:
            self._frames.feed(data)
        elif self._goaway is not None:
            raise Broken("goaway", self._goaway)
        else:
            raise Broken("closed", "the server closed the connection without an answer")

    def _take(self, frame: bytes) -> None:
        """One frame at a time: where h2 raises, it has lost the events of all frames that it was given with the bad."""
        if _is_goaway(frame):
            self._note_goaway(frame[_FRAME_HEAD_BYTES:])
            return
        try:
            self._events.extend(self._h2.receive_data(frame))
        except H2Error as error:
            self._flush()  # h2 has written a GOAWAY that says what is wrong
            raise _broken(error) from error

    def _note_goaway(self, payload: bytes) -> None:
        """A server that ends the connection may still answer what it has begun, as nginx does (RFC 9113, section 6.8).

        So h2 is not told: it would take no frame after this one.
        """
        last_stream = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        code = int.from_bytes(payload[4:8], "big")
        self.usable, self._goaway = False, _code(code)
        if code != ErrorCodes.NO_ERROR or self._stream > last_stream:
            raise Broken("goaway", self._goaway)

    def _note(self, event: Event) -> None:
        """What is about the connection, or about streams of before."""
        match event:
            case UnknownFrameReceived(frame=ExtensionFrame() as frame):
                if frame.type == origin_frame.TYPE and frame.stream_id == 0:
                    self.origins = tuple(origin_frame.origins(frame.body))
            case AlternativeServiceAvailable(field_value=bytes() as value):
                self.alt_svc = value[:_LONGEST_ALT_SVC].decode("latin-1")
            case _:
                pass

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._channel.write(data)


_SETTINGS_OF_OURS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: MOST_BODY_READ,
    SettingCodes.MAX_HEADER_LIST_SIZE: MOST_HEADER_BYTES,
}


def _connection() -> H2Connection:
    """Our preface, and windows as wide as what is read of a body. What we send is right by construction, and what
    comes is checked by `_Answer`: h2's own checks look at each byte, and refuse what browsers take.
    """
    connection = H2Connection(
        H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
    )
    connection.encoder = _Literals()
    connection.local_settings = Settings(client=True, initial_values=_SETTINGS_OF_OURS)
    connection.initiate_connection()
    connection.increment_flow_control_window(MOST_BODY_READ)
    return connection


class _Frames:
    """Cuts what comes into frames, and bounds their length, and how many come per request, before h2 sees them.

    h2 waits for the whole of a frame of up to 16 MiB before it complains of its length, and for any number of them.
    """

    def __init__(self) -> None:
        self.number = 0
        self._unread = bytearray()
        self._idle = 0
        self._bytes = 0
        self._header_bytes = 0
        self._began = False

    def count_anew(self) -> None:
        self.number = self._idle = self._bytes = 0

    def feed(self, data: bytes) -> None:
        self._unread += data

    def next(self) -> bytes | None:
        """The next frame with its head; None: the rest of it has not come. Raises `Broken`."""
        unread = self._unread
        if len(unread) < _FRAME_HEAD_BYTES:
            return None
        kind, length = unread[3], int.from_bytes(unread[:3], "big")
        self._check(kind, length)
        end = _FRAME_HEAD_BYTES + length
        if len(unread) < end:
            return None
        frame = bytes(unread[:end])
        del unread[:end]
        self._count(kind, length)
        return frame

    def _check(self, kind: int, length: int) -> None:
        """What its head alone tells."""
        if not self._began and kind != _SETTINGS:  # RFC 9113, section 3.4
            raise Broken("protocol-error", f"the server began with {bytes(self._unread[:40])!r} instead of SETTINGS")
        if length > _MOST_FRAME_BYTES:
            raise Broken("protocol-error", f"the server announced a frame of {length} bytes")
        if kind == _CONTINUATION and self._header_bytes + length > MOST_HEADER_BYTES:
            raise Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of header section")

    def _count(self, kind: int, length: int) -> None:
        self._began = True
        self._header_bytes = length if kind in (_HEADERS, _PUSH_PROMISE) else self._header_bytes + length
        self.number += 1
        self._bytes += length
        self._idle += kind != _DATA or length == 0
        if self._idle > _MOST_IDLE_FRAMES or self.number > _MOST_FRAMES or self._bytes > _MOST_BYTES:
            raise Broken(
                "protocol-error", f"a flood: {self.number} frames, {self._bytes} bytes, {self._idle} of no body"
            )


class _Literals(Encoder):
    """Writes each field as it is (RFC 7541, sections 6.2.2 and 6.2.3): no table to search, and no code to spell it in.

    A further name on a connection costs a quarter less for it, and each request is the same whatever was asked before.
    """

    def encode(self, headers: Iterable[HeaderTuple], huffman: bool = False) -> bytes:  # type: ignore[override]  # noqa: ARG002
        """What h2 calls."""
        block = b"".join(map(_literal, headers))
        if self.header_table.resized:
            self.header_table.resized = False
            return b"\x20" + block  # the server wants a smaller table, and an empty one it gets (section 6.3)
        return block


_NAMES = {b":authority": b"\x01", b":method": b"\x02", b":path": b"\x04", b":scheme": b"\x06"}
"""Their places in the static table (RFC 7541, appendix A)."""


def _literal(field: HeaderTuple) -> bytes:
    name, value = field
    if isinstance(field, NeverIndexedHeaderTuple):
        return b"\x10" + _string(name) + _string(value)
    return (_NAMES.get(name) or b"\x00" + _string(name)) + _string(value)


def _string(octets: bytes) -> bytes:
    return bytes(encode_integer(len(octets), 7)) + octets


def _fields(request: Request) -> Iterator[HeaderTuple]:
    yield HeaderTuple(b":method", request.method.encode())
    yield HeaderTuple(b":scheme", b"https")
    yield HeaderTuple(b":authority", request.authority.encode())
    yield HeaderTuple(b":path", request.path.encode())
    for name, value in request.headers:
        if name.lower() not in _CONNECTION_FIELDS:
            kind = NeverIndexedHeaderTuple if isinstance(value, Secret) else HeaderTuple  # RFC 7541, section 7.1.3
            yield kind(name.lower().encode("latin-1"), revealed(value).encode("latin-1"))


class _Answer:
    """Collects one answer from events."""

    def __init__(self, method: Method) -> None:
        self.body = Body()
        self.complete = False
        self.has_headers = False
        self._method = method
        self._fields: tuple[tuple[str, str], ...] = ()
        self._status = 0
        self._interim = 0

    def take(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._begin(event.headers)
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

    def check_length(self) -> None:
        """Raises `Broken` where the body is shorter than Content-Length says (RFC 9113, section 8.1.1).

        h2 sees to it where there is a body.
        """
        has_none = self._method is Method.HEAD or self._status in (204, 304)
        said = dict(self._fields).get("content-length")
        if said is not None and not has_none and self.body.read == 0 and said.strip("0"):
            raise Broken("truncated", "the answer has no body, and its Content-Length says otherwise")

    def response(self) -> Response:
        return Response(
            status=self._status,
            version="2",
            headers=self._fields,
            body=self.body.kept,
            body_bytes=self.body.read,
            body_complete=self.complete,
            body_sha256=self.body.sha256,
        )

    def _begin(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if len(headers) > MOST_HEADERS + 1:
            raise Broken("headers-too-big", f"more than {MOST_HEADERS} header lines")
        self._status = _status(headers)
        self._fields = tuple(_pair(name, value) for name, value in headers[1:])
        self.has_headers = True


_FIELD_NAME = re.compile(rb"[!-9;-@\[-~]+")  # RFC 9113, section 8.2.1
_NOT_IN_VALUE = re.compile(rb"[\x00\r\n]")


def _status(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Of the one pseudo-header field that an answer has (RFC 9113, section 8.3.2)."""
    name, value = headers[0] if headers else (b"", b"")
    if name != b":status":
        raise Broken("protocol-error", "the answer does not begin with a status")
    if not (len(value) == 3 and value.isdigit()):
        raise Broken("protocol-error", f"the status is {value!r}")
    return int(value)


def _pair(name: bytes, value: bytes) -> tuple[str, str]:
    """Strict as RFC 9113 is (section 8.2), but for spaces around a value, which browsers and curl let pass."""
    if _FIELD_NAME.fullmatch(name) is None:
        raise Broken("protocol-error", f"a field is named {name!r}")
    if _NOT_IN_VALUE.search(value):
        raise Broken("protocol-error", f"the field {name!r} holds a line break or NUL")
    field = name.decode("latin-1")
    if field in _CONNECTION_FIELDS:
        raise Broken("protocol-error", f"the field {field!r} is forbidden in HTTP/2")
    return field, value.decode("latin-1").strip(" \t")


def _unbroken(event: Event) -> Event:
    if isinstance(event, StreamReset):
        if not event.remote_reset:
            raise Broken("protocol-error", f"we had to reset the stream: {_code(event.error_code)}")
        raise Broken("stream-reset", _code(event.error_code))
    return event


def _broken(error: H2Error) -> Broken:
    match error:
        case DenialOfServiceError():
            return Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of fields")
        case InvalidBodyLengthError(expected_length=expected, actual_length=actual) if actual < expected:
            return Broken("truncated", f"the body ended after {actual} of {expected} bytes")
        case _:
            return Broken("protocol-error", f"the server broke HTTP/2: {error}")


def _is_goaway(frame: bytes) -> bool:
    """Whether it is a sound one: any other is for h2 to complain of."""
    return frame[3] == _GOAWAY and frame[5:9] == bytes(4) and len(frame) >= _FRAME_HEAD_BYTES + 8


def _code(code: ErrorCodes | int | None) -> str:
    """The name of an error code (RFC 9113, section 7), or its number."""
    return ErrorCodes(code).name if code in _CODES else printable(str(code))


_CODES = frozenset(ErrorCodes)
