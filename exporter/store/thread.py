"""One thread for calls that block, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class BlockingThread:
    """Not an executor: the interpreter waits for an executor's threads at its end, and a disk may never answer."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._is_started = False

    async def call(self, function: Callable[[], T]) -> T:
        """What `function` returns or raises there. If cancelled, the call is made all the same."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def done(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # where there is no error there is a result

        def run() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = function()
            except BaseException as raised:  # noqa: BLE001  # it is raised where the call was made
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed, nobody waits any more
                loop.call_soon_threadsafe(done, result, error)

        self.tell(run)
        return await future

    def tell(self, function: Callable[[], None]) -> None:
        """Make the call some time, and wait for nothing."""
        self._calls.put(function)
        if not self._is_started:
            self._is_started = True
            self._thread.start()

    def end(self) -> None:
        """After the calls that were made before."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
