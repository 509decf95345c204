"""Trust is evidence: a bad certificate fails the probe, and the status behind it is shown all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.authority import NEXT_YEAR, TOMORROW, YESTERDAY, Authority
from tests.real.laboratory import Laboratory
from tests.real.scrape import Scrape

SERVERS = """
server {
    listen @endpoint ssl;
    server_name good.test;
    ssl_certificate @good;
    ssl_certificate_key @good;
    return 200 welcome;
}
server {
    listen @endpoint ssl;
    server_name expired.test expired-unverified.test;
    ssl_certificate @expired;
    ssl_certificate_key @expired;
    return 200 welcome;
}
server {
    listen @endpoint ssl;
    server_name early.test early-unverified.test;
    ssl_certificate @early;
    ssl_certificate_key @early;
    return 200 welcome;
}
server {
    listen @endpoint ssl;
    server_name wrong-name.test wrong-name-unverified.test;
    ssl_certificate @stranger;
    ssl_certificate_key @stranger;
    return 200 welcome;
}
server {
    listen @endpoint ssl;
    server_name untrusted.test untrusted-unverified.test;
    ssl_certificate @untrusted;
    ssl_certificate_key @untrusted;
    return 200 welcome;
}
"""
CONFIG = """
global: {interval: 2s, timeout: 2s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - name: verified
    sni: [self]
    host: [self]
    domains: [good.test, expired.test, early.test, wrong-name.test, untrusted.test]
  - name: unverified
    sni: [self]
    host: [self]
    verify: false
    domains: [expired-unverified.test, early-unverified.test, wrong-name-unverified.test, untrusted-unverified.test]
"""
FAULTS = ("expired", "early", "wrong-name", "untrusted")


@pytest.fixture(scope="module")
def scrape(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Scrape:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    server = laboratory.nginx(SERVERS, "127.0.51.9", **certificates(laboratory.authority, stranger))
    return laboratory.exporter(CONFIG, server).settled()


def certificates(ours: Authority, stranger: Authority) -> dict[str, Path]:
    def names(fault: str) -> tuple[str, str]:
        return f"{fault}.test", f"{fault}-unverified.test"

    return {
        "good": ours.certificate("good.test"),
        "expired": ours.certificate(*names("expired"), not_after=YESTERDAY),
        "early": ours.certificate(*names("early"), not_before=TOMORROW),
        "stranger": ours.certificate("stranger.test"),
        "untrusted": stranger.certificate(*names("untrusted")),
    }


def test_a_good_certificate_is_trusted(scrape: Scrape):
    assert scrape.value("statuscode_probe_success", domain="good.test", combination="matched") == 1
    assert scrape.value("statuscode_domain_up", domain="good.test") == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_certificate_takes_the_domain_down_and_still_shows_the_status(scrape: Scrape, fault: str):
    domain = f"{fault}.test"

    assert scrape.value("statuscode_probe_http_status_code", domain=domain, combination="matched") == 200
    assert scrape.value("statuscode_probe_success", domain=domain, combination="matched") == 0
    assert scrape.value("statuscode_domain_up", domain=domain) == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_certificate_is_accepted_where_none_is_verified(scrape: Scrape, fault: str):
    domain = f"{fault}-unverified.test"

    assert scrape.value("statuscode_probe_success", domain=domain, combination="matched") == 1
    assert scrape.value("statuscode_domain_up", domain=domain) == 1


def test_the_end_of_every_certificate_is_exported(scrape: Scrape):
    ends = scrape.values("statuscode_tls_certificate_not_after_timestamp_seconds", "domain")

    domains = {f"{fault}{kind}.test" for fault in FAULTS for kind in ("", "-unverified")}
    assert ends == {
        domain: (YESTERDAY if domain.startswith("expired") else NEXT_YEAR).timestamp()
        for domain in domains | {"good.test"}
    }
