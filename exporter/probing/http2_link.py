"""The client's side of an HTTP/2 connection as bytes in and bytes out (RFC 9113). Touches nothing.

A client that asks one thing at a time, sends no bodies, is pushed nothing and keeps no table of fields is small, so it
is written out here: with a library for all of HTTP/2 (h2, in Python) a further name cost twice as much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from exporter.model import Request
from exporter.probing import http2_frames as frames
from exporter.probing import origin_frame
from exporter.probing.body import MOST_BODY_READ
from exporter.probing.bounds import MOST_HEADER_BYTES
from exporter.probing.failures import Broken, printable
from exporter.probing.hpack import FieldReader
from exporter.probing.http2_answer import Answer
from exporter.probing.http2_fields import EMPTY_TABLE, encoded
from exporter.probing.http2_frames import Frame, Frames

_HEADER_TABLE_SIZE, _ENABLE_PUSH, _MAX_CONCURRENT_STREAMS = 0x1, 0x2, 0x3  # RFC 9113, section 6.5.2
_INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE, _MAX_HEADER_LIST_SIZE = 0x4, 0x5, 0x6
_RANGES = {
    _ENABLE_PUSH: (0, 0),  # of a server's
    _INITIAL_WINDOW_SIZE: (0, 2**31 - 1),
    _MAX_FRAME_SIZE: (2**14, 2**24 - 1),
}
_ANY = (0, 2**32 - 1)
_HEEDED = {_MAX_CONCURRENT_STREAMS, _INITIAL_WINDOW_SIZE}
_DEFAULT_WINDOW = 65_535  # section 6.9.2
_LARGEST_WINDOW = 2**31 - 1
_PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + frames.settings({_ENABLE_PUSH: 0, _INITIAL_WINDOW_SIZE: MOST_BODY_READ, _MAX_HEADER_LIST_SIZE: MOST_HEADER_BYTES})
    + frames.window_update(0, MOST_BODY_READ)
)
"""With windows as wide as what is read of a body: a stream's need not be opened again."""
_SETTINGS_ACK = frames.frame(frames.SETTINGS, frames.ACK)
_MOST_ALT_SVC = 20  # origins that a connection may speak of
_LONGEST_ALT_SVC = 8 * 1024  # bytes; honest ones have some 100


