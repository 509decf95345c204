"""An exporter with TLS and users, as Prometheus scrapes it, and as a reload changes it."""

from __future__ import annotations

import contextlib
import signal
import ssl
import sys
import urllib.error
import urllib.request

import bcrypt
import pytest

from tests.real.blueprint import Blueprint
from tests.real.exporter_process import CHECKOUT
from tests.real.laboratory import Laboratory
from tests.real.processes import awaited, free_endpoint, running
from tests.real.prometheus import running_prometheus

TARGET = "groups: [{name: g, interval: 1h, timeout: 1s, resolve: ['127.0.0.1'], port: 1, domains: [nobody.test]}]\n"
SCRAPES = Blueprint("""
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: well
    scheme: https
    basic_auth: {username: prometheus, password: hunter2}
    tls_config: {ca_file: @ca}
    static_configs: [{targets: ["@endpoint"]}]
  - job_name: unknown
    scheme: https
    tls_config: {ca_file: @ca}
    static_configs: [{targets: ["@endpoint"]}]
""")


def users(password):
    return f"basic_auth_users: {{prometheus: '{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}'}}\n"


class Secured:
    """A running exporter with its web configuration in `file`."""

    def __init__(self, file, endpoint, ca_file):
        self.file, self.endpoint, self.log = file, endpoint, file.with_name("log")
        self.process = None
        self._context = ssl.create_default_context(cafile=str(ca_file))

    def status(self, password):
        """Of `/metrics`."""
        manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
        manager.add_password(None, f"https://{self.endpoint}/", "prometheus", password, is_authenticated=True)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self._context),
            urllib.request.HTTPBasicAuthHandler(manager),
        )
        try:
            with opener.open(f"https://{self.endpoint}/metrics", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None


@pytest.fixture(scope="module")
def secured(laboratory: Laboratory, tmp_path_factory):
    folder, endpoint = tmp_path_factory.mktemp("secured"), free_endpoint()
    pair = laboratory.authority.certificate("127.0.0.1")
    file = folder / "web.yaml"
    file.write_text(f"tls_server_config: {{cert_file: '{pair}', key_file: '{pair}'}}\n{users('hunter2')}")
    (folder / "config.yaml").write_text(TARGET)
    argv = (
        sys.executable, "-m", "exporter", "serve", f"--config.file={folder / 'config.yaml'}",
        "--storage.path=:memory:", f"--web.listen-address={endpoint}", f"--web.config.file={file}",
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        made = Secured(file, endpoint, laboratory.authority.ca_file)
        made.process = stack.enter_context(
            running(argv, log=made.log, ready=lambda: made.status("hunter2") == 200, cwd=CHECKOUT)
        )
        yield made


def test_prometheus_scrapes_it_with_a_password_and_not_without(secured, laboratory, tmp_path):
    text = SCRAPES.substitute(ca=laboratory.authority.ca_file, endpoint=secured.endpoint)
    with running_prometheus(tmp_path, text) as prometheus:
        prometheus.until_found("count(up) == 2")

        scraped = {dict(labels)["job"]: value for labels, value in prometheus.query("up").items()}
        assert scraped == {"well": 1, "unknown": 0}
        assert any("401 Unauthorized" in error for error in prometheus.last_errors())


def test_a_reload_takes_other_users_and_a_broken_file_keeps_them(secured):
    whole = secured.file.read_text()
    try:
        secured.file.write_text(whole.partition("basic_auth_users")[0] + users("other"))
        secured.process.send_signal(signal.SIGHUP)
        awaited(lambda: secured.status("other") == 200, within_seconds=10, what="the new password is right")
        assert secured.status("hunter2") == 401
        assert "takes a restart" not in secured.log.read_text()

        secured.file.write_text(secured.file.read_text().replace("cert_file", "min_version: TLS13, cert_file"))
        secured.process.send_signal(signal.SIGHUP)
        awaited(lambda: "takes a restart" in secured.log.read_text(), within_seconds=10, what="what waits is told")

        secured.file.write_text("basic_auth_users: {prometheus: other}\n")
        secured.process.send_signal(signal.SIGHUP)
        awaited(lambda: "not reloaded" in secured.log.read_text(), within_seconds=10, what="the file is refused")
        assert secured.status("other") == 200
        assert "prometheus: must be a bcrypt hash" in secured.log.read_text()
    finally:
        secured.file.write_text(whole)
        secured.process.send_signal(signal.SIGHUP)
        awaited(lambda: secured.status("hunter2") == 200, within_seconds=10, what="the first password is right again")
