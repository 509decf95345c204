"""What all layouts share: two pages, and one certificate for both names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.laboratory import Laboratory
from tests.real.matrix.layouts import OWN, SIBLING


@pytest.fixture(scope="module")
def pages() -> Iterator[Path]:
    """A folder that servers may read, whoever they run as, with a page for each site."""
    with tempfile.TemporaryDirectory(prefix="pages-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for site in ("own", "sibling"):
            (folder / site).mkdir()
            (folder / site / "index.html").write_text(site)
        yield folder


@pytest.fixture(scope="module")
def certificate(laboratory: Laboratory) -> Path:
    return laboratory.authority.certificate(OWN, SIBLING)
