"""HTTP/2 frames as bytes (RFC 9113, sections 4 and 6): cut and bounded as they come, written as we send them."""

from __future__ import annotations

from typing import NamedTuple

from exporter.probing.body import MOST_BODY_READ
from exporter.probing.bounds import MOST_HEADER_BYTES
from exporter.probing.failures import Broken

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ALTSVC = 0x0A  # RFC 7838, section 4

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITIZED = 0x20

HEAD_BYTES = 9
MOST_FRAME_BYTES = 16_384  # the smallest SETTINGS_MAX_FRAME_SIZE there is (section 6.5.2), and ours
MOST_IDLE_FRAMES = 1_000  # that are no part of a body; a flood of PING, SETTINGS, empty DATA, ... ends here
MOST_IDLE_BYTES = 256 * 1024  # in them, per request: four times the longest header section that is taken
MOST_FRAMES = 20_000  # per request; at this bound, a body of 1 MiB comes in pieces of 52 bytes
MOST_BYTES = 4 * MOST_BODY_READ  # per request; what is left of a body that was cancelled is at most two windows

ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)
"""The names of error codes (section 7), by code."""

_LENGTHS = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
_OF_A_STREAM = frozenset({DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION})
_OF_THE_CONNECTION = frozenset({SETTINGS, PING, GOAWAY})


class Frame(NamedTuple):
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def content(self) -> bytes:
        """The payload without padding (sections 6.1 and 6.2). Raises `Broken`."""
        if not self.flags & PADDED:
            return self.payload
        end = len(self.payload) - self.payload[0] if self.payload else 0
        if end < 1:
            raise Broken("protocol-error", "a frame has more padding than payload")
        return self.payload[1:end]

    @property
    def fragment(self) -> bytes:
        """Of HEADERS: the part of the header section that it carries."""
        content = self.content
        if not self.flags & PRIORITIZED:
            return content
        if len(content) < 5:
            raise Broken("protocol-error", "a priority is cut off")
        return content[5:]


class Frames:
    """Cuts what comes into frames, and bounds their length, and how many come per request, before anybody looks.

    Attributes:
        number: of frames since `count_anew`.
    """

    def __init__(self) -> None:
        self.number = 0
        self._unread = bytearray()
        self._idle = 0
        self._idle_bytes = 0
        self._bytes = 0
        self._header_bytes = 0
        self._began = False

    def count_anew(self) -> None:
        self.number = self._idle = self._idle_bytes = self._bytes = 0

    def feed(self, data: bytes) -> None:
        self._unread += data

    def next(self) -> Frame | None:
        """The next frame; None: the rest of it has not come. Raises `Broken`."""
        unread = self._unread
        if len(unread) < HEAD_BYTES:
            return None
        kind, length = unread[3], int.from_bytes(unread[:3], "big")
        self._check_head(kind, length)
        end = HEAD_BYTES + length
        if len(unread) < end:
            return None
        stream = int.from_bytes(unread[5:9], "big") & 0x7FFFFFFF
        frame = Frame(kind, unread[4], stream, bytes(unread[HEAD_BYTES:end]))
        del unread[:end]
        self._count(kind, length)
        _check(frame)
        return frame

    def _check_head(self, kind: int, length: int) -> None:
        """What its head alone tells."""
        if not self._began and kind != SETTINGS:  # section 3.4
            raise Broken("protocol-error", f"the server began with {bytes(self._unread[:40])!r} instead of SETTINGS")
        if length > MOST_FRAME_BYTES:
            raise Broken("protocol-error", f"the server announced a frame of {length} bytes")
        if kind == CONTINUATION and self._header_bytes + length > MOST_HEADER_BYTES:
            raise Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of header section")

    def _count(self, kind: int, length: int) -> None:
        self._began = True
        self._header_bytes = length if kind == HEADERS else self._header_bytes + length
        self.number += 1
        self._bytes += length
        if kind != DATA or length == 0:
            self._idle += 1
            self._idle_bytes += length
        if self._idle > MOST_IDLE_FRAMES or self._idle_bytes > MOST_IDLE_BYTES:
            raise Broken("protocol-error", f"a flood: {self._idle} frames of {self._idle_bytes} bytes, and of no body")
        if self.number > MOST_FRAMES or self._bytes > MOST_BYTES:
            raise Broken("protocol-error", f"a flood: {self.number} frames of {self._bytes} bytes")


def _check(frame: Frame) -> None:
    """What holds for a kind of frame whatever was before."""
    length = _LENGTHS.get(frame.kind)
    if length is not None and len(frame.payload) != length:
        raise Broken("protocol-error", f"a frame of type {frame.kind} has {len(frame.payload)} bytes, not {length}")
    if frame.kind in (_OF_THE_CONNECTION if frame.stream else _OF_A_STREAM):
        raise Broken("protocol-error", f"a frame of type {frame.kind} came on stream {frame.stream}")


def settings_of(frame: Frame) -> dict[int, int]:
    """The settings by number, the last value of each (section 6.5.1). Raises `Broken`."""
    payload = frame.payload
    if len(payload) % 6 or (frame.flags & ACK and payload):
        raise Broken("protocol-error", f"a SETTINGS frame has {len(payload)} bytes")
    return {
        int.from_bytes(payload[place : place + 2], "big"): int.from_bytes(payload[place + 2 : place + 6], "big")
        for place in range(0, len(payload), 6)
    }


def error_name(code: int) -> str:
    """The name of an error code, or its number."""
    return ERRORS[code] if code < len(ERRORS) else str(code)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame to send."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def settings(values: dict[int, int]) -> bytes:
    payload = b"".join(number.to_bytes(2, "big") + value.to_bytes(4, "big") for number, value in values.items())
    return frame(SETTINGS, payload=payload)


def window_update(stream: int, by: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, by.to_bytes(4, "big"))


def reset(stream: int, error: str) -> bytes:
    return frame(RST_STREAM, 0, stream, ERRORS.index(error).to_bytes(4, "big"))


def goaway(error: str) -> bytes:
    """The last stream is none: a client takes no requests."""
    return frame(GOAWAY, payload=bytes(4) + ERRORS.index(error).to_bytes(4, "big"))


def request(stream: int, block: bytes) -> bytes:
    """A header section that ends its stream, in as many frames as it takes."""
    if len(block) <= MOST_FRAME_BYTES:
        return frame(HEADERS, END_STREAM | END_HEADERS, stream, block)
    pieces = [block[place : place + MOST_FRAME_BYTES] for place in range(0, len(block), MOST_FRAME_BYTES)]
    first, *others, last = pieces
    return (
        frame(HEADERS, END_STREAM, stream, first)
        + b"".join(frame(CONTINUATION, 0, stream, piece) for piece in others)
        + frame(CONTINUATION, END_HEADERS, stream, last)
    )
