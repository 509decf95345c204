"""The exporter as its users run it: a command with a file, spoken to by HTTP and by signals."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.real.processes import Endpoint, awaited, free_endpoint, is_listening, running
from tests.real.scrape import Scrape, parsed

CHECKOUT = Path(__file__).parents[2]
SETTLES_WITHIN_SECONDS = 20.0
DRAINS_WITHIN_SECONDS = 25.0  # the exporter gives rounds in flight 15


class Answer(NamedTuple):
    status: int
    body: str


def serve_command(config: Path, endpoint: Endpoint) -> tuple[str, ...]:
    listen = f"--web.listen-address={endpoint}"
    storage = f"--storage.path={config.parent / 'data'}"
    return (sys.executable, "-m", "exporter", "serve", f"--config.file={config}", storage, listen)


class Exporter:
    """A running exporter."""

    def __init__(self, process: subprocess.Popen[bytes], config: Path, endpoint: Endpoint, log: Path) -> None:
        self._process = process
        self._config = config
        self._log = log
        self.endpoint = endpoint

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ask(self, method: str, path: str) -> Answer:
        return ask(self.endpoint, method, path)

    def scrape(self) -> Scrape:
        answer = self.ask("GET", "/metrics")
        assert answer.status == 200, answer
        return parsed(answer.body)

    def until(self, question: Callable[[Scrape], bool], what: str) -> Scrape:
        """The first scrape of which `question` is true."""

        def scrape_if_true() -> Scrape | None:
            scrape = self.scrape()
            return scrape if question(scrape) else None

        return awaited(
            scrape_if_true, within_seconds=SETTLES_WITHIN_SECONDS, what=f"{what}; log of exporter:\n{self.log}"
        )

    def settled(self) -> Scrape:
        """The first scrape that shows a round of every configured domain."""
        domains = configured_domains(self._config.read_text())
        return self.until(
            lambda scrape: domains <= scrape.seen("statuscode_round_timestamp_seconds", "domain"),
            f"a round of each of {sorted(domains)}",
        )

    def configure(self, text: str) -> None:
        """Write another configuration; it takes effect with a reload."""
        self._config.write_text(text)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """The exit status, once the process is over."""
        return self._process.wait(DRAINS_WITHIN_SECONDS)


def ask(endpoint: Endpoint, method: str, path: str) -> Answer:
    with contextlib.closing(http.client.HTTPConnection(*endpoint, timeout=10)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())


@contextlib.contextmanager
def running_exporter(folder: Path, config_text: str) -> Iterator[Exporter]:
    """An exporter whose rounds are scheduled; on leaving it must end well and must not have met a fault of its own."""
    config, log, endpoint = folder / "config.yaml", folder / "exporter.log", free_endpoint()
    config.write_text(config_text)

    def ready() -> bool:
        return is_listening(endpoint) and ask(endpoint, "GET", "/-/ready").status == 200

    with running(serve_command(config, endpoint), log=log, ready=ready, cwd=CHECKOUT) as process:
        exporter = Exporter(process, config, endpoint, log)
        yield exporter
        if process.poll() is None:
            exporter.signal(signal.SIGTERM)
        assert exporter.ended() == 0, exporter.log
    assert "Traceback" not in exporter.log, exporter.log


def configured_domains(config_text: str) -> set[str]:
    entries = [entry for group in yaml.safe_load(config_text)["groups"] for entry in group["domains"]]
    return {entry if isinstance(entry, str) else entry["domain"] for entry in entries}
