"""One world for all tests of this folder: it takes almost a minute until everything has happened in it.

The folder is a package so that its world ends with its last test, and not with the last of all tests.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.dashboards import committed
from tests.dashboards.world import World, world
from tests.real.processes import awaited

HAPPENS_WITHIN_SECONDS = 150.0


@pytest.fixture(scope="package")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which every alert has reached the webhook, and incidents have begun and ended."""
    expected = {alert["alert"] for alert in committed.alerts()}
    with world(tmp_path_factory.mktemp("world")) as alive:
        alive.exporter.settled()
        alive.prometheus.until_found("count(statuscode_exporter_store_up == 0) == 2")
        alive.dead.close()
        alive.exporter.configure("groups: []")
        alive.exporter.signal(signal.SIGHUP)

        def everything_happened() -> bool:
            told = {alert["labels"]["alertname"] for alert in alive.everything.alerts()}
            return expected <= told and ended(alive) >= 2

        def missing() -> str:
            told = {alert["labels"]["alertname"] for alert in alive.everything.alerts()}
            return f"never told: {sorted(expected - told)}; incidents that ended: {ended(alive)}"

        try:
            awaited(everything_happened, within_seconds=HAPPENS_WITHIN_SECONDS, what="everything happened")
        except AssertionError:
            pytest.fail(missing())
        yield alive


def ended(alive: World) -> float:
    return sum(alive.exporter.scrape().values("statuscode_incident_duration_seconds_count", "code").values())
