"""Where the exporter says that Firefox would ask for a name on another's connection, Firefox does; elsewhere not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.origin2 import answer, frame, origin2
from tests.real.authority import Authority
from tests.real.firefox import Firefox
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint
from tests.real.scrape import Scrape
from tests.real.two_names import (
    LAYOUTS,
    ON_THE_CONNECTION,
    PAGE,
    V4,
    V6,
    Asked,
    Layout,
    Server,
    configuration,
    is_exposed,
    started,
)

AGGRESSIVE = {"network.http.http2.aggressive_coalescing": True}
OVERLAP = next(layout for layout in LAYOUTS if layout.label == "overlap-elsewhere")


@pytest.fixture(scope="module")
def firefox(authority: Authority, ca_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Firefox:
    folder = tmp_path_factory.mktemp("firefox")
    return Firefox(folder, authority.certificate("127.0.0.1"), authority.ca_file, ca_file)


def asked_by(firefox: Firefox, server: Server, **preferences: bool) -> Asked:
    layout = server.layout
    a, b = layout.names
    addresses = {a: layout.a, b: layout.b}
    url = f"https://{a}:{server.endpoint.port}/page"

    firefox.load(url, addresses, lambda: server.is_done, preferences)
    return server.asked()


def scraped(laboratory: Laboratory, server: Server) -> Scrape:
    config = configuration(laboratory.authority.ca_file, {server.layout.label: server})
    return laboratory.exporter(config, server.endpoint).settled()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.label)
def test_firefox_reuses_a_connection_where_the_exporter_says_so(
    firefox: Firefox, laboratory: Laboratory, tmp_path: Path, layout: Layout
):
    server = started(laboratory, layout, tmp_path)
    a, b = layout.names

    asked = asked_by(firefox, server)

    assert asked == (layout.asked if layout.firefox is None else layout.firefox)
    reused = any(on_the_connection for on_the_connection, _ in asked)
    assert is_exposed(scraped(laboratory, server), "firefox", domain=b, sibling=a) is reused


def test_firefox_that_is_set_to_goes_by_any_address_that_both_names_have(
    firefox: Firefox, laboratory: Laboratory, tmp_path: Path
):
    server = started(laboratory, OVERLAP, tmp_path)
    a, b = OVERLAP.names

    assert asked_by(firefox, server, **AGGRESSIVE) == ON_THE_CONNECTION
    assert is_exposed(scraped(laboratory, server), "firefox-aggressive", domain=b, sibling=a)


@pytest.mark.parametrize(("listed", "b_lives_at", "reuses"), [(False, V4, False), (True, V4, True), (True, V6, True)])
async def test_an_origin_frame_decides_instead_of_addresses(
    ca, ca_file, firefox, laboratory, tmp_path, listed, b_lives_at, reuses
):
    """RFC 8336, section 2.4; nobody listens at the IPv6 address."""
    a, b = "a-origin.shop.test", "b-origin.shop.test"

    def greeting(_):
        origins = [f"https://{name}:{port}".encode() for name in (a, b)] if listed else []
        return frame(0x0C, payload=b"".join(len(one).to_bytes(2, "big") + one for one in origins))

    def respond(connection, stream, host):
        path = dict(server.requests[-1][1])[":path"]
        page = PAGE.substitute(b=b, port=port) if path == "/page" else host
        answer(connection, stream, 200, page.encode(), content_type="text/html")

    async with origin2(ca.issue_cert(a, b), respond, greeting=greeting) as server:
        port = server.port
        paths = lambda: {dict(headers)[":path"]: connection for connection, headers in server.requests}  # noqa: E731
        addresses = {a: (V4,), b: (b_lives_at,)}
        await asyncio.to_thread(firefox.load, f"https://{a}:{port}/page", addresses, lambda: "/done" in paths())
        asked = paths()
        layout = Layout("origin", ON_THE_CONNECTION, a=(V4,), b=(b_lives_at,))
        origin = Server(layout, Endpoint(V4, port), tmp_path)
        config = configuration(ca_file, {"origin": origin})
        exporter = await asyncio.to_thread(laboratory.exporter, config, origin.endpoint)
        scrape = await asyncio.to_thread(exporter.settled)

    assert (asked["/asked"] == asked["/page"]) is reuses
    assert is_exposed(scrape, "firefox", domain=b, sibling=a) is reuses
