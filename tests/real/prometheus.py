"""Prometheus as an ordinary process, and its query API."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.programs import program
from tests.real.blueprint import Blueprint
from tests.real.exporter_process import ask
from tests.real.processes import Endpoint, awaited, free_endpoint, is_listening, running

CONFIG = Blueprint("""
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: statuscode
    static_configs: [{targets: ["@endpoint"]}]
""")

Labels = frozenset[tuple[str, str]]


class Prometheus:
    """A running Prometheus."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def query(self, expression: str) -> dict[Labels, float]:
        """An instant vector: values by labels."""
        vector = self._api(f"query?query={quote(expression)}")["result"]
        return {frozenset(series["metric"].items()): float(series["value"][1]) for series in vector}

    def until_found(self, expression: str) -> dict[Labels, float]:
        """The first answer that is not empty."""
        return awaited(lambda: self.query(expression) or None, within_seconds=20, what=f"{expression} finds series")

    def last_errors(self) -> list[str]:
        """What went wrong with the last scrape of each target; empty strings where nothing did."""
        return [target["lastError"] for target in self._api("targets")["activeTargets"]]

    def _api(self, path: str):
        answer = ask(self._endpoint, "GET", f"/api/v1/{path}")
        assert answer.status == 200, answer
        return json.loads(answer.body)["data"]


def scraping(endpoint: Endpoint) -> str:
    """A configuration that scrapes it every second."""
    return CONFIG.substitute(endpoint=endpoint)


@contextlib.contextmanager
def running_prometheus(folder: Path, text: str) -> Iterator[Prometheus]:
    """A Prometheus with this configuration; files that it names stand in `folder`."""
    config, endpoint = folder / "prometheus.yml", free_endpoint()
    config.write_text(text)
    argv = (
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={endpoint}",
    )

    def ready() -> bool:
        return is_listening(endpoint) and ask(endpoint, "GET", "/-/ready").status == 200

    with running(argv, log=folder / "prometheus.log", ready=ready, cwd=folder):
        yield Prometheus(endpoint)
