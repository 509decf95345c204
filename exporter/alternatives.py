"""Which alternative services (RFC 7838) a domain advertises for HTTP/3, and which of their addresses to probe. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import ip_address

from exporter import altsvc
from exporter.model import MISDIRECTED, Protocol, Round


def advertised(last: Round) -> tuple[tuple[str, int], ...]:
    """(host, port) of each alternative that the matched probes of `last` were told of, in order, each once.

    What a 421 says does not count (RFC 7838, section 6).
    """
    answers = [seen.response for seen, _ in last.matched if seen.response is not None]
    fields = (
        [value for name, value in answer.headers if name == "alt-svc"]
        for answer in answers
        if answer.status != MISDIRECTED
    )
    services = (service for values in fields if values for service in altsvc.parse(values).alternatives)
    places = ((one.host or last.target.domain, one.port) for one in services if one.protocol == Protocol.H3)
    return tuple(dict.fromkeys(places))


def permitted(addresses: Iterable[str], origin: Collection[str]) -> tuple[str, ...]:
    """Those of an alternative's addresses where we let an origin at these addresses send us.

    A server on the Internet sends nobody into private networks: who probes it may stand in one.
    """
    is_public = all(ip_address(address).is_global for address in origin)
    return tuple(address for address in addresses if not is_public or ip_address(address).is_global)
