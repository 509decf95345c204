from __future__ import annotations

import pytest

from exporter.web.events import MISSED, MOST_CLIENTS, MOST_WAITING, Events, Subscription
from tests.factories import round_, target


async def test_a_client_that_is_too_slow_is_told_once_that_it_missed_something():
    subscription = Subscription()
    for number in range(MOST_WAITING + 5):
        subscription.put(b"%d;" % number)

    told = await subscription.taken(1)

    assert told == MISSED + b"".join(b"%d;" % number for number in range(MOST_WAITING + 1, MOST_WAITING + 5))


async def test_what_waits_is_taken_at_once_and_nothing_after_the_time():
    subscription = Subscription()
    subscription.put(b"one;")
    subscription.put(b"two;")

    assert await subscription.taken(60) == b"one;two;"
    assert await subscription.taken(0.01) == b""


async def test_there_are_only_so_many_clients_and_all_end_with_the_house():
    events = Events()
    taken = [events.subscribe() for _ in range(MOST_CLIENTS)]

    assert events.subscribe() is None
    events.close()
    assert all(one.is_over for one in taken)
    assert await taken[0].taken(60) == b""
    events.unsubscribe(taken[0])
    assert events.clients == MOST_CLIENTS - 1


@pytest.mark.parametrize(("domain", "told"), [("", True), ("a.test", True), ("b.test", False)])
async def test_a_client_is_told_of_its_domain_only(domain, told):
    events = Events()
    subscription = events.subscribe(domain)
    events.finished(None, round_(of=target("a.test")))

    assert bool(await subscription.taken(0.01)) is told
