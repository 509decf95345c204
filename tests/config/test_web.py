"""The web configuration: what Prometheus' own tools take, and one clear complaint for each fault."""

from __future__ import annotations

import subprocess

import bcrypt
import pytest
import trustme

from exporter.config import ClientAuth, ConfigError, TlsVersion, load_web
from tests.programs import program

HASH = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, ca = tmp_path_factory.mktemp("web"), trustme.CA()
    for name in ("one", "other"):
        leaf = ca.issue_cert(f"{name}.test")
        leaf.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
        leaf.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder


def written(folder, text):
    path = folder / "web.yaml"
    path.write_text(text)
    return path


def complaints(folder, text):
    with pytest.raises(ConfigError) as raised:
        load_web(written(folder, text))
    return [one.removeprefix(f"{folder}/web.yaml:") for one in raised.value.complaints]


WHOLE = f"""
tls_server_config:
  cert_file: one.pem
  key_file: one.key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
basic_auth_users:
  alice: {HASH}
"""


def test_the_whole_file_is_read_as_prometheus_own_tool_reads_it(folder):
    path = written(folder, WHOLE)

    found = load_web(path)

    assert found.users == {"alice": HASH}
    assert (found.tls.cert_file, found.tls.client_ca_file) == (str(folder / "one.pem"), str(folder / "ca.pem"))
    assert (found.tls.client_auth_type, found.tls.min_version) == (ClientAuth.REQUIRED, TlsVersion.TLS13)
    checked = subprocess.run(
        [program("promtool"), "check", "web-config", path], capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, "SUCCESS" in checked.stdout + checked.stderr) == (0, True)


def test_users_alone_and_a_certificate_alone_will_do(folder):
    users = load_web(written(folder, f"basic_auth_users: {{alice: {HASH}}}"))
    tls = load_web(written(folder, "tls_server_config: {cert_file: one.pem, key_file: one.key}"))

    assert (list(users.users), users.tls) == (["alice"], None)
    assert (dict(tls.users), tls.tls.client_auth_type) == ({}, ClientAuth.NONE)


PAIR = "cert_file: one.pem, key_file: one.key"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: is empty: `tls_server_config` or `basic_auth_users` is needed"),
        ("[]", "1: must hold `tls_server_config` or `basic_auth_users` at its top"),
        ("basic_auth_user: {}", "1: basic_auth_user: is not a known key; did you mean `basic_auth_users`?"),
        (
            "basic_auth_users: {alice: hunter2}",
            "1: basic_auth_users.alice: must be a bcrypt hash, as `htpasswd -nB` makes it, not a password",
        ),
        (f"basic_auth_users: {{'a:b': {HASH}}}", "must be a name of 1 to 256 characters without a colon"),
        (f"basic_auth_users: {{alice: {HASH.replace('$04$', '$31$')}}}", "has a cost of 31: from 4 to 15 are taken"),
        ("tls_server_config: {cert_file: one.pem}", "1: tls_server_config: `key_file` is missing"),
        (
            "tls_server_config: {cert_file: none.pem, key_file: one.key}",
            "1: tls_server_config.cert_file: names a file that does not exist",
        ),
        (
            "tls_server_config: {cert_file: one.pem, key_file: other.key}",
            "1: tls_server_config.cert_file: does not fit its key",
        ),
        (
            f"tls_server_config: {{{PAIR}, client_auth_type: RequireAnyClientCert}}",
            "must be one of NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
        ),
        (f"tls_server_config: {{{PAIR}, client_ca_file: ca.pem}}", "needs both `client_ca_file` and a"),
        (
            f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven}}",
            "needs both `client_ca_file` and a",
        ),
        (f"tls_server_config: {{{PAIR}, min_version: TLS10}}", "must be one of TLS12, TLS13"),
    ],
)
def test_a_fault_is_told_with_its_place_and_without_what_is_secret(folder, text, told):
    (complaint,) = complaints(folder, text)

    assert told in complaint
    assert "hunter2" not in complaint
    assert HASH not in complaint


def test_all_faults_are_told_at_once(folder):
    text = "tls_server_config: {cert_file: none.pem}\nbasic_auth_users: {alice: secret}\nrate_limit: {}\n"

    assert [one.partition(":")[0] for one in complaints(folder, text)] == ["1", "1", "2", "3"]
