import asyncio

from exporter.gate import Gate


class Count:
    def __init__(self):
        self.now = self.most = 0

    def connection_opened(self):
        self.now += 1
        self.most = max(self.most, self.now)

    def connection_closed(self):
        self.now -= 1


async def through(gate, address, release, entered):
    async with gate.passage(address):
        entered.append(address)
        await release.wait()


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_than_the_cap_are_through_at_once():
    count, release, entered = Count(), asyncio.Event(), []
    gate = Gate(3, 10, count)
    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(through(gate, f"127.0.0.{number}", release, entered))
        await settle()
        assert len(entered) == 3
        release.set()

    assert (len(entered), count.most, count.now) == (10, 3, 0)


async def test_a_crowded_address_leaves_room_for_the_others():
    count, release, entered = Count(), asyncio.Event(), []
    gate = Gate(4, 2, count)
    async with asyncio.TaskGroup() as group:
        for address in ["127.0.0.1"] * 8 + ["127.0.0.2"]:
            group.create_task(through(gate, address, release, entered))
        await settle()
        assert sorted(entered) == ["127.0.0.1", "127.0.0.1", "127.0.0.2"]
        release.set()

    assert count.most <= 4
    assert len(entered) == 9


async def test_who_is_cancelled_gives_the_place_back():
    count, release, entered = Count(), asyncio.Event(), []
    gate = Gate(1, 1, count)
    first = asyncio.create_task(through(gate, "127.0.0.1", release, entered))
    second = asyncio.create_task(through(gate, "127.0.0.1", release, entered))
    await settle()
    first.cancel()
    await settle()

    assert len(entered) == 2
    release.set()
    await second
    assert count.now == 0
