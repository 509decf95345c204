"""Tells Grafana what waits in the store's outbox, and again until Grafana has taken it.

Each annotation carries the tag `incident:<id>`, by which it is found again where it is not known whether it was
written: so nothing is written twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from exporter.config import Grafana
from exporter.grafana.api import Api, Result, TroubleError, session_for
from exporter.grafana.content import content, tag
from exporter.model import Change
from exporter.store import Letter, Store, UnavailableError

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 300.0
_AT_ONCE = 500


class Watcher(Protocol):
    """Who is told how the telling goes."""

    def grafana_told(self, result: str) -> None: ...
    def grafana_waiting(self, number: int) -> None: ...


class Announcer:
    """Tells Grafana of incidents, one after the other, and again until it has heard.

    Attributes:
        settings: None: nobody is told.
    """

    def __init__(
        self, store: Store, watcher: Watcher, external_url: str = "", first_pause_seconds: float = 1.0
    ) -> None:
        self.settings: Grafana | None = None
        self._store = store
        self._watcher = watcher
        self._external_url = external_url.rstrip("/")
        self._first_pause_seconds = first_pause_seconds
        self._woken = asyncio.Event()
        self._configured = asyncio.Event()
        self._announced = False
        self._said: set[tuple[Result, str]] = set()  # what goes wrong, and with which incident; empty: with all

    def configure(self, settings: Grafana | None) -> None:
        """From now on tell this Grafana, of what is open too."""
        if settings != self.settings:
            self._said.clear()
        self.settings = settings
        self._announced = False
        self._store.announces = settings is not None
        self._configured.set()
        self._woken.set()

    def wake(self, _change: Change) -> None:
        """There is something to tell."""
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        telling = asyncio.create_task(self._tell_on())
        try:
            yield
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    async def _tell_on(self) -> None:
        pause = self._first_pause_seconds
        while True:
            await self._woken.wait()
            self._woken.clear()
            settings = self.settings
            if settings is None or await self._deliver(settings):
                pause = self._first_pause_seconds
                continue
            self._woken.set()  # there is something left
            self._configured.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._configured.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _deliver(self, settings: Grafana) -> bool:
        """Tell all that waits; whether nothing is left."""
        try:
            if not self._announced:
                await self._store.announce_all()
                self._announced = True
            letters, total = await self._store.letters(_AT_ONCE)
            self._watcher.grafana_waiting(total)
            if not letters:
                return True
            async with session_for(settings) as session:
                left = await self._deliver_each(letters, Api(session, settings))
        except TroubleError as trouble:
            self._met(trouble)
            return False
        except UnavailableError:
            return False  # the store has said so
        self._watcher.grafana_waiting(left + total - len(letters))
        return left == 0 and total == len(letters)

    async def _deliver_each(self, letters: tuple[Letter, ...], api: Api) -> int:
        """How many were not taken. Raises TroubleError where it is of no use to go on."""
        left = 0
        for letter in letters:
            try:
                annotation = await self._write(letter, api)
            except TroubleError as trouble:
                if trouble.result is not Result.REFUSED:
                    raise
                self._met(trouble, letter.incident.id)
                left += 1
                continue
            await self._store.posted(letter, annotation, told=True)
            self._told(letter.incident.id)
        return left

    async def _write(self, letter: Letter, api: Api) -> int:
        """The number of the annotation that now says what the incident is."""
        annotation = letter.annotation
        if annotation is None:
            annotation = await api.find(tag(letter.incident))
        if annotation is None:
            return await api.post(content(letter.incident, api.settings, self._external_url))
        await api.patch(annotation, content(letter.incident, api.settings, self._external_url))
        return annotation

    def _met(self, trouble: TroubleError, incident: str = "") -> None:
        """Say it when it begins; it is counted each time."""
        self._watcher.grafana_told(trouble.result)
        if (trouble.result, incident) not in self._said:
            logger.error("grafana: %s; what is not told is kept and tried again", trouble)
            self._said.add((trouble.result, incident))

    def _told(self, incident: str) -> None:
        self._said.discard((Result.REFUSED, incident))
        self._watcher.grafana_told(Result.WRITTEN)
        general = {said for said in self._said if not said[1]}
        if general:
            logger.info("grafana: annotations are written again")
            self._said -= general
