"""Rounds go in; the store, the metrics and the listeners get what changed, in this order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from exporter.chronicle import Chronicle
from exporter.exposition import Format
from exporter.incident_metrics import IncidentMetrics
from exporter.model import ChangeKind, Experiment, Protocol, Stage, Trial
from exporter.store import Query, Store
from tests.factories import NOON, finding, round_, target
from tests.store.kept import Watch

CONFIRMED = (Trial(Experiment.REPEAT, "a.test", "127.0.0.1", Protocol.HTTP11),)
LABELS = 'domain="a.test",code="502",cause="upstream-down",severity="critical"'


class House:
    """A chronicle and what it tells."""

    def __init__(self, folder, domains):
        self.now = NOON
        self.watch = Watch()
        self.store = Store(folder, self.watch, now=lambda: self.now)
        self.metrics = IncidentMetrics(lambda: self.now)
        self.chronicle = Chronicle(self.store, self.metrics, lambda: domains, lambda: self.now)
        self.told = []
        self.chronicle.listeners.append(lambda change: self.told.append((change.kind, change.incident.domains)))

    async def round(self, domain, *causes, trials=(), about=()):
        self.now += 60
        findings = tuple(finding(cause, *(about or (domain,))) for cause in causes)
        of = target(domain, siblings=(domain,))
        await self.chronicle.record(
            round_(of=of, findings=findings, trials=trials, started_at=self.now, duration_seconds=0)
        )

    def document(self):
        return b"".join(self.metrics.chunks(Format.TEXT)).decode()


@asynccontextmanager
async def running(folder=None, domains=("a.test", "b.test")):
    house = House(folder, domains)
    async with house.store.running():
        yield house


OPENED, UPDATED, RESOLVED = ChangeKind


async def test_a_change_is_on_the_disk_before_it_is_told():
    async with running() as house:
        seen = []
        house.chronicle.listeners.append(
            lambda change: seen.append(asyncio.ensure_future(house.store.record(change.incident.id)))
        )
        await house.round("a.test", "upstream-down", trials=CONFIRMED)
        (record,) = [await one for one in seen]

        assert record.incident.stage is Stage.FIRING
        assert record.rounds[0].round.findings[0].cause == "upstream-down"
        assert f"statuscode_incident_active{{{LABELS}}} 1" in house.document()


async def test_an_open_incident_goes_on_with_its_start_after_a_restart(tmp_path):
    async with running(tmp_path) as house:
        await house.round("a.test", "upstream-down", trials=CONFIRMED)
        (before,) = house.chronicle.open

    async with running(tmp_path) as house:
        assert house.chronicle.open == (before,)
        assert f"start_timestamp_seconds{{{LABELS}}} {NOON + 60}" in house.document()
        house.now = NOON + 60
        await house.round("a.test", "upstream-down")
        assert house.told == []
        await house.round("a.test")
        await house.round("a.test")
        assert house.told == [(RESOLVED, ("a.test",))]


async def test_one_that_is_half_confirmed_is_so_after_a_restart(tmp_path):
    async with running(tmp_path) as house:
        await house.round("a.test", "upstream-down")

    async with running(tmp_path) as house:
        assert house.chronicle.open == ()
        await house.round("a.test", "upstream-down")
        assert house.told == [(OPENED, ("a.test",))]


async def test_steady_rounds_write_nothing():
    async with running() as house:
        await house.round("a.test", "upstream-down", trials=CONFIRMED)
        written = house.watch.wrote
        for _ in range(5):
            await house.round("a.test", "upstream-down")
            await house.round("b.test")

        assert house.watch.wrote == written


async def test_a_domain_that_left_the_configuration_while_nobody_ran_has_no_incident(tmp_path):
    async with running(tmp_path) as house:
        await house.round("a.test", "upstream-down", trials=CONFIRMED)

    async with running(tmp_path, domains=("b.test",)) as house:
        assert house.chronicle.open == ()
        assert house.told == [(RESOLVED, ("a.test",))]

    async with running(tmp_path) as house:
        assert house.chronicle.open == ()


async def test_a_domain_that_is_forgotten_has_no_incident():
    async with running() as house:
        await house.round("a.test", "upstream-down", trials=CONFIRMED, about=("a.test", "b.test"))
        house.chronicle.forget("b.test")
        house.chronicle.forget("a.test")

        assert house.told == [(OPENED, ("a.test", "b.test")), (UPDATED, ("a.test",)), (RESOLVED, ("a.test", "b.test"))]


async def test_what_was_seen_before_the_disk_answered_is_joined_with_what_the_disk_holds(tmp_path):
    async with running(tmp_path) as house:
        await house.round("a.test", "upstream-down", trials=CONFIRMED)
        (older,) = house.chronicle.open
    away, folder = tmp_path.with_name("away"), tmp_path
    folder.rename(away)
    folder.write_text("a file where the directory belongs")

    async with running(folder) as house:
        house.now = NOON + 600
        await house.round("a.test", "upstream-down", trials=CONFIRMED)
        assert house.chronicle.open[0].since == house.now
        folder.unlink()
        away.rename(folder)
        await house.watch.until(lambda watch: watch.wrote)

        assert [(one.id, one.since) for one in house.chronicle.open] == [(older.id, older.since)]
        assert f'cause="upstream-down",severity="critical"}} {older.since}' in house.document()
        kept = (await house.store.page(Query(stage=Stage.FIRING))).incidents
        assert kept == house.chronicle.open


async def test_a_disk_that_never_answers_keeps_no_round_waiting_for_long(tmp_path):
    import os

    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data" / "incidents.db")  # whoever opens it waits for a writer for ever
    house = House(tmp_path / "data", ("a.test",))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30), house.store.running():
        started = loop.time()
        await house.round("a.test", "upstream-down", trials=CONFIRMED)

        assert loop.time() - started < 3
        assert house.told == [(OPENED, ("a.test",))]
        assert len(house.chronicle.open) == 1
        assert house.watch.waiting == 2


async def test_a_fault_of_ours_is_one_incident_wherever_it_shows():
    async with running() as house:
        await house.round("a.test", "vantage-offline")
        await house.round("b.test", "vantage-offline")

        assert [one.domains for one in house.chronicle.open] == [("a.test", "b.test")]
