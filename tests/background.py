"""Asynchronous servers in threads of their own, while a test blocks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

T = TypeVar("T")
WITHIN_SECONDS = 20


@contextlib.contextmanager
def in_background(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Entered and left in a loop of its own, with which every connection ends that the manager leaves open.

    asyncio leaves handshakes midway, and TLS clients that do not say goodbye, to the garbage collector, whose warning
    breaks a later test.
    """
    entered: Future[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def stay() -> None:
        loop, leaving = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with manager as value:
                entered.set_result((value, loop, leaving))
                await leaving.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)
        finally:
            for transport in list(loop._transports.values()):  # type: ignore[attr-defined]
                transport.abort()

    thread = threading.Thread(target=lambda: asyncio.run(stay()))
    thread.start()
    try:
        value, loop, leaving = entered.result(WITHIN_SECONDS)
        try:
            yield value
        finally:
            loop.call_soon_threadsafe(leaving.set)
    finally:
        thread.join(WITHIN_SECONDS)
