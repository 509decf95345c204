"""The frames of an HTTP/3 server's control stream, as bytes (RFC 9114, sections 6.2.1 and 7.1). Touches nothing.

aioquic checks them, but skips over those that it does not use itself: GOAWAY and ORIGIN.
"""

from __future__ import annotations

from collections.abc import Iterator

GOAWAY = 0x07
_CONTROL = 0x00


class ControlStream:
    """Finds the control stream among the server's unidirectional streams. Who feeds it bounds how much it holds."""

    def __init__(self) -> None:
        self._begun: set[int] = set()
        self._stream: int | None = None
        self._unread = bytearray()

    def frames(self, stream: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(type, payload) of each frame that `data`, the next of `stream`, brings to its end."""
        if data and stream not in self._begun:
            self._begun.add(stream)
            if self._stream is None and data[0] == _CONTROL:
                self._stream, data = stream, data[1:]
        if stream == self._stream:
            self._unread += data
            yield from self._whole_frames()

    def _whole_frames(self) -> Iterator[tuple[int, bytes]]:
        place = 0
        while True:
            kind, after_kind = integer(self._unread, place)
            length, start = integer(self._unread, after_kind)
            if start + length > len(self._unread):
                break
            place = start + length
            yield kind, bytes(self._unread[start:place])
        del self._unread[:place]


def integer(data: bytes | bytearray, place: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000, section 16) and where it ends; beyond the end of `data` if it is cut off.

    >>> integer(bytes.fromhex("7bbd"), 0), integer(b"", 0)
    ((15293, 2), (0, 1))
    """
    size = 1 << (data[place] >> 6) if place < len(data) else 1
    value = int.from_bytes(data[place : place + size], "big") & ((1 << (8 * size - 2)) - 1)
    return value, place + size