class Link:
    """What was sent and came so far. Whatever the server does against the rules raises `Broken`.

    Attributes:
        answer: to the last request.
        unsent: what is to be sent, in order; who sends it empties it.
        origins: of the last ORIGIN frame (RFC 8336); None: none came.
        alt_svc: the field value of the last ALTSVC frame (RFC 7838, section 4) for each origin, `https://a.test:8443`.
        goaway: the code with which the server ends the connection, as soon as it has said so; None: it has not.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.unsent = bytearray(_PREFACE)
        self.origins: tuple[str, ...] | None = None
        self.alt_svc: dict[str, str] = {}
        self.goaway: str | None = None
        self._frames = Frames()
        self._fields = FieldReader()
        self._block: tuple[Frame, bytearray] | None = None  # a header section whose end has not come
        self._stream = -1
        self._origin = ""
        self._settings: dict[int, int] = {}
        self._was_resized = False
        self._room, self._room_of_stream = _DEFAULT_WINDOW, _DEFAULT_WINDOW  # what the server lets us send
        self._taken, self._taken_of_stream = 0, 0  # of the windows that we opened

    def ask(self, request: Request) -> None:
        if self._settings.get(_MAX_CONCURRENT_STREAMS) == 0:
            raise Broken("protocol-error", "nothing can be asked on this connection any more: it takes no streams")
        self._frames.count_anew()
        self.answer = Answer(request.method)
        self._stream += 2
        self._origin = f"https://{request.authority}"
        self._taken_of_stream = 0
        self._room_of_stream = self._settings.get(_INITIAL_WINDOW_SIZE, _DEFAULT_WINDOW)
        block = encoded(request)
        self.unsent += frames.request(self._stream, EMPTY_TABLE + block if self._was_resized else block)
        self._was_resized = False

    def cancel(self) -> None:
        """Enough was read: the server need not send the rest."""
        self.unsent += frames.reset(self._stream, "CANCEL")

    def end(self) -> None:
        """Tell the server that it broke the rules."""
        self.unsent += frames.goaway("PROTOCOL_ERROR")

    def feed(self, data: bytes) -> None:
        self._frames.feed(data)

    @property
    def frames_taken(self) -> int:
        """Since the last request."""
        return self._frames.number

    def take_next(self) -> bool:
        """Take one frame of what came, if there is a whole one."""
        frame = self._frames.next()
        if frame is None:
            return False
        if self._block is not None and frame.kind != frames.CONTINUATION:
            raise Broken("protocol-error", f"a frame of type {frame.kind} came within a header section")
        take = self._TAKERS.get(frame.kind)
        if take is not None:
            take(self, frame)
        return True

    def _take_data(self, frame: Frame) -> None:
        self._check_stream(frame)
        self._count_against_windows(frame)
        if self._is_awaited(frame.stream):
            self.answer.take_data(frame.content, ends=bool(frame.flags & frames.END_STREAM))

    def _count_against_windows(self, frame: Frame) -> None:
        """Padding counts too (section 6.9.1). The connection's window is opened again when half of it was taken."""
        length = len(frame.payload)
        self._taken += length
        if frame.stream == self._stream:
            self._taken_of_stream += length
        if self._taken_of_stream > MOST_BODY_READ:
            raise Broken("protocol-error", "the server sends more than the window that we opened for it")
        if self._taken > MOST_BODY_READ // 2:
            self.unsent += frames.window_update(0, self._taken)
            self._taken = 0

    def _take_headers(self, frame: Frame) -> None:
        self._check_stream(frame)
        self._block = frame, bytearray(frame.fragment)
        self._end_block(frame)

    def _take_continuation(self, frame: Frame) -> None:
        if self._block is None or self._block[0].stream != frame.stream:
            raise Broken("protocol-error", "a CONTINUATION frame continues nothing")
        self._block[1].extend(frame.payload)
        self._end_block(frame)

    def _end_block(self, last: Frame) -> None:
        if self._block is None or not last.flags & frames.END_HEADERS:
            return
        (first, block), self._block = self._block, None
        fields = self._fields.read(bytes(block))
        if self._is_awaited(first.stream):
            self.answer.take_fields(fields, ends=bool(first.flags & frames.END_STREAM))

    def _take_reset(self, frame: Frame) -> None:
        self._check_stream(frame)
        if self._is_awaited(frame.stream):
            raise Broken("stream-reset", frames.error_name(int.from_bytes(frame.payload, "big")))

    def _take_settings(self, frame: Frame) -> None:
        values = frames.settings_of(frame)
        if frame.flags & frames.ACK:
            return
        for number, value in values.items():
            least, most = _RANGES.get(number, _ANY)
            if not least <= value <= most:
                raise Broken("protocol-error", f"the server's setting {number} is {value}")
        if _INITIAL_WINDOW_SIZE in values:
            before = self._settings.get(_INITIAL_WINDOW_SIZE, _DEFAULT_WINDOW)
            self._room_of_stream += values[_INITIAL_WINDOW_SIZE] - before
        self._was_resized |= _HEADER_TABLE_SIZE in values
        self._settings |= {number: values[number] for number in _HEEDED & values.keys()}
        self.unsent += _SETTINGS_ACK

    def _take_ping(self, frame: Frame) -> None:
        if not frame.flags & frames.ACK:
            self.unsent += frames.frame(frames.PING, frames.ACK, payload=frame.payload)

    def _take_push(self, _frame: Frame) -> None:
        raise Broken("protocol-error", "the server pushes, though we have said that it may not")

    def _take_window_update(self, frame: Frame) -> None:
        """We send no bodies, and only see to it that the server can count (section 6.9.1)."""
        self._check_stream(frame)
        by = int.from_bytes(frame.payload, "big") & 0x7FFFFFFF
        if frame.stream == 0:
            self._room += by
        elif frame.stream == self._stream:
            self._room_of_stream += by
        if by == 0 or self._room > _LARGEST_WINDOW or self._room_of_stream > _LARGEST_WINDOW:
            raise Broken("protocol-error", f"the server opened a window by {by}")

    def _take_goaway(self, frame: Frame) -> None:
        """A server that ends the connection may still answer what it has begun, as nginx does (section 6.8)."""
        if len(frame.payload) < 8:
            raise Broken("protocol-error", "a GOAWAY frame is cut off")
        last_stream = int.from_bytes(frame.payload[:4], "big") & 0x7FFFFFFF
        code = int.from_bytes(frame.payload[4:8], "big")
        self.goaway = frames.error_name(code)
        if code or self._stream > last_stream:
            raise Broken("goaway", self.goaway)

    def _take_origin(self, frame: Frame) -> None:
        """RFC 8336, section 2.1: on stream 0, and without the flags that are kept for later."""
        if frame.stream == 0 and not frame.flags & 0x0F:
            self.origins = tuple(origin_frame.origins(frame.payload))

    def _take_alt_svc(self, frame: Frame) -> None:
        """RFC 7838, section 4: on stream 0 it names its origin, on another it has that stream's."""
        start = 2 + int.from_bytes(frame.payload[:2], "big")
        if start > len(frame.payload):
            raise Broken("protocol-error", "an ALTSVC frame is cut off")
        origin, value = frame.payload[2:start], frame.payload[start : start + _LONGEST_ALT_SVC]
        if bool(origin) == bool(frame.stream) or frame.stream not in (0, self._stream):
            return
        name = printable(origin.decode("ascii", "replace")) if origin else self._origin
        if name in self.alt_svc or len(self.alt_svc) < _MOST_ALT_SVC:
            self.alt_svc[name] = value.decode("latin-1")

    def _check_stream(self, frame: Frame) -> None:
        """Whether it was opened: our streams are odd, and nothing may be pushed."""
        if frame.stream > self._stream or (frame.stream and frame.stream % 2 == 0):
            raise Broken("protocol-error", f"a frame of type {frame.kind} came on stream {frame.stream}, which is idle")

    def _is_awaited(self, stream: int) -> bool:
        """What comes on streams of before is passed over: the server may not know yet that we cancelled them."""
        return stream == self._stream and not self.answer.complete

    _TAKERS: ClassVar[dict[int, Callable[[Link, Frame], None]]] = {
        frames.DATA: _take_data,
        frames.HEADERS: _take_headers,
        frames.RST_STREAM: _take_reset,
        frames.SETTINGS: _take_settings,
        frames.PUSH_PROMISE: _take_push,
        frames.PING: _take_ping,
        frames.GOAWAY: _take_goaway,
        frames.WINDOW_UPDATE: _take_window_update,
        frames.CONTINUATION: _take_continuation,
        frames.ALTSVC: _take_alt_svc,
        origin_frame.TYPE: _take_origin,
    }
    """What each frame means to us. Others, and PRIORITY, mean nothing (section 5.5)."""
