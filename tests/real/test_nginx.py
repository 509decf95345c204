"""What `/metrics` says about nginx, well and badly configured."""

from __future__ import annotations

import pytest

from tests.real.laboratory import Laboratory
from tests.real.scrape import Scrape

SHARED_CERTIFICATE = """
server {
    listen @endpoint ssl http2;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name shop.test api.shop.test;
    location / { return 200 welcome; }
}
"""
SHARED_CERTIFICATE_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca}
groups:
  - name: shop
    port: @port
    resolve: ["@address"]
    domains: [shop.test, api.shop.test]
"""


@pytest.fixture(scope="module")
def shared_certificate(laboratory: Laboratory) -> Scrape:
    certificate = laboratory.authority.certificate("shop.test", "api.shop.test")
    server = laboratory.nginx(SHARED_CERTIFICATE, certificate=certificate)
    return laboratory.exporter(SHARED_CERTIFICATE_CONFIG, server).settled()


def test_two_good_names_on_one_certificate_are_up(shared_certificate: Scrape):
    assert shared_certificate.values("statuscode_domain_up", "domain") == {"shop.test": 1, "api.shop.test": 1}


def test_every_cell_of_two_good_names_is_probed_and_right(shared_certificate: Scrape):
    labels = ("protocol", "domain", "combination", "sni", "host", "connection")
    successes = {
        tuple(sample.labels[label] for label in labels): sample.value
        for sample in shared_certificate.select("statuscode_probe_success", address="127.0.51.1")
    }

    nobody = "statuscode-exporter-unknown-host.invalid"
    assert successes == {
        (protocol, domain, *cell): 1
        for domain, sibling in (("shop.test", "api.shop.test"), ("api.shop.test", "shop.test"))
        for protocol, *cell in (
            ("http/1.1", "matched", domain, domain, "fresh"),
            ("http/1.1", "other_sni", sibling, domain, "fresh"),
            ("http/1.1", "no_sni", "", domain, "fresh"),
            ("http/1.1", "unknown_host", domain, nobody, "reused"),
            ("h2", "matched", domain, domain, "fresh"),
            ("h2", "coalesced", sibling, domain, "reused"),
            ("h2", "coalesced", domain, domain, "reused"),
            ("h2", "unknown_host", domain, nobody, "reused"),
        )
    }


def test_browsers_would_share_the_connection_of_two_names_on_one_certificate(shared_certificate: Scrape):
    exposed = {
        (sample.labels["domain"], sample.labels["sibling"], sample.labels["client"])
        for sample in shared_certificate.select("statuscode_coalescing_exposed")
    }

    assert exposed == {
        (domain, sibling, client)
        for domain, sibling in (("shop.test", "api.shop.test"), ("api.shop.test", "shop.test"))
        for client in ("chromium", "firefox")
    }


def test_what_was_never_seen_is_not_counted(shared_certificate: Scrape):
    assert shared_certificate.seen("statuscode_http_responses_total", "code") == {"200"}
    assert not shared_certificate.seen("statuscode_misdirected_responses_total", "domain")
    assert not shared_certificate.seen("statuscode_probe_failures_total", "domain")


STATUSES = """
limit_req_zone $server_name zone=nobody:1m rate=1r/m;
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen @endpoint ssl;
    server_name status-401.test accepted.test;
    location / { auth_basic "staff"; auth_basic_user_file @folder/nobody; }
}
server {
    listen @endpoint ssl;
    server_name status-403.test;
    location / { deny all; }
}
server {
    listen @endpoint ssl;
    server_name status-404.test;
    root @folder/nothing;
}
server {
    listen @endpoint ssl;
    server_name status-429.test;
    return 429;
}
server {
    listen @endpoint ssl;
    server_name status-500.test;
    location / { rewrite ^ /again last; }
}
server {
    listen @endpoint ssl;
    server_name status-502.test;
    location / { proxy_pass http://@closed; }
}
server {
    listen @endpoint ssl;
    server_name status-503.test;
    return 503;
}
server {
    listen @endpoint ssl;
    server_name status-504.test;
    location / { proxy_pass http://@silent; proxy_read_timeout 200ms; }
}
"""
STATUSES_CONFIG = """
global: {interval: 2s, timeout: 2s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: "401", domains: [status-401.test]}
  - {name: "403", domains: [status-403.test]}
  - {name: "404", domains: [status-404.test]}
  - {name: "429", domains: [status-429.test]}
  - {name: "500", domains: [status-500.test]}
  - {name: "502", domains: [status-502.test]}
  - {name: "503", domains: [status-503.test]}
  - {name: "504", domains: [status-504.test]}
  - name: accepted
    expect: {status: [401]}
    domains: [accepted.test]
"""
CODES = ("401", "403", "404", "429", "500", "502", "503", "504")


@pytest.fixture(scope="module")
def statuses(laboratory: Laboratory) -> Scrape:
    names = [f"status-{code}.test" for code in CODES]
    certificate = laboratory.authority.certificate(*names, "accepted.test")
    closed, silent = laboratory.refusing(), laboratory.silent()
    server = laboratory.nginx(STATUSES, "127.0.51.3", certificate=certificate, closed=closed, silent=silent)
    return laboratory.exporter(STATUSES_CONFIG, server).settled()


@pytest.mark.parametrize("code", CODES)
def test_an_error_status_is_counted_by_its_code_and_takes_the_domain_down(statuses: Scrape, code: str):
    cell = {"domain": f"status-{code}.test", "combination": "matched"}

    assert statuses.seen("statuscode_http_responses_total", "code", **cell) == {code}
    assert statuses.value("statuscode_probe_http_status_code", **cell) == int(code)
    assert statuses.value("statuscode_probe_success", **cell) == 0
    assert statuses.value("statuscode_domain_up", domain=cell["domain"]) == 0


def test_an_error_status_is_an_answer_and_no_failed_probe(statuses: Scrape):
    """nginx closes the connection after a 500, so nothing can be asked second: that is no cell, and no failure."""
    assert not statuses.seen("statuscode_probe_failures_total", "domain")
    assert not statuses.seen("statuscode_probe_success", "domain", domain="status-500.test", combination="unknown_host")


def test_a_domain_that_is_expected_to_answer_401_is_up_with_it(statuses: Scrape):
    cell = {"domain": "accepted.test", "combination": "matched"}

    assert statuses.seen("statuscode_http_responses_total", "code", **cell) == {"401"}
    assert statuses.value("statuscode_probe_success", **cell) == 1
    assert statuses.value("statuscode_domain_up", domain="accepted.test") == 1


CATCH_ALL_421 = """
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen @endpoint ssl default_server;
    return 421;
}
server {
    listen @endpoint ssl;
    server_name known.test;
    return 200 welcome;
}
"""
CATCH_ALL_421_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: known, domains: [known.test]}
  - {name: forgotten, domains: [forgotten.test]}
"""


@pytest.fixture(scope="module")
def catch_all(laboratory: Laboratory) -> Scrape:
    certificate = laboratory.authority.certificate("known.test", "forgotten.test")
    server = laboratory.nginx(CATCH_ALL_421, "127.0.51.4", certificate=certificate)
    return laboratory.exporter(CATCH_ALL_421_CONFIG, server).settled()


def test_a_421_to_an_unknown_host_is_right(catch_all: Scrape):
    cell = {"domain": "known.test", "combination": "unknown_host"}

    assert catch_all.value("statuscode_probe_http_status_code", **cell) == 421
    assert catch_all.value("statuscode_probe_success", **cell) == 1
    assert catch_all.seen("statuscode_misdirected_responses_total", "expected", **cell) == {"true"}
    assert catch_all.seen("statuscode_misdirected_responses_total", "combination", domain="known.test") == {
        "unknown_host"
    }
    assert catch_all.value("statuscode_domain_up", domain="known.test") == 1


def test_a_421_to_a_name_that_the_server_has_forgotten_is_wrong(catch_all: Scrape):
    cell = {"domain": "forgotten.test", "combination": "matched"}

    assert catch_all.value("statuscode_probe_http_status_code", **cell) == 421
    assert catch_all.value("statuscode_probe_success", **cell) == 0
    assert catch_all.seen("statuscode_misdirected_responses_total", "expected", **cell) == {"false"}
    assert catch_all.value("statuscode_domain_up", domain="forgotten.test") == 0


TWO_ADDRESSES = """
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen 127.0.51.5:@port ssl;
    server_name half.test refused.test;
    return 200 welcome;
}
server {
    listen 127.0.51.6:@port ssl;
    return 421;
}
"""
TWO_ADDRESSES_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port}
groups:
  - {name: half, resolve: [127.0.51.5, 127.0.51.6], domains: [half.test]}
  - {name: refused, resolve: [127.0.51.5, 127.0.51.7], domains: [refused.test]}
