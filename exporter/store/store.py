"""Keeps what it is given in memory until it is on the disk, whatever the disk does; nothing here waits for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from exporter.model import Incident
from exporter.store import outbox, schema, search, tables
from exporter.store.lock import InUseError, Lock
from exporter.store.outbox import Letter
from exporter.store.query import Page, Query, Record
from exporter.store.tables import Batch
from exporter.store.thread import BlockingThread
from exporter.store.waiting import Kept, Waiting

logger = logging.getLogger(__name__)

FILE = "incidents.db"

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0
_OPENS_WITHIN_SECONDS = 3.0  # then the house opens without its memory, which follows when the disk answers
_CLOSES_WITHIN_SECONDS = 3.0
# Writing takes turns with probing for the interpreter: what changes fast is written less often, in larger batches.
_LONG_WORK_SECONDS, _RESTS_FOR_WORK, _LONGEST_REST_SECONDS = 0.02, 4.0, 0.5
_PRUNED_EVERY_SECONDS = 600.0

T = TypeVar("T")


class UnavailableError(Exception):
    """The database cannot be read now."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is forgotten.

    Attributes:
        seconds: after the end of an incident.
        most_bytes: of the database; beyond, the oldest that is over is forgotten.
    """

    seconds: float = 90 * 86_400.0
    most_bytes: int = 512 * 1024 * 1024


class Watcher(Protocol):
    """Who is told how the store is."""

    def store_wrote(self, seconds: float, now: float) -> None: ...
    def store_failed(self) -> None: ...
    def store_waiting(self, number: int) -> None: ...
    def store_dropped(self, number: int) -> None: ...
    def store_used(self, size_bytes: int) -> None: ...


class Store:
    """The database in `folder`; None: in memory, and gone with the process.

    Attributes:
        adopt: given the open incidents that are stored, all that are open. Called whenever the database is opened.
        announces: whether changes are put into the outbox for Grafana.
    """

    def __init__(
        self,
        folder: Path | None,
        watcher: Watcher,
        retention: Retention = Retention(),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.adopt: Callable[[Sequence[Incident]], Sequence[Incident]] = lambda stored: stored
        self.announces = False
        self._file = None if folder is None else folder / FILE
        self._lock = None if folder is None else Lock(folder)
        self._watcher = watcher
        self._retention = retention
        self._now = now
        self._waiting = Waiting()
        self._tried: list[asyncio.Future[None]] = []  # who wants to know when what waits was tried
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._connection: sqlite3.Connection | None = None
        self._checked = False
        self._fails = False
        self._pruned_at = float("-inf")
        self._writer = BlockingThread("store-writer")
        self._reader = self._writer if folder is None else BlockingThread("store-reader")

    @property
    def fails(self) -> bool:
        """Whether the disk did not take the last write."""
        return self._fails

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open, write while inside, and write what is left within a bound. Raises NewerError and InUseError."""
        opening = asyncio.create_task(self._attempt())
        done, _ = await asyncio.wait({opening}, timeout=_OPENS_WITHIN_SECONDS)
        if done:
            try:
                opening.result()
            except BaseException:
                await self._close()
                raise
        else:
            logger.error("storage: the disk does not answer; incidents are kept in memory until it does")
        writing = asyncio.create_task(self._write_on(opening))
        try:
            yield
        finally:
            self._stopping.set()
            self._work.set()
            await asyncio.wait({writing}, timeout=_CLOSES_WITHIN_SECONDS)
            writing.cancel()
            await self._close()

    def keep(self, kept: Kept) -> asyncio.Future[None]:
        """Write it soon; done when that was tried, well or not, and at once while the disk fails."""
        tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not (kept.incidents or kept.dropped):
            tried.set_result(None)
            return tried
        self._gave_up(self._waiting.add(kept, announce=self.announces))
        self._work.set()
        if self._fails:
            tried.set_result(None)
        else:
            self._tried.append(tried)
        return tried

    async def page(self, query: Query) -> Page:
        """Stored incidents. Raises CursorError and UnavailableError, as the following."""
        return await self._read(lambda connection: search.page(connection, query))

    async def record(self, identity: str) -> Record | None:
        """An incident with its rounds; None: there is none."""
        return await self._read(lambda connection: search.record(connection, identity))

    async def letters(self, limit: int) -> tuple[tuple[Letter, ...], int]:
        """What Grafana is still to be told, and how many letters there are in all."""
        return await self._read(lambda connection: outbox.letters(connection, limit))

    async def posted(self, letter: Letter, annotation: int | None, *, told: bool) -> None:
        """Note what became of a letter. Raises UnavailableError: then it will be found again."""
        await self._in_writer(lambda connection: outbox.posted(connection, letter, annotation, told))

    async def announce_all(self) -> None:
        """From now on Grafana is told of changes, and of what is open and was never announced."""
        self.announces = True
        await self._in_writer(outbox.announce_all)

    async def _write_on(self, opening: asyncio.Task[None]) -> None:
        await asyncio.wait({opening})
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            if self._fails:
                await self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _FIRST_PAUSE_SECONDS
                await self._work.wait()
            started = time.perf_counter()
            await self._attempt_again()
            took = time.perf_counter() - started
            if took > _LONG_WORK_SECONDS:
                await self._rest(min(_LONGEST_REST_SECONDS, _RESTS_FOR_WORK * took))
        if self._waiting:
            await self._attempt_again()

    async def _attempt_again(self) -> None:
        try:
            await self._attempt()
        except (schema.NewerError, InUseError) as error:  # another exporter has taken the file over meanwhile
            self._failed(error)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _attempt(self) -> None:
        """Open if need be, and write all that waits. What fails goes back into the queue."""
        started = time.perf_counter()
        taken, tried = Batch(), self._tried
        try:
            await self._open()
            self._work.clear()
            taken, (tried, self._tried) = self._waiting.take(), (self._tried, [])
            if taken:
                await self._in_writer(lambda connection: tables.write(connection, taken))
                taken = Batch()
            await self._prune()
        except (OSError, UnavailableError, schema.CorruptError) as error:
            self._gave_up(self._waiting.put_back(taken))
            self._failed(error)
        else:
            self._wrote(time.perf_counter() - started)
        finally:
            _release(tried)
            if self._fails:  # nobody waits for a disk that fails
                _release(self._tried)
            self._watcher.store_waiting(len(self._waiting))

    def _gave_up(self, number: int) -> None:
        if number:
            self._watcher.store_dropped(number)
        self._watcher.store_waiting(len(self._waiting))

    async def _open(self) -> None:
        if self._connection is not None:
            return
        check = not self._checked
        try:
            self._connection = await self._writer.call(lambda: self._opened(check=check))
        except sqlite3.Error as error:
            raise UnavailableError(str(error)) from error
        except schema.CorruptError as error:
            await self._set_aside(error)
            self._connection = await self._fresh()
        self._checked = True
        stored = await self._in_writer(search.open_incidents)
        waiting = self._waiting.batch.incidents
        known = self.adopt([incident for incident in stored if incident.id not in waiting])
        there = {incident.id: incident for incident in stored}
        changed = [incident for incident in known if there.get(incident.id) != incident]
        waiting.update({incident.id: incident for incident in changed if incident.id not in waiting})

    async def _fresh(self) -> sqlite3.Connection:
        try:
            return await self._writer.call(lambda: self._opened(check=False))
        except sqlite3.Error as error:
            raise UnavailableError(str(error)) from error

    def _opened(self, *, check: bool) -> sqlite3.Connection:
        if self._lock is not None:
            self._lock.take()
        return schema.opened(self._file, check=check)

    async def _set_aside(self, error: Exception) -> None:
        file = self._file
        if file is None:
            raise AssertionError("memory does not break")
        aside = await self._writer.call(lambda: schema.set_aside(file, self._now()))
        logger.error("storage: %s is broken (%s): set aside as %s, and begun anew", file, error, aside.name)

    async def _prune(self) -> None:
        now = self._now()
        if now - self._pruned_at < _PRUNED_EVERY_SECONDS:
            return
        oldest, most_bytes = now - self._retention.seconds, self._retention.most_bytes
        await self._in_writer(lambda connection: tables.prune(connection, oldest=oldest, most_bytes=most_bytes))
        self._watcher.store_used(await self._in_writer(tables.used_bytes))
        self._pruned_at = now

    async def _in_writer(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` returns in the writer's thread; a connection that fails is not used again."""
        connection = self._connection
        if connection is None:
            raise UnavailableError("it is not open")
        try:
            return await self._writer.call(lambda: function(connection))
        except sqlite3.Error as error:
            if self._connection is connection:
                self._connection = None
                self._checked = self._checked and not schema.is_corrupt(error)
                self._writer.tell(lambda: _closed(connection))
            raise UnavailableError(str(error)) from error

    async def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        file = self._file
        if file is None:
            return await self._in_writer(function)

        def read() -> T:
            with contextlib.closing(schema.reading(file)) as connection:
                return function(connection)

        try:
            return await self._reader.call(read)
        except sqlite3.Error as error:
            raise UnavailableError(str(error)) from error

    def _failed(self, error: Exception) -> None:
        self._watcher.store_failed()
        if not self._fails:
            logger.error("storage: %s: %s; incidents are kept in memory until it is back", self._file, error)
        self._fails = True

    def _wrote(self, seconds: float) -> None:
        self._watcher.store_wrote(seconds, self._now())
        if self._fails:
            logger.info("storage: %s is back, and holds what was kept in memory", self._file)
        self._fails = False

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        closing = asyncio.create_task(self._writer.call(lambda: self._left(connection)))
        await asyncio.wait({closing}, timeout=_CLOSES_WITHIN_SECONDS)
        self._writer.end()
        self._reader.end()

    def _left(self, connection: sqlite3.Connection | None) -> None:
        if connection is not None:
            _closed(connection)
        if self._lock is not None:
            self._lock.release()


def _closed(connection: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        connection.close()


def _release(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
