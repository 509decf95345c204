"""Header sections of HTTP/2 (RFC 9113, section 8; RFC 7541): requests written, answers checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from exporter.model import Method, Request, Secret, revealed
from exporter.probing.bounds import MOST_HEADERS
from exporter.probing.failures import Broken

CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields that HTTP/2 forbids (RFC 9113, section 8.2.2)."""
EMPTY_TABLE = b"\x20"
"""Says that we keep no table of fields (RFC 7541, section 6.3); due where the server wants a smaller one."""

Fields = Sequence[tuple[bytes, bytes]]
_NAMES = {b":authority": b"\x01", b":method": b"\x02", b":path": b"\x04", b":scheme": b"\x06"}
"""Their places in the static table (RFC 7541, appendix A)."""


def encoded(request: Request) -> bytes:
    """The request's header section, each field as it is (RFC 7541, sections 6.2.2 and 6.2.3).

    No table to search, and no code to spell it in: a further name on a connection costs less for it, and each request
    is the same whatever was asked before. Secrets are marked so that nobody on the way puts them into a table.
    """
    return (
        _method(request.method)
        + _literal(b":authority", request.authority.encode())
        + _literal(b":path", request.path.encode())
        + _others(request.headers)
    )


@lru_cache
def _method(method: Method) -> bytes:
    """With the scheme, which is always the same."""
    return _literal(b":method", method.encode()) + _literal(b":scheme", b"https")


@lru_cache(maxsize=1024)
def _others(headers: tuple[tuple[str, str | Secret], ...]) -> bytes:
    """The fields that all names of a group have in common."""
    return b"".join(_literals(headers))


def _literals(headers: tuple[tuple[str, str | Secret], ...]) -> Iterator[bytes]:
    for name, value in headers:
        field = name.lower()
        if field not in CONNECTION_FIELDS:
            octets = revealed(value).encode("latin-1")
            yield _literal(field.encode("latin-1"), octets, is_secret=isinstance(value, Secret))


def _literal(name: bytes, value: bytes, *, is_secret: bool = False) -> bytes:
    if is_secret:
        return b"\x10" + _string(name) + _string(value)
    return (_NAMES.get(name) or b"\x00" + _string(name)) + _string(value)


def _string(octets: bytes) -> bytes:
    """A length and octets without Huffman code (RFC 7541, section 5.2)."""
    return _length(len(octets)) + octets


def _length(length: int) -> bytes:
    """An integer with a prefix of 7 bits (RFC 7541, section 5.1).

    >>> _length(126).hex(), _length(127).hex(), _length(1337).hex()
    ('7e', '7f00', '7fba09')
    """
    if length < 127:
        return bytes((length,))
    octets, rest = bytearray((127,)), length - 127
    while rest > 127:
        octets.append(rest & 127 | 128)
        rest >>= 7
    octets.append(rest)
    return bytes(octets)


def status_of(fields: Fields) -> int:
    """Of the one pseudo-header field that an answer has (RFC 9113, section 8.3.2). Raises `Broken`."""
    name, value = fields[0] if fields else (b"", b"")
    if name != b":status":
        raise Broken("protocol-error", "the answer does not begin with a status")
    if not (len(value) == 3 and value.isdigit() and value >= b"100"):
        raise Broken("protocol-error", f"the status is {value!r}")
    return int(value)


def pairs(fields: Fields) -> tuple[tuple[str, str], ...]:
    """As text, checked. Raises `Broken`."""
    if len(fields) > MOST_HEADERS:
        raise Broken("headers-too-big", f"more than {MOST_HEADERS} header lines")
    return tuple([_pair(name, value) if len(value) < _LONG else _checked(name, value) for name, value in fields])


_LONG = 256  # bytes; longer values are few, and not kept
_NAME = re.compile(rb"[!-9;-@\[-~]+")  # RFC 9113, section 8.2.1
_NOT_IN_VALUE = re.compile(rb"[\x00\r\n]")


def _checked(name: bytes, value: bytes) -> tuple[str, str]:
    """Strict as RFC 9113 is (section 8.2), but for spaces around a value, which browsers and curl let pass."""
    if _NAME.fullmatch(name) is None:
        raise Broken("protocol-error", f"a field is named {name!r}")
    if _NOT_IN_VALUE.search(value):
        raise Broken("protocol-error", f"the field {name!r} holds a line break or NUL")
    field = name.decode("latin-1")
    if field in CONNECTION_FIELDS:
        raise Broken("protocol-error", f"the field {field!r} is forbidden in HTTP/2")
    return field, value.decode("latin-1").strip(" \t")


_pair = lru_cache(maxsize=4096)(_checked)
"""Answers repeat most of one another's fields."""
