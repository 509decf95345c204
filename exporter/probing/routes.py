"""Whether this machine has a way to an address at all: the kernel alone is asked, and nothing is sent."""

from __future__ import annotations

import errno
import socket

from exporter.probing.failures import Broken

_WITHOUT_WAY = frozenset(
    {errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
"""What connect(2) says of a missing route, and of what a router on the way has answered (RFC 1122, section 3.2.2.1)."""


def blamed(error: OSError, address: str) -> Exception:
    """What a failed connection means: `error` itself, or that no packet could leave towards `address`."""
    if error.errno not in _WITHOUT_WAY or has_route(address):
        return error
    return Broken("no-route", error.strerror or "")


def has_route(address: str) -> bool:
    """Connecting a datagram socket only looks the route up (udp(7))."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.connect((address, 443))
    except OSError:
        return False
    return True
