"""When rounds run. Pure functions take time as a value; the scheduler itself is run with intervals of milliseconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model import Target
from exporter.schedule import Beat, Schedule, first_start, fraction, next_start, turn_at

domains = st.from_regex(r"[a-z]{1,12}\.test", fullmatch=True)
times = st.floats(1_700_000_000, 2_000_000_000)
intervals = st.sampled_from([1.0, 10.0, 60.0, 300.0])


@given(domains, times, intervals)
def test_starts_are_an_interval_apart_and_numbered(domain, now, interval):
    start = next_start(now, domain, interval)
    after = next_start(start + 0.001, domain, interval)

    assert now < start <= now + interval + 1e-3
    assert after - start == pytest.approx(interval, abs=1e-3)
    assert turn_at(start + 0.001, domain, interval) + 1 == turn_at(after + 0.001, domain, interval)


@given(domains, times, st.sampled_from([0.05, 1.0, 7.3, 10.0, 60.0]))
def test_the_start_after_a_start_is_a_later_one(domain, now, interval):
    """Otherwise the scheduler, which asks for all starts up to now, would ask for ever."""
    beat = Beat(domain, interval)
    start = beat.get_next_fire_time(None, datetime.fromtimestamp(now, UTC))

    for _ in range(20):
        following = beat.get_next_fire_time(start, start)
        assert (following - start).total_seconds() == pytest.approx(interval, abs=0.01)
        start = following


@given(domains, times, intervals, st.integers(1, 10_000))
def test_the_first_round_comes_soon_but_not_before_now(domain, now, interval, targets):
    first = first_start(now, domain, interval, targets)
    spread = max(1, targets / 50)

    assert now <= first <= next_start(now, domain, interval)
    assert first <= now + spread + 1e-3 or spread > interval / 2


def test_a_domain_has_the_same_place_in_its_interval_for_ever():
    assert fraction("shop.example.test") == fraction("shop.example.test") == pytest.approx(0.49208817468367677)


def test_5000_domains_are_spread_evenly_over_their_interval():
    buckets = [0] * 60
    for number in range(5000):
        buckets[int(fraction(f"d{number}.example.test") * 60)] += 1

    assert min(buckets) > 50
    assert max(buckets) < 120


@dataclass
class Observed:
    lags: list[float] = field(default_factory=list)
    ended: int = 0
    missed: int = 0
    failed: int = 0
    one_missed: asyncio.Event = field(default_factory=asyncio.Event)

    def round_started(self, lag_seconds):
        self.lags.append(lag_seconds)

    def round_ended(self):
        self.ended += 1

    def round_missed(self):
        self.missed += 1
        self.one_missed.set()

    def round_failed(self):
        self.failed += 1


class Running:
    """A schedule whose rounds are noted; each waits for `release` if it is told to."""

    def __init__(self):
        self.observed = Observed()
        self.rounds: list[tuple[str, int]] = []
        self.changed = asyncio.Condition()
        self.hold = asyncio.Event()
        self.hold.set()
        self.schedule = Schedule(self.run, self.observed)

    async def run(self, target, turn):
        self.rounds.append((target.domain, turn))
        async with self.changed:
            self.changed.notify_all()
        await self.hold.wait()

    async def until(self, condition):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)


def target(domain="a.test", interval=0.05) -> Target:
    return Target(domain, "g", interval_seconds=interval)


def updated(*targets):
    return {one.domain: one for one in targets}


async def test_rounds_repeat_with_growing_numbers_until_stopped():
    running = Running()
    running.schedule.start()
    running.schedule.update(updated(target()))
    await running.until(lambda: len(running.rounds) >= 4)
    await running.schedule.stop(1)

    turns = [turn for _, turn in running.rounds]
    assert turns == sorted(set(turns))
    assert running.observed.ended == len(turns)
    assert all(0 <= lag < 5 for lag in running.observed.lags)


async def test_a_round_that_still_runs_is_not_started_twice_but_counted_as_missed():
    running = Running()
    running.hold.clear()
    running.schedule.start()
    running.schedule.update(updated(target()))
    await running.until(lambda: len(running.rounds) == 1)
    async with asyncio.timeout(10):
        await running.observed.one_missed.wait()

    assert len(running.rounds) == 1
    running.hold.set()
    await running.schedule.stop(1)


async def test_who_is_removed_is_probed_no_more_and_who_stays_keeps_its_beat():
    running = Running()
    running.schedule.start()
    running.schedule.update(updated(target("a.test"), target("b.test")))
    await running.until(lambda: {"a.test", "b.test"} <= {domain for domain, _ in running.rounds})
    running.schedule.update(updated(target("b.test")))
    count = len(running.rounds)
    await running.until(lambda: len(running.rounds) >= count + 3)
    await running.schedule.stop(1)

    assert {domain for domain, _ in running.rounds[count:]} == {"b.test"}
    turns = [turn for domain, turn in running.rounds if domain == "b.test"]
    assert len(set(turns)) == len(turns)


async def test_a_fault_of_ours_is_counted_and_the_next_round_still_comes(caplog):
    running = Running()

    async def broken(target, turn):
        await running.run(target, turn)
        raise RuntimeError("a fault")

    schedule = Schedule(broken, running.observed)
    schedule.start()
    schedule.update(updated(target()))
    await running.until(lambda: len(running.rounds) >= 2)
    await schedule.stop(1)

    assert running.observed.failed >= 1
    assert "the round of a.test broke" in caplog.text


async def test_stopping_lets_a_round_in_flight_end_within_the_bound():
    running = Running()
    running.hold.clear()
    running.schedule.start()
    running.schedule.update(updated(target()))
    await running.until(lambda: running.rounds)
    asyncio.get_running_loop().call_later(0.05, running.hold.set)
    await running.schedule.stop(5)

    assert running.observed.ended == 1


async def test_stopping_gives_up_on_a_round_that_hangs(caplog):
    running = Running()
    running.hold.clear()
    running.schedule.start()
    running.schedule.update(updated(target()))
    await running.until(lambda: running.rounds)
    started = time.perf_counter()
    await running.schedule.stop(0.05)

    assert time.perf_counter() - started < 2
    assert "gave up on 1 rounds" in caplog.text


async def test_a_round_may_be_asked_for_at_once():
    running = Running()
    running.schedule.start()
    running.schedule.update(updated(target(interval=86_400.0)))
    async with asyncio.timeout(10):
        await running.schedule.at_once("a.test")

    assert [domain for domain, _ in running.rounds] == ["a.test"]
    assert running.observed.lags == [0.0]
    await running.schedule.stop(1)


async def test_who_asks_while_a_round_runs_gets_that_one():
    running = Running()
    running.hold.clear()
    running.schedule.start()
    running.schedule.update(updated(target(interval=86_400.0)))
    asked = [asyncio.create_task(running.schedule.at_once("a.test")) for _ in range(3)]
    await running.until(lambda: running.rounds)
    running.hold.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*asked)

    assert len(running.rounds) == running.observed.ended == 1
    await running.schedule.stop(1)


async def test_a_round_of_an_unknown_domain_or_of_a_schedule_that_stops_is_none():
    running = Running()
    running.schedule.start()
    running.schedule.update(updated(target(interval=86_400.0)))
    await running.schedule.at_once("b.test")
    await running.schedule.stop(1)
    await running.schedule.at_once("a.test")

    assert running.rounds == []
