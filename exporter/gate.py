"""How much may be open at once: a cap on connections overall and per address, so that probing never becomes load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class Counter(Protocol):
    """Who is told how many are through."""

    def connection_opened(self) -> None: ...
    def connection_closed(self) -> None: ...


class Gate:
    """Lets at most `overall` connections be open at once, and at most `per_address` to any one address."""

    def __init__(self, overall: int, per_address: int, counter: Counter) -> None:
        self._counter = counter
        self._overall = asyncio.Semaphore(overall)
        self._per_address_limit = per_address
        self._per_address: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def passage(self, address: str) -> AsyncIterator[None]:
        """Wait for a place at the address first, so that a crowded address does not hold places of the others."""
        async with self._place_at(address), self._overall:
            self._counter.connection_opened()
            try:
                yield
            finally:
                self._counter.connection_closed()

    @asynccontextmanager
    async def _place_at(self, address: str) -> AsyncIterator[None]:
        semaphore, users = self._per_address.get(address, (None, 0))
        semaphore = semaphore or asyncio.Semaphore(self._per_address_limit)
        self._per_address[address] = semaphore, users + 1
        try:
            async with semaphore:
                yield
        finally:
            semaphore, users = self._per_address[address]
            if users > 1:
                self._per_address[address] = semaphore, users - 1
            else:
                del self._per_address[address]
