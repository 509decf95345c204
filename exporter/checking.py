"""One diagnosis now, for a person: some rounds of all targets, and then why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from exporter.config import Config
from exporter.diagnosis import together
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.model import Round, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.rounds import Instruments, Investigator
from exporter.sweep import ask_alternatives, judged, sweep

Told = Callable[[str], None]
"""Is told what is being done."""


async def check(loaded: Config, rounds: int, told: Told) -> tuple[tuple[Round, ...], ...]:
    """All rounds of each target, oldest first, targets in configured order; the last round has trials and findings."""
    targets = {target.domain: target for target in loaded.targets}
    judge, resolver = Judge(), Resolver()
    gate = Gate(loaded.max_in_flight, loaded.max_in_flight_per_address, Health())
    instruments = Instruments(targets, Latest(), resolver, judge, gate, Held(judge))
    try:
        return await _Checking(instruments, told).run(loaded.targets, rounds)
    finally:
        instruments.held.keep(())
        await resolver.close()


class _Checking:
    def __init__(self, instruments: Instruments, told: Told) -> None:
        self._instruments = instruments
        self._told = told
        self._investigator = Investigator(is_thorough=True)

    async def run(self, targets: tuple[Target, ...], rounds: int) -> tuple[tuple[Round, ...], ...]:
        series = [await self._sweep(targets, number, rounds) for number in range(rounds)]
        last = await self._with_alternatives(series[-1])
        history = [tuple(self._judged(one) for one in row) for row in zip(*series[:-1], last, strict=True)]
        for one in (one for row in history for one in row):  # all, before any is looked at by its siblings
            self._instruments.latest.put(one)
        investigated = [await self._investigated(row) for row in history]
        return tuple((*row[:-1], done) for row, done in zip(history, together(investigated), strict=True))

    async def _sweep(self, targets: tuple[Target, ...], number: int, rounds: int) -> tuple[Round, ...]:
        self._told(f"round {number + 1} of {rounds}: {len(targets)} domain{'s' * (len(targets) > 1)}")
        swept = await asyncio.gather(*(sweep(target, number, self._instruments) for target in targets))
        for one in swept:
            self._instruments.latest.put(one)
        return tuple(swept)

    async def _with_alternatives(self, swept: tuple[Round, ...]) -> tuple[Round, ...]:
        asked = await asyncio.gather(*(ask_alternatives(one.target, one.addresses, self._instruments) for one in swept))
        return tuple(
            judged(replace(one, observations=(*one.observations, *more)), self._instruments)
            for one, more in zip(swept, asked, strict=True)
        )

    def _judged(self, swept: Round) -> Round:
        """In the first round, siblings had no pages yet to compare with."""
        return judged(swept, self._instruments)

    async def _investigated(self, row: tuple[Round, ...]) -> Round:
        self._told(f"{row[-1].target.domain}: looking for the cause")
        done = await self._investigator.investigate(row[-1], self._instruments, row[:-1])
        self._instruments.latest.put(done)
        return done
