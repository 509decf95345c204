"""IP addresses to connect to, in the one way of writing that compares equal. Each check raises ValueError."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from exporter.config.scalars import text
from exporter.model import IpFamily

_VERSIONS = {IpFamily.ANY: (4, 6), IpFamily.IPV4: (4,), IpFamily.IPV6: (6,)}
_BROADCAST = IPv4Address("255.255.255.255")


def address(value: object) -> str:
    """The address in canonical form, if one can connect to it.

    >>> address("2001:DB8:0::1")
    '2001:db8::1'
    """
    literal = text(value)
    try:
        parsed = ip_address(literal)
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1") from None
    fault = _fault(parsed)
    if fault:
        raise ValueError(fault)
    return str(parsed)


def _fault(parsed: IPv4Address | IPv6Address) -> str | None:
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        return "must not have a zone (`%`)"
    if parsed.is_unspecified or parsed.is_multicast or parsed == _BROADCAST:
        return "is an unspecified, multicast or broadcast address: nothing can be connected to there"
    return None


def limit(value: object) -> int | None:
    """How many addresses are probed per round; None: all."""
    if value == "all":
        return None
    if type(value) is int and value >= 1:
        return value
    raise ValueError("must be `all` or a whole number from 1 on")


def of_family(addresses: tuple[str, ...], family: IpFamily) -> tuple[str, ...]:
    """Those of the family, in order."""
    return tuple(literal for literal in addresses if ip_address(literal).version in _VERSIONS[family])
