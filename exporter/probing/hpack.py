"""Compressed header sections of HTTP/2, read (RFC 7541). The only home of the library of the same name.

The library's tables and its Huffman code are used; its reader is not, as it copies the rest of a section for each field
and decodes over and over what servers repeat with each answer.
"""

from __future__ import annotations

from functools import lru_cache

from hpack.exceptions import HPACKError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from exporter.probing.bounds import MOST_HEADER_BYTES
from exporter.probing.failures import Broken

Field = tuple[bytes, bytes]

_TABLE_BYTES = 4096  # RFC 9113, section 6.5.2: the server may use so many, as we say nothing else
_FIELD_OVERHEAD = 32  # bytes: section 4.1, and of SETTINGS_MAX_HEADER_LIST_SIZE alike
_MOST_OCTETS_OF_INTEGER = 6  # beyond the prefix; what is longer is no length or index of ours
_SHORT = 128  # bytes; what is longer is decoded and not kept


class FieldReader:
    """Reads the header sections of one connection, all of them and in order: each may change the table for the next."""

    def __init__(self) -> None:
        self._table = HeaderTable()
        self._block = b""
        self._place = 0

    def read(self, block: bytes) -> list[Field]:
        """The section's fields. Raises `Broken`; then nothing more can be read on the connection."""
        self._block, self._place = block, 0
        try:
            return self._fields()
        except (HPACKError, IndexError) as error:
            raise Broken("protocol-error", f"a header section cannot be read: {error}") from error

    def _fields(self) -> list[Field]:
        fields: list[Field] = []
        size = 0
        while self._place < len(self._block):
            field = self._next(is_first=not fields)
            if field is None:
                continue
            fields.append(field)
            size += len(field[0]) + len(field[1]) + _FIELD_OVERHEAD
            if size > MOST_HEADER_BYTES:
                raise Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of fields")
        return fields

    def _next(self, *, is_first: bool) -> Field | None:
        """One field, by its first bits (section 6); None: it was about the table."""
        first = self._block[self._place]
        if first & 0x80:
            return self._table.get_by_index(self._integer(0x7F))
        if first & 0x40:
            field = self._literal(0x3F)
            self._table.add(*field)
            return field
        if first & 0x20:
            self._resize(self._integer(0x1F), is_first=is_first)
            return None
        return self._literal(0x0F)

    def _resize(self, size: int, *, is_first: bool) -> None:
        if not is_first or size > _TABLE_BYTES:
            raise Broken("protocol-error", f"the server makes its table of fields {size} bytes large")
        self._table.maxsize = size

    def _literal(self, prefix: int) -> Field:
        index = self._integer(prefix)
        name = self._table.get_by_index(index)[0] if index else self._string()
        return name, self._string()

    def _string(self) -> bytes:
        """Section 5.2."""
        is_coded = self._block[self._place] & 0x80
        length = self._integer(0x7F)
        octets = self._block[self._place : self._place + length]
        if len(octets) < length:
            raise Broken("protocol-error", "a field is cut off")
        self._place += length
        if not is_coded:
            return octets
        return _decoded(octets) if length <= _SHORT else decode_huffman(octets)

    def _integer(self, prefix: int) -> int:
        """Section 5.1. `prefix` is the mask of its bits in the first octet."""
        value = self._block[self._place] & prefix
        self._place += 1
        if value < prefix:
            return value
        for shift in range(0, 7 * _MOST_OCTETS_OF_INTEGER, 7):
            octet = self._block[self._place]
            self._place += 1
            value += (octet & 0x7F) << shift
            if octet < 0x80:
                return value
        raise Broken("protocol-error", "an integer in a header section does not end")


_decoded = lru_cache(maxsize=4096)(decode_huffman)
"""Answers repeat most of one another's fields."""
