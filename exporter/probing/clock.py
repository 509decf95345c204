"""The phase clock: times each phase of a probe, bounds it, and turns whatever breaks in it into a `Failure`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from exporter.model import Failure, Phase
from exporter.probing.failures import failure_of


class PhaseFailed(Exception):  # noqa: N818  # a value on its way to an observation
    """A phase broke; carries the failure to whoever writes the observation."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class PhaseClock:
    """Seconds by phase. `clock.phase` and `clock.moment` are the only places where probing catches `Exception`."""

    def __init__(self, deadline: float) -> None:
        """Bound all phases by `deadline`, in the event loop's time."""
        self.seconds: dict[Phase, float] = {}
        self.deadline = deadline

    def phase(self, phase: Phase) -> _Timed:
        return _Timed(self, phase, self.deadline)

    @contextmanager
    def moment(self, phase: Phase) -> Iterator[None]:
        """A part of `phase` in which nothing is waited for, so that no time limit need be set."""
        started, broken = time.perf_counter(), None
        try:
            yield
        except Exception as error:  # noqa: BLE001  # as in every phase
            broken = error
        try:
            self.end(phase, started, broken)
        finally:
            broken = None  # its trace holds this frame: together only the garbage collector would free them

    def end(self, phase: Phase, started: float, error: BaseException | None) -> None:
        """Add the time since `started`; raises PhaseFailed where something broke."""
        spent = time.perf_counter() - started
        self.seconds[phase] = self.seconds.get(phase, 0.0) + spent
        if isinstance(error, Exception):
            raise PhaseFailed(failure_of(phase, error)) from error


class _Timed:
    def __init__(self, clock: PhaseClock, phase: Phase, deadline: float) -> None:
        self._clock = clock
        self._phase = phase
        self._timeout = asyncio.timeout_at(deadline)

    async def __aenter__(self) -> None:
        self._started = time.perf_counter()
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            error = late
        try:
            self._clock.end(self._phase, self._started, error)
        finally:
            error = None  # as above
