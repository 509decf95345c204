"""Which alternative services a domain advertises for HTTP/3, and which of their addresses to probe. Pure.

Advertised by Alt-Svc fields and ALTSVC frames (RFC 7838) of its answers, and by HTTPS records (RFC 9460, see `svcb`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address

from exporter import altsvc
from exporter.model import MISDIRECTED, Observation, Protocol, Round


def advertised(last: Round) -> tuple[tuple[str, int], ...]:
    """(host, port) of each alternative that the matched probes of `last` were told of, in order, each once.

    What a 421 says does not count (RFC 7838, section 6).
    """
    said = (values for seen, _ in last.matched for values in _said(seen))
    services = (service for values in said for service in altsvc.parse(values).alternatives)
    places = ((one.host or last.target.domain, one.port) for one in services if one.protocol == Protocol.H3)
    return tuple(dict.fromkeys(places))


def _said(seen: Observation) -> Iterator[list[str]]:
    """The values of the answer's fields, and that of the frame that came on its connection."""
    if seen.response is None or seen.response.status == MISDIRECTED:
        return
    yield [value for name, value in seen.response.headers if name == "alt-svc"]
    if seen.alt_svc is not None:
        yield [seen.alt_svc]


def permitted(addresses: Iterable[str], origin: Collection[str]) -> tuple[str, ...]:
    """Those of an alternative's addresses where we let an origin at these addresses send us.

    A server on the Internet sends nobody into private networks: who probes it may stand in one.
    """
    is_public = all(ip_address(address).is_global for address in origin)
    return tuple(address for address in addresses if not is_public or ip_address(address).is_global)
