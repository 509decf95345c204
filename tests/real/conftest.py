"""A laboratory per module, an authority per session."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.authority import Authority
from tests.real.laboratory import Laboratory


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def laboratory(authority: Authority) -> Iterator[Laboratory]:
    # Not pytest's own folder: only its owner may enter that, and daemons started by root serve as somebody else.
    with tempfile.TemporaryDirectory(prefix="laboratory-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Laboratory(folder, authority) as laboratory:
            yield laboratory
