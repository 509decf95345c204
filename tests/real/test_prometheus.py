"""A real Prometheus scrapes the exporter and answers from what it stored."""

from __future__ import annotations

import subprocess

import pytest

from tests.programs import program
from tests.real.exporter_process import Exporter
from tests.real.laboratory import Laboratory
from tests.real.prometheus import Prometheus

SERVER = """
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen @endpoint ssl default_server;
    return 421;
}
server {
    listen @endpoint ssl;
    server_name good.test;
    return 200 welcome;
}
server {
    listen @endpoint ssl;
    server_name busy.test;
    return 503;
}
"""
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: good, domains: [good.test]}
  - {name: busy, domains: [busy.test]}
  - {name: forgotten, domains: [forgotten.test]}
"""


@pytest.fixture(scope="module")
def exporter(laboratory: Laboratory) -> Exporter:
    certificate = laboratory.authority.certificate("good.test", "busy.test", "forgotten.test")
    server = laboratory.nginx(SERVER, "127.0.51.16", certificate=certificate)
    exporter = laboratory.exporter(CONFIG, server)
    exporter.settled()
    return exporter


@pytest.fixture(scope="module")
def prometheus(laboratory: Laboratory, exporter: Exporter) -> Prometheus:
    """It has scraped, and at least two rounds apart."""
    prometheus = laboratory.prometheus(exporter.endpoint)
    prometheus.until_found('increase(statuscode_http_responses_total{combination="matched"}[30s]) > 0')
    return prometheus


def test_the_scrape_succeeds(prometheus: Prometheus):
    assert list(prometheus.query("up").values()) == [1]
    assert prometheus.last_errors() == [""]
    assert list(prometheus.query("scrape_samples_post_metric_relabeling > 0"))


def test_the_domains_that_are_down_are_found(prometheus: Prometheus):
    down = prometheus.query("sum by (domain) (statuscode_domain_up) == 0")

    assert set(down) == {frozenset({("domain", "busy.test")}), frozenset({("domain", "forgotten.test")})}


def test_matched_answers_are_summed_by_code(prometheus: Prometheus):
    totals = prometheus.query('sum by (code) (statuscode_http_responses_total{combination="matched"})')

    assert {dict(labels)["code"] for labels in totals} == {"200", "503", "421"}
    assert min(totals.values()) >= 1


def test_wrong_421s_are_told_from_right_ones(prometheus: Prometheus):
    totals = prometheus.query("sum by (domain, expected) (statuscode_misdirected_responses_total) > 0")

    unexpected = [dict(labels)["domain"] for labels in totals if ("expected", "false") in labels]
    assert unexpected == ["forgotten.test"]
    assert frozenset({("domain", "good.test"), ("expected", "true")}) in totals


def test_the_age_of_each_round_is_known(prometheus: Prometheus):
    ages = prometheus.query("time() - statuscode_round_timestamp_seconds")

    assert len(ages) == 3
    assert max(ages.values()) < 30


def test_promtool_has_nothing_to_complain_about(exporter: Exporter):
    command = (program("promtool"), "check", "metrics")
    document = exporter.scrape().document
    checked = subprocess.run(command, input=document, capture_output=True, text=True, timeout=20, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
