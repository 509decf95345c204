"""One diagnosis now, for a person: some rounds of all targets, and then why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from exporter.config import Config
from exporter.diagnosis import together
from exporter.exposure import origin_of, origins_by_address
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.model import Combination, Round, Target
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
        rows: list[tuple[Round, ...]] = [() for _ in targets]
        for number in range(rounds):
            swept = await self._sweep(targets, number, rounds)
            rows = [(*row, one) for row, one in zip(rows, swept, strict=True)]
        rows = await asyncio.gather(*(self._completed(row) for row in rows))
        judged_rows = [tuple(judged(one, self._instruments) for one in row) for row in rows]
        for one in (one for row in judged_rows for one in row):  # all, before any is looked at by its siblings
            self._instruments.latest.put(one)
        investigated = [await self._investigated(row) for row in judged_rows]
        return tuple((*row[:-1], done) for row, done in zip(judged_rows, together(investigated), strict=True))

    async def _sweep(self, targets: tuple[Target, ...], number: int, rounds: int) -> tuple[Round, ...]:
        self._told(f"round {number + 1} of {rounds}: {len(targets)} domain{'s' * (len(targets) > 1)}")
        swept = await asyncio.gather(*(sweep(target, number, self._instruments) for target in targets))
        for one in swept:
            self._instruments.latest.put(one)
        return tuple(swept)

    async def _completed(self, row: tuple[Round, ...]) -> tuple[Round, ...]:
        """With one more round where no answer came in time, as servers that just started are slow at first.

        Likewise where a server has claimed siblings that were not asked for there; and with what answers where HTTP/3
        is advertised.
        """
        if _is_late(row[-1]) or self._has_claimed_more(row[-1]):
            row = (*row, await sweep(row[-1].target, len(row), self._instruments))
            self._instruments.latest.put(row[-1])
        last = row[-1]
        more = await ask_alternatives(last.target, last.addresses, self._instruments)
        return (*row[:-1], judged(replace(last, observations=(*last.observations, *more)), self._instruments))

    def _has_claimed_more(self, swept: Round) -> bool:
        asked = {
            (seen.probe.domain, seen.probe.address)
            for seen in swept.observations
            if seen.probe.combination is Combination.COALESCED
        }
        siblings = [self._instruments.targets[name] for name in swept.target.siblings if name != swept.target.domain]
        return any(
            origin_of(sibling) in origins and (sibling.domain, address) not in asked
            for address, origins in origins_by_address(swept).items()
            for sibling in siblings
        )

    async def _investigated(self, row: tuple[Round, ...]) -> Round:
        self._told(f"{row[-1].target.domain}: looking for the cause")
        done = await self._investigator.investigate(row[-1], self._instruments, row[:-1])
        self._instruments.latest.put(done)
        return done


def _is_late(swept: Round) -> bool:
    return any(seen.failure is not None and seen.failure.kind in ("timeout", "slow") for seen, _ in swept.matched)
