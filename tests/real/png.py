"""A text within a PNG, in a chunk of its own (PNG, third edition, 11.3.3.4: iTXt, whose text is UTF-8)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KIND = b"iTXt"
# A keyword, not compressed, in no language, without a translation of the keyword.
HEAD = b"Description\0\0\0\0\0"


def described(png: bytes, text: str) -> bytes:
    """The same picture with a text, before the chunk that ends it."""
    *body, end = chunks(png)
    return SIGNATURE + b"".join(written(*one) for one in (*body, (KIND, HEAD + text.encode()), end))


def description(png: bytes) -> str:
    """Empty where there is none."""
    texts = (data.removeprefix(HEAD).decode() for kind, data in chunks(png) if kind == KIND and data.startswith(HEAD))
    return next(texts, "")


def size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    (_, header), *_ = chunks(png)
    width, height = struct.unpack(">II", header[:8])
    return width, height


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the data of each."""
    assert png.startswith(SIGNATURE), "no PNG"
    place = len(SIGNATURE)
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        yield kind, png[place + 8 : place + 8 + length]
        place += length + 12  # the length, the kind, and the checksum that follows


def written(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
