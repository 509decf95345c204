"""Without a route nobody was asked: the kernel tells that apart from what a network on the way answers."""

from __future__ import annotations

import errno

import pytest

from exporter.probing.failures import Broken
from exporter.probing.routes import blamed, has_route

NOWHERE = "fe80::1"  # without an interface's name a link-local address leads nowhere


@pytest.mark.parametrize(("address", "there"), [("127.0.0.1", True), ("127.9.8.7", True), (NOWHERE, False)])
def test_the_kernel_says_whether_there_is_a_way(address, there):
    assert has_route(address) is there


@pytest.mark.parametrize(
    ("number", "address", "kind"),
    [
        (errno.ENETUNREACH, "127.0.0.1", None),  # there is a way, so the network on it has said so
        (errno.EHOSTUNREACH, "127.0.0.1", None),
        (errno.ECONNREFUSED, NOWHERE, None),
        (errno.ENETUNREACH, NOWHERE, "no-route"),
        (errno.EADDRNOTAVAIL, NOWHERE, "no-route"),
    ],
)
def test_only_a_way_that_is_not_there_is_our_own_fault(number, address, kind):
    error = OSError(number, "words of the system")

    found = blamed(error, address)

    assert found is error if kind is None else (isinstance(found, Broken) and found.kind == kind)
