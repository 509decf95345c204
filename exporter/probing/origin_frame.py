"""The payload of an ORIGIN frame, which is the same in HTTP/2 and HTTP/3 (RFC 8336, section 2; RFC 9412)."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.probing.failures import printable

TYPE = 0x0C
_MOST_ORIGINS = 1_000


def origins(payload: bytes) -> Iterator[str]:
    """Its entries: each a length of 16 bits and an ASCII origin. What is cut off is left out."""
    place = 0
    for _ in range(_MOST_ORIGINS):
        length = int.from_bytes(payload[place : place + 2], "big")
        entry = payload[place + 2 : place + 2 + length]
        place += 2 + length
        if not entry or len(entry) < length:
            return
        yield printable(entry.decode("ascii", "replace"))
