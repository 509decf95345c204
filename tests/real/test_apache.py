"""What `/metrics` says about Apache, which refuses a Host whose settings are not those of the SNI's virtual host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.laboratory import Laboratory
from tests.real.scrape import Scrape

SEPARATE_CERTIFICATES = """
<VirtualHost *>
    ServerName default.test
    SSLEngine on
    SSLCertificateFile @default
</VirtualHost>
<VirtualHost *>
    ServerName shop.test
    SSLEngine on
    SSLCertificateFile @shop
</VirtualHost>
<VirtualHost *>
    ServerName api.test
    SSLEngine on
    SSLCertificateFile @api
</VirtualHost>
"""
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca}
groups:
  - name: shop
    port: @port
    resolve: ["@address"]
    domains: [shop.test, api.test]
"""
DOMAINS = {"shop.test", "api.test"}


@pytest.fixture(scope="module")
def certificates(laboratory: Laboratory) -> dict[str, Path]:
    names = ("default", "shop", "api")
    return {name: laboratory.authority.certificate(f"{name}.test") for name in names}


@pytest.fixture(scope="module")
def separate(laboratory: Laboratory, certificates: dict[str, Path]) -> Scrape:
    server = laboratory.apache(SEPARATE_CERTIFICATES, "127.0.51.10", **certificates)
    return laboratory.exporter(CONFIG, server).settled()


def test_names_with_their_own_certificates_are_up(separate: Scrape):
    assert separate.values("statuscode_domain_up", "domain") == dict.fromkeys(DOMAINS, 1)
    assert separate.seen("statuscode_http_responses_total", "code", combination="matched") == {"200"}


@pytest.mark.parametrize("combination", ["no_sni", "other_sni", "unknown_host"])
def test_a_421_to_another_sni_than_the_hosts_own_is_right(separate: Scrape, combination: str):
    cell = {"combination": combination}

    assert separate.values("statuscode_probe_http_status_code", "domain", **cell) == dict.fromkeys(DOMAINS, 421)
    assert separate.values("statuscode_probe_success", "domain", **cell) == dict.fromkeys(DOMAINS, 1)
    for domain in DOMAINS:
        seen = separate.seen("statuscode_misdirected_responses_total", "expected", domain=domain, **cell)
        assert seen == {"true"}


def test_what_the_certificate_does_not_cover_is_not_asked_on_its_connection(separate: Scrape):
    assert not separate.seen("statuscode_probe_success", "domain", combination="coalesced")


def test_a_right_421_is_no_incident(separate: Scrape):
    assert separate.seen("statuscode_misdirected_responses_total", "expected") == {"true"}
    assert not separate.seen("statuscode_probe_failures_total", "domain")


def test_a_403_to_a_client_without_sni_is_right(laboratory: Laboratory, certificates: dict[str, Path]):
    """SSLStrictSNIVHostCheck refuses clients without SNI with 403."""
    strict = f"SSLStrictSNIVHostCheck on\n{SEPARATE_CERTIFICATES}"
    server = laboratory.apache(strict, "127.0.51.11", **certificates)
    scrape = laboratory.exporter(CONFIG, server).settled()

    cell = {"combination": "no_sni"}
    assert scrape.values("statuscode_probe_http_status_code", "domain", **cell) == dict.fromkeys(DOMAINS, 403)
    assert scrape.values("statuscode_probe_success", "domain", **cell) == dict.fromkeys(DOMAINS, 1)
    assert scrape.values("statuscode_domain_up", "domain") == dict.fromkeys(DOMAINS, 1)


PROXY = """
server {
    listen @endpoint ssl;
    ssl_certificate @edge;
    ssl_certificate_key @edge;
    location / {
        proxy_pass https://@origin;
        proxy_set_header Host $host;
        proxy_ssl_name $host;
        proxy_ssl_server_name @sends_sni;
    }
}
"""
PROXY_CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: default, domains: [default.test]}
  - {name: shop, domains: [shop.test, api.test]}
"""


def proxied(laboratory: Laboratory, certificates: dict[str, Path], *, sends_sni: str, address: str) -> Scrape:
    origin = laboratory.apache(SEPARATE_CERTIFICATES, "127.0.51.12", **certificates)
    edge = laboratory.authority.certificate("default.test", "shop.test", "api.test")
    server = laboratory.nginx(PROXY, address, edge=edge, origin=origin, sends_sni=sends_sni)
    return laboratory.exporter(PROXY_CONFIG, server).settled()


def test_behind_a_proxy_that_sends_no_sni_every_name_but_the_first_is_misdirected(
    laboratory: Laboratory, certificates: dict[str, Path]
):
    scrape = proxied(laboratory, certificates, sends_sni="off", address="127.0.51.13")

    matched = {"combination": "matched"}
    codes = scrape.values("statuscode_probe_http_status_code", "domain", **matched)
    assert codes == {"default.test": 200, "shop.test": 421, "api.test": 421}
    assert scrape.values("statuscode_domain_up", "domain") == {"default.test": 1, "shop.test": 0, "api.test": 0}
    assert scrape.seen("statuscode_misdirected_responses_total", "domain", expected="false", **matched) == DOMAINS
    assert not scrape.seen("statuscode_misdirected_responses_total", "domain", expected="true", **matched)


def test_behind_a_proxy_that_sends_the_sni_every_name_is_up(laboratory: Laboratory, certificates: dict[str, Path]):
    scrape = proxied(laboratory, certificates, sends_sni="on", address="127.0.51.14")

    assert scrape.values("statuscode_domain_up", "domain") == {"default.test": 1, "shop.test": 1, "api.test": 1}
    assert not scrape.seen("statuscode_misdirected_responses_total", "domain")
