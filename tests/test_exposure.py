"""Which browser would reuse a connection: the table of the rules that their sources have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.exposure import Home, exposures, origin_of, origins_by_address
from exporter.model import Client, Exposure, Protocol, Target
from tests.factories import certificate, observation, probe, round_, tls

A, B = "127.0.0.1", "127.0.0.2"
TLS = tls(alpn="h2", chain=(certificate("a.shop.test", "b.shop.test", "*.c.shop.test", "b.market.test", "shop.test"),))
OPENER = observation(probe("a.shop.test", address=A, protocol=Protocol.H2), tls=TLS)
OWNER = Target("a.shop.test", "g", port=8443)
CHROMIUM, FIREFOX = {Client.CHROMIUM}, {Client.FIREFOX}
BOTH, NONE, AGGRESSIVE = CHROMIUM | FIREFOX, set(), {Client.FIREFOX_AGGRESSIVE}


@pytest.mark.parametrize(
    ("opener", "own", "name", "addresses", "clients"),
    [
        pytest.param(OPENER, [A], "b.shop.test", [A], BOTH, id="same address"),
        pytest.param(OPENER, [A], "x.c.shop.test", [A], BOTH, id="wildcard"),
        pytest.param(OPENER, [A], "shop.test", [A], BOTH, id="the registrable domain itself"),
        pytest.param(OPENER, [A], "b.market.test", [A], FIREFOX, id="another site"),
        pytest.param(OPENER, [A], "b.shop.test", [B], NONE, id="no shared address"),
        pytest.param(OPENER, [A], "other.shop.test", [A], NONE, id="not covered"),
        pytest.param(OPENER, [A, B], "b.shop.test", [A, B], BOTH, id="same set"),
        pytest.param(OPENER, [A, B], "b.shop.test", [B], AGGRESSIVE, id="overlap elsewhere than connected"),
        pytest.param(replace(OPENER, origins=()), [A], "b.shop.test", [A], CHROMIUM, id="empty ORIGIN"),
        pytest.param(
            replace(OPENER, origins=("https://b.shop.test:8443",)), [A], "b.shop.test", [B], FIREFOX, id="ORIGIN has it"
        ),
        pytest.param(
            replace(OPENER, origins=("https://b.shop.test",)), [A], "b.shop.test", [B], NONE, id="ORIGIN of another"
        ),
        pytest.param(
            replace(OPENER, tls=replace(TLS, faults=("expired",))), [A], "b.shop.test", [A], NONE, id="bad certificate"
        ),
        pytest.param(replace(OPENER, origins=()), [A, B], "b.shop.test", [B], NONE, id="overlap elsewhere and ORIGIN"),
        pytest.param(replace(OPENER, response=None), [A], "b.shop.test", [A], NONE, id="no answer"),
        pytest.param(replace(OPENER, tls=None), [A], "b.shop.test", [A], NONE, id="no TLS"),
        pytest.param(
            replace(OPENER, probe=replace(OPENER.probe, protocol=Protocol.HTTP11)),
            [A],
            "b.shop.test",
            [A],
            NONE,
            id="http/1.1",
        ),
    ],
)  # fmt: skip
def test_who_would_ask_for_the_name_on_this_connection(opener, own, name, addresses, clients):
    owner, other = Home(OWNER, frozenset(own)), Home(replace(OWNER, domain=name), frozenset(addresses))

    assert set(exposures(opener, owner, other)) == {Exposure(name, "a.shop.test", client, A) for client in clients}


@pytest.mark.parametrize(
    ("asked_for", "configured", "clients"),
    [(True, None, BOTH), (False, "client.pem", BOTH), (True, "client.pem", NONE)],
)
def test_only_a_client_certificate_that_is_sent_keeps_browsers_from_sharing(asked_for, configured, clients):
    opener = replace(OPENER, tls=replace(TLS, client_certificate_requested=asked_for))
    owner = Home(replace(OWNER, client_certificate=configured), frozenset({A}))
    other = Home(replace(OWNER, domain="b.shop.test"), frozenset({A}))

    assert {one.client for one in exposures(opener, owner, other)} == clients


def test_names_at_different_ports_share_nothing():
    owner, other = Home(OWNER, frozenset({A})), Home(Target("b.shop.test", "g", port=9443), frozenset({A}))

    assert list(exposures(OPENER, owner, other)) == []


def test_an_origin_is_written_without_the_port_443():
    opener = replace(OPENER, origins=("https://b.shop.test",))
    owner, other = (Home(Target(name, "g"), frozenset({A})) for name in ("a.shop.test", "b.shop.test"))

    assert Client.FIREFOX in {one.client for one in exposures(opener, owner, other)}


def test_a_claim_is_what_an_origin_frame_said_on_a_connection_of_the_name_itself():
    def seen(address, origins, **asked):
        return replace(OPENER, probe=replace(OPENER.probe, address=address, **asked), origins=origins)

    claimed = origins_by_address(
        round_(
            seen(A, ("https://a.shop.test:8443",)),
            seen(A, ("https://b.shop.test:8443",), protocol=Protocol.H3),
            seen(B, ()),
            seen("127.0.0.3", None),
            seen("127.0.0.4", ("https://b.shop.test:8443",), sni="b.shop.test"),
            seen(None, ("https://b.shop.test:8443",)),
        )
    )

    assert claimed == {A: {origin_of(OWNER), "https://b.shop.test:8443"}}
