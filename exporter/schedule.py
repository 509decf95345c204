"""When: one APScheduler job per domain, at an offset that is a stable hash of its name. APScheduler's only home.

Starts are aligned to Unix time, so that a restart keeps each domain's beat and 5,000 domains never fire together.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from exporter.model import Target

logger = logging.getLogger(__name__)

_FIRST_ROUNDS_PER_SECOND = 50.0  # how fast the first rounds after a start follow each other
_SOON_SECONDS = 1.0


class Observer(Protocol):
    """Who is told how the schedule goes."""

    def round_started(self, lag_seconds: float) -> None: ...
    def round_ended(self) -> None: ...
    def round_missed(self) -> None: ...
    def round_failed(self) -> None: ...


def fraction(domain: str) -> float:
    """Where in its interval a domain is probed, in [0, 1): spread evenly over names, the same after every restart."""
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:8], "big") / 2**64


def turn_at(now: float, domain: str, interval_seconds: float) -> int:
    """The number of the domain's round at `now` (Unix time): one more with each interval, whatever happened between."""
    return int((now - fraction(domain) * interval_seconds) // interval_seconds)


def next_start(now: float, domain: str, interval_seconds: float) -> float:
    """The first regular start after `now`; both in Unix time."""
    offset = fraction(domain) * interval_seconds
    return (turn_at(now, domain, interval_seconds) + 1) * interval_seconds + offset


def first_start(now: float, domain: str, interval_seconds: float, targets: int) -> float:
    """When to probe a domain that has no round yet: soon, but spread so that a start is no burst.

    Where that takes as long as half an interval, extra rounds would only double the load: its regular start will do.
    """
    regular = next_start(now, domain, interval_seconds)
    spread = max(_SOON_SECONDS, targets / _FIRST_ROUNDS_PER_SECOND)
    return regular if spread > interval_seconds / 2 else min(now + fraction(domain) * spread, regular)


def _to_microsecond(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@dataclass(frozen=True, slots=True)
class Beat(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no annotations
    """Fires at the domain's regular starts. The default of APScheduler would count from the last firing, and drift."""

    domain: str
    interval_seconds: float

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        after = max(now, previous_fire_time) if previous_fire_time else now
        start = _to_microsecond(next_start(after.timestamp(), self.domain, self.interval_seconds))
        if start > after:
            return start
        # A datetime has whole microseconds: rounded down, a start could be found again as the one after itself.
        return _to_microsecond(next_start(after.timestamp() + 0.001, self.domain, self.interval_seconds))


class Schedule:
    """Starts `run(target, turn)` for each target in its time, never twice at once for one target."""

    def __init__(self, run: Callable[[Target, int], Awaitable[None]], observer: Observer) -> None:
        self._run = run
        self._observer = observer
        self._targets: dict[str, Target] = {}
        self._due: dict[str, float] = {}
        self._in_flight: dict[str, asyncio.Task[Any]] = {}
        self._stopping = False
        self._scheduler = AsyncIOScheduler(
            executors={"default": AsyncIOExecutor()},
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._on_submitted, EVENT_JOB_SUBMITTED)
        self._scheduler.add_listener(self._on_still_running, EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        self._scheduler.start()

    def update(self, targets: Mapping[str, Target]) -> None:
        """Schedule exactly these. Who stays, with the same interval, keeps its beat."""
        before, self._targets = self._targets, dict(targets)
        for domain in before.keys() - targets.keys():
            self._remove(domain)
        now = time.time()
        self._scheduler.pause()  # or it would look for due jobs after each of 5,000
        for domain, target in targets.items():
            known = before.get(domain)
            if known is None or known.interval_seconds != target.interval_seconds:
                start = first_start(now, domain, target.interval_seconds, len(targets) - len(before))
                self._add(target, start)
        self._scheduler.resume()

    async def at_once(self, domain: str) -> None:
        """A round now; where one is running, its end."""
        target = self._targets.get(domain)
        if target is not None and not self._stopping and not await self._ended(domain):
            await self._run_one(target, 0.0)

    async def stop(self, bound_seconds: float) -> None:
        """Start no more rounds, let those in flight end within the bound, and give up on the rest."""
        self._stopping = True
        self._scheduler.remove_all_jobs()
        if self._in_flight:
            _, late = await asyncio.wait(set(self._in_flight.values()), timeout=bound_seconds)
            if late:
                logger.warning("gave up on %d rounds that were still running after %g s", len(late), bound_seconds)
                for task in late:
                    task.cancel()
                await asyncio.wait(late)
        self._scheduler.shutdown(wait=False)

    def _add(self, target: Target, start: float) -> None:
        self._scheduler.add_job(
            self._job,
            Beat(target.domain, target.interval_seconds),
            args=(target.domain,),
            id=target.domain,
            replace_existing=True,
            next_run_time=datetime.fromtimestamp(start, UTC),
        )

    def _remove(self, domain: str) -> None:
        self._due.pop(domain, None)
        try:
            self._scheduler.remove_job(domain)
        except JobLookupError:
            logger.warning("no job for %s", domain)

    async def _job(self, domain: str) -> None:
        target = self._targets.get(domain)
        now = time.time()
        # Somebody may have asked for a round just now: that is this one.
        if target is not None and not self._stopping and not await self._ended(domain):
            await self._run_one(target, max(0.0, now - self._due.get(domain, now)))

    async def _ended(self, domain: str) -> bool:
        """Wait for the end of the domain's round; False: none is running."""
        running = self._in_flight.get(domain)
        if running is None:
            return False
        await asyncio.wait({running})
        return True

    async def _run_one(self, target: Target, lag_seconds: float) -> None:
        domain = target.domain
        self._observer.round_started(lag_seconds)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        self._in_flight[domain] = task
        try:
            await self._run(target, turn_at(time.time(), domain, target.interval_seconds))
        except Exception:
            self._observer.round_failed()
            logger.exception("the round of %s broke; this is a fault of the exporter", domain)
        finally:
            del self._in_flight[domain]
            self._observer.round_ended()

    def _on_submitted(self, event: JobSubmissionEvent) -> None:
        self._due[event.job_id] = event.scheduled_run_times[-1].timestamp()

    def _on_still_running(self, event: JobSubmissionEvent) -> None:
        self._observer.round_missed()
        logger.warning("the round of %s was due while its last one was still running", event.job_id)
