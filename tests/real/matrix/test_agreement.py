"""Real servers, cell by cell: the exporter sees what curl, `openssl s_client` and nghttp see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.laboratory import Laboratory
from tests.real.matrix import witnesses
from tests.real.matrix.cells import CELLS, HOSTS, Cell, Seen, Way, observe, seen, shown
from tests.real.matrix.layouts import LAYOUTS, OWN, Layout
from tests.real.processes import Endpoint


@pytest.fixture(scope="module", params=LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def layout(request: pytest.FixtureRequest) -> Layout:
    return request.param


@pytest.fixture(scope="module")
def server(laboratory: Laboratory, layout: Layout, pages: Path, certificate: Path) -> Endpoint:
    return layout.start(laboratory, f"127.0.60.{LAYOUTS.index(layout) + 1}", pages, certificate)


async def test_each_site_shows_its_page_under_its_own_name(server: Endpoint, layout: Layout):
    """So that what follows compares more than refusals."""
    for host, page in layout.pages.items():
        assert seen(await observe(Cell(host, host, Way.H2_FRESH), server)) == Seen(200, page)


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_a_cell_is_seen_as_curl_sees_it(server: Endpoint, cell: Cell, tmp_path: Path):
    assert seen(await observe(cell, server)) == witnesses.curl(cell, server, tmp_path)


HANDSHAKES = [cell for cell in CELLS if cell.host == OWN and cell.way is not Way.H2_REUSED]


@pytest.mark.parametrize("cell", HANDSHAKES, ids=str)
async def test_a_handshake_is_seen_as_openssl_sees_it(server: Endpoint, cell: Cell):
    assert shown(await observe(cell, server)) == witnesses.s_client(cell, server)


@pytest.mark.parametrize("host", HOSTS)
async def test_a_name_on_its_own_connection_is_seen_as_nghttp_sees_it(server: Endpoint, host: str):
    cells = (Cell(host, host, way) for way in (Way.H2_FRESH, Way.H2_REUSED))
    statuses = [seen(await observe(cell, server)).status for cell in cells]

    assert [status for status in statuses if status is not None] == witnesses.nghttp(host, server)