"""


@pytest.fixture(scope="module")
def two_addresses(laboratory: Laboratory) -> Scrape:
    certificate = laboratory.authority.certificate("half.test", "refused.test")
    server = laboratory.nginx(TWO_ADDRESSES, "127.0.51.5", certificate=certificate)
    laboratory.refusing("127.0.51.7", server.port)
    return laboratory.exporter(TWO_ADDRESSES_CONFIG, server).settled()


def test_a_domain_that_one_of_its_addresses_misdirects_is_down_at_that_address(two_addresses: Scrape):
    cell = {"domain": "half.test", "combination": "matched"}

    codes = two_addresses.values("statuscode_probe_http_status_code", "address", **cell)
    assert codes == {"127.0.51.5": 200, "127.0.51.6": 421}
    successes = two_addresses.values("statuscode_probe_success", "address", **cell)
    assert successes == {"127.0.51.5": 1, "127.0.51.6": 0}
    assert two_addresses.seen("statuscode_misdirected_responses_total", "expected", **cell) == {"false"}
    assert two_addresses.value("statuscode_domain_up", domain="half.test") == 0


def test_a_domain_that_one_of_its_addresses_refuses_is_down_at_that_address(two_addresses: Scrape):
    cell = {"domain": "refused.test", "combination": "matched"}

    successes = two_addresses.values("statuscode_probe_success", "address", **cell)
    assert successes == {"127.0.51.5": 1, "127.0.51.7": 0}
    failures = two_addresses.values("statuscode_probe_failures_total", "kind", domain="refused.test", phase="connect")
    assert failures["refused"] >= 1
    assert two_addresses.value("statuscode_domain_up", domain="refused.test") == 0


CLIENT_CERTIFICATE = """
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    ssl_client_certificate @ca;
    ssl_verify_client on;
    return 200 welcome;
}
"""
CLIENT_CERTIFICATE_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: with, domains: [with.test], client_certificate: @client, client_key: @client}
  - {name: without, domains: [without.test]}
"""


def test_a_server_that_asks_for_a_client_certificate_is_up_only_with_it(laboratory: Laboratory):
    certificate = laboratory.authority.certificate("with.test", "without.test")
    server = laboratory.nginx(CLIENT_CERTIFICATE, "127.0.51.8", certificate=certificate)
    client = laboratory.authority.certificate("prober.test")
    scrape = laboratory.exporter(CLIENT_CERTIFICATE_CONFIG, server, client=client).settled()

    codes = scrape.values("statuscode_probe_http_status_code", "domain", combination="matched")
    assert codes == {"with.test": 200, "without.test": 400}
    assert scrape.values("statuscode_domain_up", "domain") == {"with.test": 1, "without.test": 0}
