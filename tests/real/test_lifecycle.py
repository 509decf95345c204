"""A running exporter: how it starts, takes another configuration, and ends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.exporter_process import CHECKOUT, Exporter, serve_command
from tests.real.laboratory import Laboratory
from tests.real.processes import ENDS_WITHIN_SECONDS, Endpoint, free_endpoint, is_listening

SERVER = """
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name stays.test goes.test comes.test;
    return 200 welcome;
}
"""
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: stays, domains: [stays.test]}
  - {name: goes, domains: [goes.test]}
"""
NEXT_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: stays, domains: [stays.test]}
  - {name: comes, domains: [comes.test]}
"""
BAD_CONFIG = """
global: {interval: 1s, timeout: 2s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: stays, domains: [stays.test]}
  - {name: goes, intervall: 5s, domains: [{domain: goes.test, port: 0}]}
"""
STAYS = {"domain": "stays.test", "combination": "matched", "code": "200"}


@pytest.fixture(scope="module")
def server(laboratory: Laboratory) -> Endpoint:
    certificate = laboratory.authority.certificate("stays.test", "goes.test", "comes.test")
    return laboratory.nginx(SERVER, "127.0.51.15", certificate=certificate)


def by_request(exporter: Exporter) -> None:
    assert exporter.ask("POST", "/-/reload").status == 200


def by_signal(exporter: Exporter) -> None:
    exporter.signal(signal.SIGHUP)


@pytest.mark.parametrize("reload", [by_request, by_signal])
def test_a_reload_forgets_what_was_removed_probes_what_was_added_and_goes_on_counting(
    laboratory: Laboratory, server: Endpoint, reload: Callable[[Exporter], None]
):
    exporter = laboratory.exporter(CONFIG, server)
    exporter.settled()
    before = exporter.until(
        lambda scrape: scrape.value("statuscode_http_responses_total", **STAYS) >= 3, "three rounds"
    )
    exporter.configure(laboratory.config(NEXT_CONFIG, server))
    reload(exporter)
    after = exporter.until(lambda scrape: "comes.test" in scrape.seen("statuscode_domain_up", "domain"), "a new domain")

    mentioned = {sample.labels["domain"] for sample in after.samples if "domain" in sample.labels}
    assert mentioned == {"stays.test", "comes.test"}
    responses = "statuscode_http_responses_total"
    assert after.value(responses, **STAYS) >= before.value(responses, **STAYS)
    assert after.value("statuscode_exporter_config_last_reload_successful") == 1


def test_a_bad_file_is_refused_with_every_keys_path_and_the_old_targets_are_probed_on(
    laboratory: Laboratory, server: Endpoint
):
    exporter = laboratory.exporter(CONFIG, server)
    before = exporter.settled()
    assert before.value("statuscode_exporter_config_last_reload_successful") == 1
    exporter.configure(laboratory.config(BAD_CONFIG, server))
    answer = exporter.ask("POST", "/-/reload")

    assert answer.status == 500
    for path in ("groups[1].intervall", "groups[1].domains[0].port", "timeout"):
        assert path in answer.body
    assert "groups[1].intervall" in exporter.log
    assert exporter.scrape().value("statuscode_exporter_config_last_reload_successful") == 0
    rounds = "statuscode_round_timestamp_seconds"
    for domain in ("stays.test", "goes.test"):
        seen = before.value(rounds, domain=domain)
        exporter.until(lambda scrape: scrape.value(rounds, domain=domain) > seen, f"another round of {domain}")  # noqa: B023

    exporter.configure(laboratory.config(CONFIG, server))
    assert exporter.ask("POST", "/-/reload").status == 200
    assert exporter.scrape().value("statuscode_exporter_config_last_reload_successful") == 1


def test_a_bad_file_at_the_start_ends_with_status_2_and_every_complaint_on_stderr(
    laboratory: Laboratory, server: Endpoint, tmp_path: Path
):
    config, endpoint = tmp_path / "config.yaml", free_endpoint()
    config.write_text(laboratory.config(BAD_CONFIG, server))
    command = serve_command(config, endpoint)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=CHECKOUT, check=False)

    assert ended.returncode == 2
    assert ended.stdout == ""
    for path in ("groups[1].intervall", "groups[1].domains[0].port", "timeout"):
        assert path in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not is_listening(endpoint)


SLOW_CONFIG = """
global: {interval: 1m, timeout: 30s, port: @port, resolve: ["@address"]}
groups:
  - {name: silent, domains: [a.test, b.test, c.test, d.test, e.test, f.test, g.test, h.test]}
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_exporter_ends_at_once_and_well(laboratory: Laboratory, server: Endpoint, number: signal.Signals):
    exporter = laboratory.exporter(CONFIG.replace("interval: 1s", "interval: 1h"), server)
    started = time.monotonic()
    exporter.signal(number)

    assert exporter.ended() == 0
    assert time.monotonic() - started < ENDS_WITHIN_SECONDS / 2
    assert not is_listening(exporter.endpoint)


def test_an_exporter_that_waits_for_a_silent_server_ends_within_a_bound(laboratory: Laboratory):
    exporter = laboratory.exporter(SLOW_CONFIG, laboratory.silent())
    exporter.until(lambda scrape: scrape.value("statuscode_exporter_rounds_in_flight") > 0, "a round is in flight")
    exporter.signal(signal.SIGTERM)

    assert exporter.ended() == 0
