"""Where the exporter says that Chromium would ask for a name on another's connection, Chromium does; elsewhere not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.origin2 import answer, frame, origin2
from tests.real.authority import Authority
from tests.real.chromium import Chromium
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint
from tests.real.scrape import Scrape
from tests.real.two_names import (
    HERE,
    LAYOUTS,
    ON_THE_CONNECTION,
    PAGE,
    THERE,
    V4,
    V6,
    Layout,
    Server,
    configuration,
    is_exposed,
    started,
)


@pytest.fixture(scope="module")
def chromium(authority: Authority, ca_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Chromium:
    return Chromium(tmp_path_factory.mktemp("chromium"), authority.ca_file, ca_file)


@pytest.fixture(scope="module")
def servers(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Server]:
    logs = tmp_path_factory.mktemp("witnesses")

    return {layout.label: started(laboratory, layout, logs) for layout in LAYOUTS}


@pytest.fixture(scope="module")
def scrape(laboratory: Laboratory, servers: Mapping[str, Server]) -> Scrape:
    """One exporter for all layouts."""
    any_server = servers["shared"].endpoint
    return laboratory.exporter(configuration(laboratory.authority.ca_file, servers), any_server).settled()


def loaded(chromium: Chromium, port: int, a: str, b: str, addresses: Mapping[str, tuple[str, ...]]) -> str:
    return chromium.dom(f"https://{a}:{port}/page", {name: MAPPED[addresses[name]] for name in (a, b)})


MAPPED = {(HERE,): HERE, (THERE,): THERE, (V4,): V4, (V6,): f"[{V6}]", (V4, V6): "localhost"}
"""A rule of Chromium's maps a name to one address, or to another name: `localhost` is both families."""


@pytest.mark.parametrize("label", [layout.label for layout in LAYOUTS])
def test_chromium_reuses_a_connection_as_it_did_when_its_rules_were_read(
    chromium: Chromium, servers: Mapping[str, Server], label: str
):
    server = servers[label]
    a, b = server.layout.names

    dom = loaded(chromium, server.endpoint.port, a, b, {a: server.layout.a, b: server.layout.b})

    assert ("fetched" if server.layout.asked else "failed") in dom
    assert server.asked() == server.layout.asked


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.label)
def test_the_exporter_says_what_chromium_does(scrape: Scrape, layout: Layout):
    a, b = layout.names
    reused = any(on_the_connection for on_the_connection, _ in layout.asked)

    assert is_exposed(scrape, "chromium", domain=b, sibling=a) is reused


async def test_chromium_ignores_origin_frames_and_the_exporter_says_so(ca, ca_file, chromium, laboratory):
    """An empty ORIGIN frame says that the connection is for no other name (RFC 8336, section 2.3)."""
    a, b = "a-origin.shop.test", "b-origin.shop.test"

    def respond(connection, stream, host):
        page = PAGE.substitute(b=b, port=server.port) if host == a else "b"
        answer(connection, stream, 200, page.encode(), content_type="text/html")

    async with origin2(ca.issue_cert(a, b), respond, greeting=lambda _: frame(0x0C)) as server:
        addresses = {a: (V4,), b: (V4,)}
        dom = await asyncio.to_thread(loaded, chromium, server.port, a, b, addresses)
        asked = {dict(headers)[":path"]: connection for connection, headers in server.requests}
        endpoint = Endpoint(V4, server.port)
        layout = Layout("origin", ON_THE_CONNECTION, a=(V4,), b=(V4,))
        config = configuration(ca_file, {"origin": Server(layout, endpoint, Path())})
        exporter = await asyncio.to_thread(laboratory.exporter, config, endpoint)
        scrape = await asyncio.to_thread(exporter.settled)

    assert "fetched" in dom
    assert asked["/asked"] == asked["/page"]
    assert is_exposed(scrape, "chromium", domain=b, sibling=a)
    assert not is_exposed(scrape, "firefox", domain=b, sibling=a)
