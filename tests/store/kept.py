"""What tests keep in a store, and who watches it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from exporter.model import Change, ChangeKind, Incident, Report, Stage, Turn
from exporter.store import Kept, Retention, Store
from tests.factories import NOON, finding, observation, response, round_, target


def incident(identity="1", *domains, stage=Stage.FIRING, since=NOON, until=None, **settings):
    names = domains or ("shop.test",)
    found = finding("upstream-down", *names, **settings)
    return Incident(
        id=identity,
        stage=stage,
        since=since,
        opened=None if stage is Stage.PENDING else since,
        until=until if until is not None or stage is not Stage.RESOLVED else since + 60,
        finding=found,
        reports=()
        if stage is Stage.RESOLVED
        else tuple(Report(name, names, found.cause, found.code) for name in names),
        domains=tuple(sorted(names)),
        affected=tuple(sorted(names)),
        turns=(Turn(since, found.cause, found.code, found.summary),),
    )


def bad_round(domain="shop.test", **settings):
    about = target(domain, **settings)
    return round_(observation(response=response(502, body=b"<h1>Bad gateway \xff</h1>")), of=about)


def kept(*incidents, kind=ChangeKind.OPENED, at=NOON, round_=None):
    changes = tuple(Change(kind, one, at, "what changed") for one in incidents)
    return Kept(incidents, changes, round_ or bad_round())


@dataclass
class Watch:
    """Who is told how a store is."""

    wrote: int = 0
    failed: int = 0
    waiting: int = 0
    dropped: int = 0
    used: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def store_wrote(self, _seconds, _now):
        self.wrote += 1
        self.changed.set()

    def store_failed(self):
        self.failed += 1
        self.changed.set()

    def store_waiting(self, number):
        self.waiting = number
        self.changed.set()

    def store_dropped(self, number):
        self.dropped += number

    def store_used(self, size_bytes):
        self.used = size_bytes

    async def until(self, question):
        """Wait until `question` is true of this; within a bound."""
        async with asyncio.timeout(15):
            while not question(self):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(folder, watch=None, retention=None, now=lambda: NOON + 100, adopt=None):
    """A store, and what it found open when it opened."""
    store = Store(folder, watch or Watch(), retention or Retention(), now)
    found = []

    def adopted(stored):
        found[:] = stored
        return stored if adopt is None else adopt(stored)

    store.adopt = adopted
    async with store.running():
        yield store, found
