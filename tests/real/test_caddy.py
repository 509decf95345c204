"""What is seen of Caddy over three protocols, where one of them behaves otherwise."""

from __future__ import annotations

import pytest

from exporter.model import Ask, Dial, Method, Probe, Protocol, Request
from exporter.probing.certificates import Judge
from exporter.probing.run import run
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint

SITES = """
{
    admin off
    auto_https off
    storage file_system @folder
    servers {
        protocols h1 h2 h3
    }
}
https://own.site.test:@port {
    bind @address
    tls @certificate @certificate
    respond own
}
https://sibling.site.test:@port {
    bind @address
    tls @certificate @certificate {
        client_auth {
            mode request
        }
    }
    respond sibling
}
"""


@pytest.fixture(scope="module")
def caddy(laboratory: Laboratory) -> Endpoint:
    certificate = laboratory.authority.certificate("own.site.test", "sibling.site.test")
    return laboratory.daemon("caddy", SITES, "127.0.63.1", certificate=certificate)


async def status(endpoint: Endpoint, name: str, protocol: Protocol) -> int | str:
    """Of a new connection with SNI = Host, or the kind of failure."""
    ask = Ask(
        Probe(name, name, name, endpoint.address, protocol), Request(Method.GET, f"{name}:{endpoint.port}", "/", ())
    )
    (seen,) = await run(Dial(endpoint.address, endpoint.port, name, protocol, 5.0, (ask,)), Judge())
    return seen.response.status if seen.response is not None else seen.failure.kind


@pytest.mark.parametrize("name", ["own.site.test", "sibling.site.test"])
async def test_where_one_site_asks_for_certificates_http_3_alone_is_refused_on_a_connection_of_its_own(caddy, name):
    """Caddy then compares Host with SNI, and 2.6 does not know the SNI of a QUIC connection: an outage for who goes by
    Alt-Svc, and for nobody else."""
    statuses = {protocol: await status(caddy, name, protocol) for protocol in Protocol}

    assert statuses == {Protocol.HTTP11: 200, Protocol.H2: 200, Protocol.H3: 421}
