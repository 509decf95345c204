"""A router was pointed elsewhere, and whoever stayed connected is still where it led before."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import pytest

from tests.programs import program
from tests.real.blueprint import Blueprint
from tests.real.laboratory import Laboratory
from tests.real.processes import awaited, free_endpoint, is_listening, running

BACKEND = """
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen @endpoint ssl http2;
    location / {
        if (-f @flag) { return 503; }
        return 200 welcome;
    }
}
"""
ROUTER = Blueprint("""
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend edge
    bind @endpoint
    default_backend origin
backend origin
    server one @backend
""")
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"], hold: true}
groups:
  - {name: shop, domains: [shop.test]}
"""


class Router:
    """HAProxy as it is reloaded: a new process takes the port, the old one keeps the connections that it has."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._pids: list[int] = []
        self.endpoint = free_endpoint("127.0.51.31")

    def lead_to(self, backend: object) -> None:
        config = self.folder / f"{len(self._pids)}.cfg"
        config.write_text(ROUTER.substitute(endpoint=self.endpoint, backend=backend))
        before = ("-sf", *map(str, self._pids[-1:])) if self._pids else ()
        argv = (program("haproxy"), "-db", "-f", config, *before)
        log = self.folder / f"{len(self._pids)}.log"
        process = self._stack.enter_context(running(argv, log=log, ready=lambda: is_listening(self.endpoint)))
        self._pids.append(process.pid)


@pytest.fixture
def router():
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-")))
        folder.chmod(0o755)  # a server's worker looks for a file here, as somebody else
        yield Router(folder, stack)


def test_who_stayed_connected_gets_what_was_there_before_the_change(laboratory: Laboratory, router: Router):
    certificate = laboratory.authority.certificate("shop.test")
    gone = router.folder / "gone"
    old = laboratory.nginx(BACKEND, "127.0.51.32", certificate=certificate, flag=gone)
    new = laboratory.nginx(BACKEND, "127.0.51.33", certificate=certificate, flag=router.folder / "never")
    router.lead_to(old)
    exporter = laboratory.exporter(CONFIG, router.endpoint)
    exporter.until(
        lambda scrape: "held" in scrape.seen("statuscode_probe_success", "combination"), "a held connection is asked"
    )

    router.lead_to(new)
    gone.touch()

    def causes():
        answer = exporter.ask("GET", "/api/v1/domains/shop.test")
        found = json.loads(answer.body).get("round") or {}
        return [one["cause"] for one in found.get("findings", ())]

    awaited(lambda: causes() == ["stale-connection"], within_seconds=20, what=f"the cause is told: {causes()}")
