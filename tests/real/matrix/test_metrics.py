"""What `/metrics` says where servers answer differently on a connection that two names share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.laboratory import Laboratory
from tests.real.matrix.layouts import (
    APACHE_WITH_OTHER_CIPHERS,
    ENVOY,
    ENVOY_FOR_ANY_HOST,
    NGINX_THAT_DEMANDS,
    OWN,
    SIBLING,
    Layout,
)
from tests.real.scrape import Scrape

DOMAINS = {OWN, SIBLING}
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca}
groups:
  - name: sites
    port: @port
    resolve: ["@address"]
    domains:
      - own.site.test
      - {domain: sibling.site.test, client_certificate: @client, client_key: @client}
"""
Started = Callable[[Layout, str], Scrape]


@pytest.fixture(scope="module")
def started(laboratory: Laboratory, pages: Path, certificate: Path) -> Started:
    """The first scrape that knows how each name answers on the other's connection, and on its own."""
    client = laboratory.authority.certificate("prober.test")

    def start(layout: Layout, address: str) -> Scrape:
        server = layout.start(laboratory, address, pages, certificate)
        exporter = laboratory.exporter(CONFIG, server, client=client)
        exporter.settled()
        rounds = exporter.scrape().values("statuscode_round_timestamp_seconds", "domain")
        return exporter.until(
            lambda scrape: all(
                scrape.value("statuscode_round_timestamp_seconds", domain=domain) > before
                for domain, before in rounds.items()
            ),
            "a second round of each domain: only then is every answer held against another",
        )

    return start


def shared(name: str, scrape: Scrape) -> dict[str, float]:
    """The values of `name` for each domain on its sibling's connection."""
    cells = scrape.select(name, combination="coalesced", protocol="h2")
    return {cell.labels["domain"]: cell.value for cell in cells if cell.labels["sni"] != cell.labels["domain"]}


@pytest.fixture(scope="module")
def refusing(started: Started) -> Scrape:
    return started(APACHE_WITH_OTHER_CIPHERS, "127.0.61.1")


def test_names_whose_tls_settings_differ_are_refused_on_each_other_s_connection_and_that_is_right(refusing: Scrape):
    assert shared("statuscode_probe_http_status_code", refusing) == dict.fromkeys(DOMAINS, 421)
    assert shared("statuscode_probe_success", refusing) == dict.fromkeys(DOMAINS, 1)
    assert refusing.seen("statuscode_misdirected_responses_total", "expected", combination="coalesced") == {"true"}
    assert refusing.values("statuscode_domain_up", "domain") == dict.fromkeys(DOMAINS, 1)


def test_after_a_421_the_connection_s_own_name_is_still_served(refusing: Scrape):
    for domain in DOMAINS:
        cell = {"combination": "coalesced", "protocol": "h2", "domain": domain, "sni": domain}
        assert refusing.value("statuscode_probe_http_status_code", **cell) == 200
        assert refusing.value("statuscode_probe_success", **cell) == 1


@pytest.mark.parametrize(
    ("layout", "address", "status"),
    [
        pytest.param(ENVOY, "127.0.61.2", 404, id="not found"),
        pytest.param(ENVOY_FOR_ANY_HOST, "127.0.61.3", 200, id="the sibling's page"),
    ],
)
def test_behind_a_router_by_sni_names_on_one_certificate_are_misrouted_and_still_up(
    started: Started, layout: Layout, address: str, status: int
):
    scrape = started(layout, address)

    assert shared("statuscode_probe_http_status_code", scrape) == dict.fromkeys(DOMAINS, status)
    assert shared("statuscode_probe_success", scrape) == dict.fromkeys(DOMAINS, 0)
    assert scrape.values("statuscode_domain_up", "domain") == dict.fromkeys(DOMAINS, 1)
    assert not scrape.seen("statuscode_misdirected_responses_total", "domain")


def test_a_name_that_demands_a_client_certificate_is_refused_in_one_direction_only(started: Started):
    scrape = started(NGINX_THAT_DEMANDS, "127.0.61.4")

    assert shared("statuscode_probe_http_status_code", scrape) == {SIBLING: 421, OWN: 200}
    assert shared("statuscode_probe_success", scrape) == {SIBLING: 1, OWN: 1}
    assert scrape.seen("statuscode_misdirected_responses_total", "domain", combination="coalesced") == {SIBLING}
    assert scrape.values("statuscode_domain_up", "domain") == dict.fromkeys(DOMAINS, 1)
