"""Houses for tests: the real parts, with rounds that the test hands in as the exporter does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from exporter.chronicle import Chronicle
from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Round, Target
from exporter.store import Store
from exporter.web import Events, House, application
from tests.factories import NOON


@dataclass
class Household:
    """A house, what it was asked to do, and the clock that it goes by."""

    house: House
    targets: dict[str, Target]
    ready: bool = True
    complaints: tuple[str, ...] = ()
    reloads: int = 0
    now: float = NOON + 60
    checks: list[str] = field(default_factory=list)
    checked: Round | None = None
    """What a check of its domain sees; None: it takes for ever."""

    def record(self, done: Round) -> None:
        """A round as the exporter hands it on; its target is configured."""
        before = self.house.latest.get(done.target.domain)
        self.targets[done.target.domain] = done.target
        self.house.latest.put(done)
        self.house.metrics.record(done)
        self.house.events.finished(before, done)

    async def remember(self, done: Round) -> None:
        """The same, and its incidents are stepped."""
        self.record(done)
        await self.house.chronicle.record(done)


def household(folder: Path | None = None, external_url: str = "https://status.example/exporter/") -> Household:
    """Nothing runs yet; `folder` is the store's."""
    health, targets = Health(), dict[str, Target]()
    metrics, events = Metrics(health), Events()
    store = Store(folder, health, now=lambda: home.now)
    chronicle = Chronicle(store, metrics.incidents, lambda: targets, lambda: home.now)
    chronicle.listeners.append(events.changed)
    health.reloaded(ok=True, now=NOON)

    async def reload() -> tuple[str, ...]:
        home.reloads += 1
        return home.complaints

    async def check(domain: str) -> None:
        home.checks.append(domain)
        if home.checked is not None:
            home.record(home.checked)

    house = House(
        latest=Latest(),
        metrics=metrics,
        health=health,
        store=store,
        chronicle=chronicle,
        events=events,
        targets=lambda: targets,
        ready=lambda: home.ready,
        reload=reload,
        complaints=lambda: home.complaints,
        check=check,
        now=lambda: home.now,
        started_at=NOON,
        external_url=external_url,
    )
    home = Household(house, targets)
    return home


async def soon(question: Callable[[], bool]) -> None:
    """Let the loop turn until it is so."""
    for _ in range(1000):
        if question():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it is not so within ten seconds")


@asynccontextmanager
async def served(home: Household) -> AsyncIterator[tuple[str, int]]:
    """The application, really served, with its store open."""
    runner = web.AppRunner(application(home.house), access_log=None)
    async with home.house.store.running():
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield host, port
        finally:
            await runner.cleanup()


@asynccontextmanager
async def client_of(home: Household, *, unpacks: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
    """One that is not `unpacks` leaves what it gets as it came."""
    async with (
        served(home) as address,
        aiohttp.ClientSession("http://{}:{}".format(*address), auto_decompress=unpacks) as session,
    ):
        yield session
