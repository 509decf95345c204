"""Do the commands of the runbooks show on real servers what the pages say that they show?"""

from __future__ import annotations

import os
import re
import subprocess
from importlib.resources import files

import pytest

from tests.programs import program
from tests.real.authority import YESTERDAY
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint

ONE_NAME = """
server {
    listen @endpoint ssl default_server;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name other.test;
    return 404 "nobody knows that name\n";
}
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name api.test;
    return 200 "welcome\n";
}
"""
CLIENT_CERTIFICATE = """
server {
    listen @endpoint ssl http2;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name api.test;
    return 200 "welcome\n";
}
server {
    listen @endpoint ssl http2;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    ssl_client_certificate @ca;
    ssl_verify_client on;
    server_name shop.test;
    return 200 "welcome\n";
}
"""
REJECTING = """
server {
    listen @endpoint ssl default_server;
    server_name _;
    ssl_reject_handshake on;
}
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name api.test;
    return 200 "welcome\n";
}
"""
PLAIN = "server { listen @endpoint; server_name shop.test; return 200 welcome; }"
ONE_SITE = """
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name shop.test;
    return 200 "welcome\n";
}
"""
DIFFERENT_SETTINGS = """
<VirtualHost *>
    ServerName shop.test
    SSLEngine on
    SSLCertificateFile @certificate
</VirtualHost>
<VirtualHost *>
    ServerName api.test
    SSLEngine on
    SSLCertificateFile @certificate
    SSLProtocol -all +TLSv1.2
</VirtualHost>
"""


def commands(page: str) -> list[str]:
    """The code blocks of a page's diagnosis, without the exporter's own command."""
    source = files("exporter.runbooks").joinpath("causes", f"{page}.md").read_text(encoding="utf-8")
    diagnosis = source.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", diagnosis, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^statuscode-exporter .*$", "", block, flags=re.MULTILINE) for block in blocks]


def told(laboratory: Laboratory, page: str, server: Endpoint, block: int = 0) -> str:
    """What somebody reads who copies one block of `page` into a shell."""
    program("curl"), program("openssl")
    names = {"DOMAIN": "shop.test", "SIBLING": "api.test", "ADDRESS": server.address, "PORT": str(server.port)}
    surroundings = os.environ | names | {"CURL_CA_BUNDLE": str(laboratory.authority.ca_file), "no_proxy": "*"}
    argv = ("bash", "-c", commands(page)[block])
    done = subprocess.run(
        argv, env=surroundings, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    return done.stdout.decode("utf-8", "replace")


def statuses(output: str) -> list[int]:
    return [int(code) for code in re.findall(r"^HTTP/[0-9.]+ ([0-9]{3})", output, re.MULTILINE)]


@pytest.fixture(scope="module")
def certificate(laboratory: Laboratory):
    return laboratory.authority.certificate("shop.test", "api.test")


def test_different_settings_show_as_200_on_the_own_and_421_on_the_siblings_connection(laboratory, certificate):
    server = laboratory.apache(DIFFERENT_SETTINGS, "127.0.51.41", certificate=certificate)

    assert statuses(told(laboratory, "vhost-tls-params-differ", server)) == [200, 421]
    fingerprints = re.findall("Fingerprint=(.*)", told(laboratory, "vhost-tls-params-differ", server, block=1))
    assert len(fingerprints) == 2
    assert len(set(fingerprints)) == 1


def test_a_client_certificate_shows_as_421_in_one_direction_and_in_one_handshake(laboratory, certificate):
    server = laboratory.nginx(CLIENT_CERTIFICATE, "127.0.51.42", certificate=certificate)
    output = told(laboratory, "vhost-client-cert-differs", server)
    asks, asks_not = output.partition("== shop.test")[2].split("== api.test")

    assert statuses(output)[0] == 421
    assert "Requested Signature Algorithms" in asks
    assert "Requested Signature Algorithms" not in asks_not
    assert "No required SSL certificate was sent" in told(laboratory, "vhost-client-cert-differs", server, block=1)


def test_a_missing_virtual_host_answers_as_to_a_name_that_nobody_owns(laboratory, certificate):
    server = laboratory.nginx(ONE_NAME, "127.0.51.43", certificate=certificate)
    output = told(laboratory, "vhost-missing", server)

    assert statuses(output) == [404, 404]
    assert output.count("nobody knows that name") == 2
    assert "DNS:shop.test, DNS:api.test" in output


def test_a_rejected_name_fails_as_the_unknown_one_does_and_the_sibling_does_not(laboratory, certificate):
    server = laboratory.nginx(REJECTING, "127.0.51.44", certificate=certificate)
    output = told(laboratory, "tls-name-rejected", server)

    assert output.count("alert number 112") == 2
    assert output.count("subject=") == 1


def test_a_plain_port_answers_plain_http_and_no_tls(laboratory):
    output = told(laboratory, "port-speaks-plain-http", laboratory.nginx(PLAIN, "127.0.51.45"))

    assert statuses(output) == [200]
    assert "wrong version number" in output


def test_an_expired_certificate_shows_its_last_day(laboratory):
    expired = laboratory.authority.certificate("shop.test", not_after=YESTERDAY)
    output = told(laboratory, "cert-expired", laboratory.nginx(ONE_SITE, "127.0.51.46", certificate=expired))

    assert "notAfter=" in output
    assert "certificate has expired" in output


def test_a_server_that_demands_sni_answers_with_it_and_refuses_without(laboratory, certificate):
    server = laboratory.nginx(REJECTING + ONE_SITE, "127.0.51.47", certificate=certificate)
    output = told(laboratory, "strict-sni-rejects-clients-without-sni", server)

    assert statuses(output) == [200]
    assert "alert number 112" in output
