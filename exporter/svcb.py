"""HTTPS records of DNS: where an origin can be reached over HTTP/3, said before anybody connects (RFC 9460). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_MANDATORY, _ALPN, _NO_DEFAULT_ALPN, _PORT, _IPV4HINT, _ECH, _IPV6HINT = range(7)  # RFC 9460, section 14.3.2
_UNDERSTOOD = frozenset({_ALPN, _NO_DEFAULT_ALPN, _PORT, _IPV4HINT, _IPV6HINT})
"""A record that demands more than these is not for us (section 8). Hints are for who cannot wait for addresses."""
_H3 = b"h3"
_HOST_NAME = re.compile(r"[0-9A-Za-z._-]{0,253}")  # other names have no addresses


@dataclass(frozen=True, slots=True)
class Binding:
    """One HTTPS record.

    Attributes:
        owner: the name at which it was found.
        priority: the smallest is preferred; 0: the record is an alias, and says nothing else.
        target: the name of the alternative, without the dot at its end; empty: the owner.
        parameters: by number, as on the wire.
    """

    owner: str
    priority: int
    target: str
    parameters: Mapping[int, bytes]


def name_to_ask(domain: str, port: int) -> str:
    """The name whose HTTPS records are those of an origin (section 9.1).

    >>> name_to_ask("a.test", 443), name_to_ask("a.test", 8443)
    ('a.test', '_8443._https.a.test')
    """
    return domain if port == 443 else f"_{port}._https.{domain}"


def places(bindings: Iterable[Binding], domain: str, port: int) -> tuple[tuple[str, int], ...]:
    """(host, port) of each alternative for HTTP/3 of the origin at `domain` and `port`, in order of preference.

    Aliases are not followed: the alternative then is what the aliased name's own records say.
    """
    services = sorted((one for one in bindings if _is_for_us(one)), key=lambda one: one.priority)
    found = ((_host(one, domain, port), _port(one, port)) for one in services)
    return tuple(dict.fromkeys(place for place in found if place[1]))


def _is_for_us(binding: Binding) -> bool:
    demanded = binding.parameters.get(_MANDATORY, b"")
    keys = {int.from_bytes(demanded[place : place + 2], "big") for place in range(0, len(demanded), 2)}
    is_service = binding.priority > 0 and _HOST_NAME.fullmatch(binding.target) is not None
    return is_service and keys <= _UNDERSTOOD and _H3 in _protocols(binding.parameters.get(_ALPN, b""))


def _protocols(value: bytes) -> Iterator[bytes]:
    """ALPN ids, each after its length (section 7.1.1). One that is cut off is left out."""
    while value and len(value) > value[0]:
        yield value[1 : 1 + value[0]]
        value = value[1 + value[0] :]


def _host(binding: Binding, domain: str, port: int) -> str:
    own = domain if port == 443 else binding.owner  # where the owner is a CNAME of the domain, they live together
    return (binding.target or own).lower()


def _port(binding: Binding, port: int) -> int:
    value = binding.parameters.get(_PORT)
    return port if value is None else int.from_bytes(value, "big")
