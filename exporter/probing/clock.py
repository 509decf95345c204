"""The phase clock: times each phase of a probe, bounds it, and turns whatever breaks in it into a `Failure`."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from exporter.model import Failure, Phase
from exporter.probing.failures import failure_of


class PhaseFailed(Exception):  # noqa: N818  # a value on its way to an observation
    """A phase broke; carries the failure to whoever writes the observation."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class PhaseClock:
    """Seconds by phase. `async with clock.phase(Phase.TLS):` is the only place where probing catches `Exception`."""

    def __init__(self, deadline: float) -> None:
        """Bound all phases by `deadline`, in the event loop's time."""
        self.seconds: dict[Phase, float] = {}
        self.deadline = deadline

    def phase(self, phase: Phase) -> _Timed:
        return _Timed(self, phase, self.deadline)


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
        spent = time.perf_counter() - self._started
        self._clock.seconds[self._phase] = self._clock.seconds.get(self._phase, 0.0) + spent
        if isinstance(error, Exception):
            raise PhaseFailed(failure_of(self._phase, error)) from error
