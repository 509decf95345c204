from __future__ import annotations

import asyncio
import threading

import pytest

from exporter.store.thread import BlockingThread


async def test_calls_are_made_in_one_thread_and_in_order():
    thread, made = BlockingThread("test"), []

    def call(number):
        made.append((number, threading.current_thread().name))
        return number

    results = await asyncio.gather(*(thread.call(lambda number=number: call(number)) for number in range(50)))
    thread.end()

    assert results == list(range(50))
    assert made == [(number, "test") for number in range(50)]


async def test_what_a_call_raises_is_raised_where_it_was_made_and_the_next_is_made():
    thread = BlockingThread("test")

    with pytest.raises(ZeroDivisionError):
        await thread.call(lambda: 1 // 0)
    assert await thread.call(lambda: 7) == 7
    thread.end()


async def test_a_call_that_is_cancelled_is_made_all_the_same():
    thread, gate, made = BlockingThread("test"), threading.Event(), []
    waiting = asyncio.ensure_future(thread.call(gate.wait))
    cancelled = asyncio.ensure_future(thread.call(lambda: made.append(1)))
    await asyncio.sleep(0)
    cancelled.cancel()
    gate.set()

    assert await waiting
    assert await thread.call(lambda: made) == [1]
    assert cancelled.cancelled()
    thread.end()
