"""A real Prometheus sees each incident as one series, from its start to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from exporter.model import Experiment, Finding, Protocol, Trial
from tests.factories import finding, round_, target
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint
from tests.real.prometheus import Prometheus
from tests.web.houses import household, served

ACTIVE = "statuscode_incident_active"
CONFIRMED = (Trial(Experiment.REPEAT, "a.test", "127.0.0.1", Protocol.HTTP11),)


class Exporter:
    """What the daemon has of incidents, and its `/metrics`; rounds come from the test."""

    def __init__(self) -> None:
        self.home = household()
        self.chronicle = self.home.house.chronicle
        self.home.house.metrics.incidents.scrape_interval_seconds = 1.0
        self.home.targets.update({name: target(name) for name in ("a.test", "b.test")})

    async def round(self, domain: str, *findings: Finding) -> None:
        about = target(domain, siblings=(domain,))
        done = round_(of=about, findings=findings, trials=CONFIRMED, started_at=time.time(), duration_seconds=0.0)
        await self.chronicle.record(done)


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
async def prometheus(laboratory: Laboratory, exporter: Exporter) -> AsyncIterator[Prometheus]:
    async with served(exporter.home) as (host, port):
        yield await asyncio.to_thread(laboratory.prometheus, Endpoint(host, port))


async def until(prometheus: Prometheus, expression: str) -> dict:
    return await asyncio.to_thread(prometheus.until_found, expression)


async def ask(prometheus: Prometheus, expression: str) -> list[float]:
    return list((await asyncio.to_thread(prometheus.query, expression)).values())


async def test_an_incident_is_one_series_from_start_to_end(exporter: Exporter, prometheus: Prometheus) -> None:
    await until(prometheus, "statuscode_exporter_build_info")
    assert await ask(prometheus, ACTIVE) == []

    cause = finding("upstream-down", "a.test", "b.test", code=502)
    await exporter.round("a.test", cause)
    (since,) = {incident.since for incident in exporter.chronicle.open}
    await until(prometheus, f"count_over_time({ACTIVE}[1m]) >= 3")
    await exporter.round("b.test", cause)  # it joins, and makes no other series
    for _ in range(2):
        await exporter.round("b.test")
    assert await ask(prometheus, f"count({ACTIVE} == 1)") == [2]  # a still names b
    assert set(await ask(prometheus, "statuscode_incident_start_timestamp_seconds")) == {since}
    for _ in range(2):
        await exporter.round("a.test")

    await until(prometheus, f"absent({ACTIVE})")
    labels = {("code", "502"), ("cause", "upstream-down")}
    seen = await asyncio.to_thread(prometheus.query, f"max_over_time({ACTIVE}[5m])")
    assert len(seen) == 2
    assert all(labels < set(series) and value == 1 for series, value in seen.items())
    assert await ask(prometheus, "statuscode_incidents_total") == [1]
    assert await ask(prometheus, "statuscode_incident_duration_seconds_count") == [1]


async def test_one_that_is_over_at_once_is_seen_in_two_scrapes(exporter: Exporter, prometheus: Prometheus) -> None:
    await until(prometheus, "statuscode_exporter_build_info")
    await exporter.round("a.test", finding("access-denied", "a.test", code=403))
    for _ in range(2):
        await exporter.round("a.test")
    assert exporter.chronicle.open == ()

    await until(prometheus, f"count_over_time({ACTIVE}[1m]) >= 2")
    await until(prometheus, f"absent({ACTIVE})")
    assert max(await ask(prometheus, f"count_over_time({ACTIVE}[5m])")) <= 4
