"""A running exporter and its memory: an incident goes on after kill -9, and ends when the server is mended."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.real.exporter_process import CHECKOUT, Exporter, ask, serve_command
from tests.real.laboratory import Laboratory
from tests.real.processes import free_endpoint, is_listening, running

SERVER = """
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name shop.test;
    location / { if (-f @broken) { return 503; } return 200 welcome; }
}
"""
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"], scrape_interval: 1s}
groups: [{name: shop, domains: [shop.test]}]
"""
ACTIVE, START = "statuscode_incident_active", "statuscode_incident_start_timestamp_seconds"


@contextmanager
def started(config: Path, log: Path) -> Iterator[Exporter]:
    endpoint = free_endpoint()

    def ready() -> bool:
        return is_listening(endpoint) and ask(endpoint, "GET", "/-/ready").status == 200

    with running(serve_command(config, endpoint), log=log, ready=ready, cwd=CHECKOUT) as process:
        yield Exporter(process, config, endpoint, log)


def test_an_incident_goes_on_after_kill_9_and_ends_when_the_server_is_mended(laboratory: Laboratory, tmp_path: Path):
    certificate = laboratory.authority.certificate("shop.test")
    broken = laboratory._folder / "broken"  # where nginx's workers may look
    broken.touch()
    server = laboratory.nginx(SERVER, "127.0.51.17", certificate=certificate, broken=broken)
    config = tmp_path / "config.yaml"
    config.write_text(laboratory.config(CONFIG, server))

    with started(config, tmp_path / "first.log") as exporter:
        before = exporter.until(lambda scrape: scrape.seen(ACTIVE, "domain"), "an open incident")
        exporter.signal(signal.SIGKILL)
        assert exporter.ended() == -signal.SIGKILL

    with started(config, tmp_path / "second.log") as exporter:
        after = exporter.settled()
        series = [(sample.labels, sample.value) for sample in before.select(START)]
        assert [(sample.labels, sample.value) for sample in after.select(START)] == series
        assert after.values("statuscode_incidents_total", "code") == {}  # it is not counted again
        assert after.value("statuscode_exporter_store_up") == 1

        broken.unlink()
        done = exporter.until(lambda scrape: not scrape.seen(ACTIVE, "domain"), "no open incident")
        assert set(done.values("statuscode_incident_duration_seconds_count", "code").values()) == {1}

    with closing(sqlite3.connect(tmp_path / "data" / "incidents.db")) as database:
        assert database.execute("SELECT stage FROM incident").fetchall() == [("resolved",)]
        kinds = [kind for (kind,) in database.execute("SELECT kind FROM round ORDER BY id")]
    assert (kinds[0], kinds[-1]) == ("opened", "resolved")
