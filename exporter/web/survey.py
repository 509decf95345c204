"""How all domains stand, gathered in steps so that probes go on meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from exporter.model import Round, Target
from exporter.web.house import HOUSE, House
from exporter.web.state import State, is_stale, state_of

_PER_STEP = 200  # a step of about 2 ms where all rounds are new


@dataclass(frozen=True, slots=True)
class Standing:
    """One domain; `round` is its last one, None: it has none yet."""

    target: Target
    round: Round | None
    state: State
    is_stale: bool


class Surveyor:
    """Works the state of a domain out once for each of its rounds: of 2,000 domains few have a new one each second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Round | None, State]] = {}

    async def survey(self, house: House) -> list[Standing]:
        """All domains in configured order."""
        now, targets = house.now(), house.targets()
        found: list[Standing] = []
        for number, target in enumerate(targets.values(), start=1):
            round_ = house.latest.get(target.domain)
            stale = round_ is not None and is_stale(target, round_, now)
            found.append(Standing(target, round_, self._state(target.domain, round_), stale))
            if number % _PER_STEP == 0:
                await asyncio.sleep(0)
        if len(self._known) > 2 * len(targets):
            self._known.clear()  # many have left the configuration
        return found

    def _state(self, domain: str, round_: Round | None) -> State:
        known = self._known.get(domain)
        if known is not None and known[0] is round_:
            return known[1]
        state = state_of(round_)
        self._known[domain] = (round_, state)
        return state


SURVEYOR = web.AppKey("surveyor", Surveyor)


async def survey(request: web.Request) -> list[Standing]:
    return await request.app[SURVEYOR].survey(request.app[HOUSE])
