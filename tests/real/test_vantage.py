"""A machine without a network, really: a network namespace of its own, without any interface that is up."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.programs import program
from tests.real.exporter_process import CHECKOUT


def checked(*arguments):
    """What `check` says in a namespace where nothing can leave the machine."""
    # Root needs no user namespace for it, and gets none within a chroot.
    alone = (program("unshare"), *(() if os.geteuid() == 0 else ("--map-root-user",)), "--net")
    command = (sys.executable, "-m", "exporter", "check", "--json", *arguments)
    done = subprocess.run((*alone, *command), cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)["domains"]


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_a_prober_without_a_route_blames_itself_and_asks_nobody(address):
    for domain in checked("www.example.com", "--sibling", "api.example.com", "--address", address):
        (finding,) = domain["findings"]
        assert (finding["cause"], finding["severity"]) == ("vantage-offline", "critical")
        assert f"no route to {address}" in finding["summary"]


def test_a_prober_that_cannot_reach_its_name_servers_does_not_blame_those_of_the_domain():
    (domain,) = checked("www.example.com")

    assert [finding["cause"] for finding in domain["findings"]] == ["vantage-offline"]
