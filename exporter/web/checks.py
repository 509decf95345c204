"""Rounds that people ask for: one per domain in some seconds, and only so many of all domains together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import ceil

from aiohttp import web

from exporter.model import Round
from exporter.web.house import House

DOMAIN_EVERY_SECONDS = 10.0
"""Servers should see few extra rounds, however often a button is pressed."""

ALL_PER_SECOND, ALL_AT_ONCE = 1.0, 10.0
"""A bucket of tokens for all domains together."""

WAITS_SECONDS = 15.0
"""For the result, before the answer is that it is not there yet."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A check that is asked for too soon.

    Attributes:
        seconds: after which it may be asked for again, rounded up.
    """

    seconds: int


class Allowance:
    """Says whether a check may be made; times are in seconds of any clock."""

    def __init__(self) -> None:
        self._tokens = ALL_AT_ONCE
        self._counted_at = 0.0
        self._last: dict[str, float] = {}

    def ask(self, domain: str, now: float) -> Refused | None:
        """None: it may, and is counted."""
        self._last = {name: at for name, at in self._last.items() if now - at < DOMAIN_EVERY_SECONDS}
        if domain in self._last:
            return Refused(ceil(self._last[domain] + DOMAIN_EVERY_SECONDS - now))
        self._tokens = min(ALL_AT_ONCE, self._tokens + max(0.0, now - self._counted_at) * ALL_PER_SECOND)
        self._counted_at = now
        if self._tokens < 1:
            return Refused(1)
        self._tokens -= 1
        self._last[domain] = now
        return None


ALLOWANCE = web.AppKey("allowance", Allowance)


async def checked(app: web.Application, house: House, domain: str) -> Round | Refused | None:
    """The round that was asked for; None: it is not over yet, or it broke."""
    loop = asyncio.get_running_loop()
    refused = app[ALLOWANCE].ask(domain, loop.time())
    if refused is not None:
        return refused
    before = house.latest.get(domain)
    running = asyncio.ensure_future(house.check(domain))
    await asyncio.wait({running}, timeout=WAITS_SECONDS)
    after = house.latest.get(domain)
    return after if after is not before else None
