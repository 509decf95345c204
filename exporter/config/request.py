"""What a request may hold: path, user agent, header fields. Each check raises ValueError, and none repeats a value.

Field names keep their spelling but are one field in any case (RFC 9110, section 5.1), so headers are held by lower-case
name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from pydantic import ValidationInfo

from exporter.config.scalars import text
from exporter.config.surroundings import Surroundings, surroundings_of
from exporter.model import Secret

HeaderValue = str | Secret
Headers = dict[str, tuple[str, HeaderValue] | None]
"""Lower-case name to (name as written, value); None takes away what a level above set."""

MAX_PATH = 8_000
"""Octets that every recipient is to support in a request line (RFC 9112, section 3)."""
MAX_USER_AGENT = 256

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_NOT_IN_PATH = re.compile(r"[\x00-\x20\x7f#]")
_NOT_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_USER_AGENT = re.compile(rf"[\x20-\x7e]{{1,{MAX_USER_AGENT}}}")
_SENSITIVE = re.compile(r"auth|cookie|token|secret|key|passw|session|credential|signature")

_FRAMING = "is set by the exporter itself"
_HOP = "belongs to the connection and not to the request (RFC 9110, section 7.6.1)"
_REFUSED = {
    "host": "is what is probed: use `host`",
    "user-agent": "has a key of its own: use `user_agent`",
    "content-length": _FRAMING,
    "transfer-encoding": _FRAMING,
    "connection": _HOP,
    "keep-alive": _HOP,
    "proxy-connection": _HOP,
    "te": _HOP,
    "upgrade": _HOP,
}


def path(value: object) -> str:
    """Path and query as sent: ASCII, the rest percent-encoded.

    >>> path("/suche?q=ü")
    '/suche?q=%C3%BC'
    """
    given = text(value)
    if not given.startswith("/"):
        raise ValueError("must begin with `/`")
    if _NOT_IN_PATH.search(given):
        raise ValueError("must not hold spaces, control characters or a fragment (`#`)")
    sent = "".join(character if character.isascii() else quote(character) for character in given)
    if len(sent) > MAX_PATH:
        raise ValueError(f"is {len(sent)} octets long, at most {MAX_PATH} are allowed")
    return sent


def user_agent(value: object) -> str:
    agent = text(value).strip()
    if not _USER_AGENT.fullmatch(agent):
        raise ValueError(f"must be 1 to {MAX_USER_AGENT} printable ASCII characters")
    return agent


def field_name(value: object) -> str:
    """The name as written, if it is a token (RFC 9110, section 5.6.2) that the operator may set."""
    name = text(value)
    if not _TOKEN.fullmatch(name):
        raise ValueError("has a field name that is not a token (RFC 9110, section 5.6.2)")
    if name.lower() in _REFUSED:
        raise ValueError(_REFUSED[name.lower()])
    return name


def field_value(value: object, info: ValidationInfo) -> HeaderValue:
    """Text as it stands; `{file: path}` and `{env: NAME}` as a secret."""
    if isinstance(value, str):
        return _sendable(value)
    if isinstance(value, Mapping) and len(value) == 1:
        [(kind, name)] = value.items()
        if kind in _SECRET_SOURCES:
            return _secret(str(kind), name, surroundings_of(info))
    raise ValueError("must be text, {file: path} or {env: NAME}; numbers need quotes")


_SECRET_SOURCES: dict[str, Callable[[Surroundings, object], str]] = {
    "file": Surroundings.secret_in_file,
    "env": Surroundings.secret_in_environment,
}


def _secret(kind: str, name: object, surroundings: Surroundings) -> Secret:
    value = _sendable(_SECRET_SOURCES[kind](surroundings, name))
    if not value:
        raise ValueError("names a secret that is empty")
    return Secret(value, f"{kind} {name}")


def _sendable(value: str) -> str:
    trimmed = value.strip(" \t")
    if _NOT_IN_VALUE.search(trimmed):
        raise ValueError("holds a line break or another control character")
    if any(ord(character) > 0xFF for character in trimmed):
        raise ValueError("holds a character outside of Latin-1, which no field value can carry")
    return trimmed


def headers(fields: Mapping[str, HeaderValue | None]) -> Headers:
    """The fields by lower-case name; what looks like a credential is held as a secret."""
    folded: Headers = {}
    for name, value in fields.items():
        if name.lower() in folded:
            raise ValueError("names the same field twice, in different case")
        folded[name.lower()] = None if value is None else (name, _guarded(name, value))
    return folded


def _guarded(name: str, value: HeaderValue) -> HeaderValue:
    sensitive = isinstance(value, str) and _SENSITIVE.search(name.lower())
    return Secret(value, "config") if sensitive and isinstance(value, str) else value


def lower_field_name(value: object) -> str:
    """A field's name as the answer's fields are compared: lower case."""
    name = text(value)
    if not _TOKEN.fullmatch(name):
        raise ValueError("is not a field name (RFC 9110, section 5.6.2)")
    return name.lower()
