"""Grafana's own JavaScript, installed once into a folder of the cache, and asked about answers of Prometheus.

`@grafana/prometheus` (AGPL) is taken without what it depends on and only run here: nothing of it is copied or shipped.
It says that it wants Node 24, and a few packages below `@grafana/data` want 20; npm warns of that. What is asked of
them here works with Node 18 too, which Debian 12 has: its answers are the same (18.20.4, 20.20.2).
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.programs import program

VERSION = "13.2.3"
PACKAGES = (
    # `@grafana/data`, what loading it needs besides, and a document for its sanitizer.
    f"@grafana/data@{VERSION}",
    "react@18.3.1",
    "react-dom@18.3.1",
    "jsdom@26.1.0",
    # The types of dashboards, and what makes JSON schemas of them: its newest that runs, with all below it, on Node 18.
    "@grafana/grafana-foundation-sdk@0.0.21",
    "ts-json-schema-generator@2.3.0",
    "typescript@5.9.3",
)
SOURCE = f"@grafana/prometheus@{VERSION}"
OLDEST_NODE = 18
ASKS = Path(__file__).with_name("frames.cjs")
INSTALLS_WITHIN_SECONDS = 200
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund")


def installed(folder: Path) -> Path:
    """The folder, once the packages of this version are in it."""
    _see_that_node_is_new_enough()
    done = folder / f"{'-'.join((*PACKAGES, SOURCE)).replace('/', '+')}.done"
    if not done.exists():
        _install(folder)
        done.touch()
    return folder


def _see_that_node_is_new_enough() -> None:
    version = subprocess.run(
        [program("node"), "--version"], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        _give_up(f"Grafana's packages need Node {OLDEST_NODE} or newer; this is {version}")


def _install(folder: Path) -> None:
    npm = program("npm")
    (folder / "package.json").write_text('{"private": true}')
    install = (npm, "install", *QUIET, "--legacy-peer-deps", "--no-package-lock", "--no-save", *PACKAGES)
    for command in (install, (npm, "pack", "--silent", SOURCE)):
        ran = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALLS_WITHIN_SECONDS, check=False
        )
        if ran.returncode != 0:
            _give_up(f"Grafana's packages cannot be installed by npm: {ran.stderr[-300:]}")
    (archive,) = folder.glob(f"grafana-prometheus-{VERSION}.tgz")
    with tarfile.open(archive) as packed:
        if hasattr(tarfile, "data_filter"):  # not in the Python of Debian 12
            packed.extraction_filter = tarfile.data_filter
        packed.extractall(folder / "prometheus")


def _give_up(text: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def asked(folder: Path, questions: list[dict]) -> list[dict]:
    ran = subprocess.run(
        [program("node"), ASKS, folder],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
