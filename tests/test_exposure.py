"""Which browser would reuse a connection: the table of the rules that their sources have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.exposure import exposures
from exporter.model import Certificate, Client, Exposure, Observation, Probe, Protocol, Response, TlsSession

A, B = "127.0.0.1", "127.0.0.2"
CERTIFICATE = Certificate("00", "", "", ("a.test", "b.test", "*.c.test"), 3, 0, 1)
TLS = TlsSession("TLSv1.3", "x", "h2", (CERTIFICATE,))
OPENER = Observation(Probe("a.test", "a.test", "a.test", A, Protocol.H2), 0.0, {}, 0, TLS, Response(200))
BOTH, FIREFOX, NONE = {Client.CHROMIUM, Client.FIREFOX}, {Client.FIREFOX}, set()


@pytest.mark.parametrize(
    ("opener", "own", "name", "addresses", "clients"),
    [
        pytest.param(OPENER, [A], "b.test", [A], BOTH, id="same address"),
        pytest.param(OPENER, [A], "x.c.test", [A], BOTH, id="wildcard"),
        pytest.param(OPENER, [A], "b.test", [B], NONE, id="no shared address"),
        pytest.param(OPENER, [A], "other.test", [A], NONE, id="not covered"),
        pytest.param(OPENER, [A, B], "b.test", [A, B], BOTH, id="same set"),
        pytest.param(OPENER, [A, B], "b.test", [B], FIREFOX, id="overlap elsewhere than connected"),
        pytest.param(replace(OPENER, origins=()), [A], "b.test", [A], {Client.CHROMIUM}, id="empty ORIGIN"),
        pytest.param(
            replace(OPENER, origins=("https://b.test:8443",)), [A], "b.test", [B], FIREFOX, id="ORIGIN lists it"
        ),
        pytest.param(
            replace(OPENER, origins=("https://b.test",)), [A], "b.test", [B], NONE, id="ORIGIN of another port"
        ),
        pytest.param(
            replace(OPENER, tls=replace(TLS, client_certificate_requested=True)),
            [A],
            "b.test",
            [A],
            NONE,
            id="client cert",
        ),
        pytest.param(
            replace(OPENER, tls=replace(TLS, faults=("expired",))), [A], "b.test", [A], NONE, id="bad certificate"
        ),
        pytest.param(replace(OPENER, response=None), [A], "b.test", [A], NONE, id="no answer"),
        pytest.param(
            replace(OPENER, probe=replace(OPENER.probe, protocol=Protocol.HTTP11)),
            [A],
            "b.test",
            [A],
            NONE,
            id="http/1.1",
        ),
    ],
)
def test_who_would_ask_for_the_name_on_this_connection(opener, own, name, addresses, clients):
    found = set(exposures(opener, own, 8443, name, addresses))

    assert found == {Exposure(name, "a.test", client) for client in clients}
