"""Alt-Svc field values: where else, and over which protocol, an origin says that it can be reached (RFC 7838)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote_to_bytes

MOST_READ = 8 * 1024  # characters of one field value; honest ones have some 100
MOST_ALTERNATIVES = 20  # of one answer
DEFAULT_MAX_AGE = 86_400  # seconds: RFC 7838, section 3.1
_LONGEST_AGE = 2**31  # seconds: RFC 9111, section 1.2.2

# A quoted string without its end takes the rest: looking for another beginning would cost the square of the length.
_QUOTED = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_MEMBERS = re.compile(rf'(?:[^,"]|{_QUOTED})++', re.DOTALL)
_PARTS = re.compile(rf'(?:[^;"]|{_QUOTED})++', re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_AUTHORITY = re.compile(
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[0-9A-Za-z._-]{0,253})):(?P<port>[0-9]{1,5})"
)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative service.

    Attributes:
        protocol: an ALPN id; each of its bytes is one character.
        host: lower case, an IPv6 address without brackets; empty: the origin's own.
        max_age_seconds: how long clients may use it after the answer.
        persist: whether they may after their network has changed.
    """

    protocol: str
    host: str
    port: int
    max_age_seconds: int = DEFAULT_MAX_AGE
    persist: bool = False


@dataclass(frozen=True, slots=True)
class AltSvc:
    """What the Alt-Svc fields of one answer say.

    Attributes:
        alternatives: in the server's order of preference.
        clear: whether all that was said before is taken back; then there are no alternatives.
    """

    alternatives: tuple[Alternative, ...] = ()
    clear: bool = False


def parse(values: Iterable[str]) -> AltSvc:
    """Read the values of an answer's Alt-Svc fields, in order. A member that cannot be read is left out.

    >>> parse(['h3=":443"; ma=60, h2="b.test:8443"'])  # doctest: +NORMALIZE_WHITESPACE
    AltSvc(alternatives=(Alternative(protocol='h3', host='', port=443, max_age_seconds=60, persist=False),
        Alternative(protocol='h2', host='b.test', port=8443, max_age_seconds=86400, persist=False)), clear=False)
    """
    members = [member.strip() for value in values for member in _MEMBERS.findall(value[:MOST_READ])]
    if "clear" in members:  # just so, in lower case
        return AltSvc(clear=True)
    return AltSvc(tuple(islice(_readable(members), MOST_ALTERNATIVES)))


def _readable(members: Iterable[str]) -> Iterator[Alternative]:
    for member in members:
        alternative = _alternative(member)
        if alternative is not None:
            yield alternative


def _alternative(member: str) -> Alternative | None:
    """`protocol-id "=" alt-authority *( OWS ";" OWS parameter )`; None where it is something else."""
    first, *parameters = [part.strip() for part in _PARTS.findall(member)] or [""]
    name, _, value = first.partition("=")
    authority = _AUTHORITY.fullmatch(_unquoted(value) if value.startswith('"') else "")
    if _TOKEN.fullmatch(name) is None or authority is None or not 1 <= int(authority["port"]) <= 65_535:
        return None
    said = dict(_parameters(parameters))
    return Alternative(
        protocol=unquote_to_bytes(name).decode("latin-1"),
        host=(authority["literal"] or authority["name"] or "").lower(),
        port=int(authority["port"]),
        max_age_seconds=_seconds(said.get("ma", "")),
        persist=said.get("persist") == "1",
    )


def _parameters(parts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, _, value = part.partition("=")
        yield name.lower(), _unquoted(value)


def _unquoted(value: str) -> str:
    """A token as it is, a quoted string without its quotes and escapes."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value


def _seconds(text: str) -> int:
    """`delta-seconds`: what is too long for us is as long as can be, what is none has the default."""
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_MAX_AGE
    return int(text) if len(text) <= 9 else _LONGEST_AGE
