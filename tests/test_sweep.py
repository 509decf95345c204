"""One round, against a real server: resolve, plan, run, judge."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from exporter.gate import Gate
from exporter.latest import Latest
from exporter.model import Combination, Failure, Phase, Protocol, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.sweep import Instruments, sweep
from tests.origin import CLOSE, answer, host_of, origin
from tests.origin2 import answer as answer2
from tests.origin2 import origin2

UNKNOWN = "unknown.invalid"


class Silent:
    def connection_opened(self): ...
    def connection_closed(self): ...


@asynccontextmanager
async def instruments(*targets):
    resolver = Resolver(["127.0.0.1:1"])  # nothing listens there: DNS is down
    judge = Judge()
    held = Held(judge)
    try:
        yield Instruments({one.domain: one for one in targets}, Latest(), resolver, judge, Gate(64, 8, Silent()), held)
    finally:
        held.keep(())
        await resolver.close()


def target(domain, port, ca_file, **settings) -> Target:
    defaults = {
        "group": "g",
        "siblings": ("a.test", "b.test"),
        "timeout_seconds": 2.0,
        "port": port,
        "snis": (domain, None),
        "hosts": (UNKNOWN,),
        "resolve": ("127.0.0.1",),
        "ca_file": str(ca_file),
        "protocols": (Protocol.HTTP11,),
    }
    return Target(domain, **(defaults | settings))


def by_host(head):
    return answer(421) if host_of(head) == UNKNOWN else answer(503 if host_of(head) == "b.test" else 200)


def table(done):
    return [
        (o.probe.combination.value, o.probe.domain, o.probe.sni, o.response and o.response.status, v.expected)
        for o, v in zip(done.observations, done.verdicts, strict=True)
    ]


async def test_a_round_sees_every_cell_and_judges_it(leaf, ca_file):
    async with origin({None: leaf}, by_host) as server:
        own, other = target("a.test", server.port, ca_file), target("b.test", server.port, ca_file)
        async with instruments(own, other) as shared:
            done, sibling = await sweep(own, 0, shared), await sweep(other, 0, shared)

    assert table(done) == [
        ("matched", "a.test", "a.test", 200, True),
        ("coalesced", "b.test", "a.test", 503, False),
        ("coalesced", "a.test", "a.test", 200, True),
        ("unknown_host", "a.test", "a.test", 421, True),
        ("no_sni", "a.test", None, 200, True),
        ("other_sni", "a.test", "b.test", 200, True),
    ]
    assert (done.up, sibling.up) == (True, False)
    assert done.addresses == ("127.0.0.1",)
    assert done.duration_seconds > 0


async def test_a_sibling_s_answer_is_judged_by_the_sibling_s_own_expectations(leaf, ca_file):
    async with origin({None: leaf}, by_host) as server:
        own = target("a.test", server.port, ca_file)
        other = target("b.test", server.port, ca_file)
        down_for_maintenance = replace(other, expect=replace(other.expect, status=(range(503, 504),)))
        async with instruments(own, down_for_maintenance) as shared:
            done = await sweep(own, 0, shared)

    assert table(done)[1] == ("coalesced", "b.test", "a.test", 503, True)


async def test_a_name_that_does_not_resolve_still_has_its_cells(ca_file):
    own = target("nowhere.test", 8443, ca_file, resolve=(), siblings=("nowhere.test",))
    async with instruments(own) as shared:
        done = await sweep(own, 0, shared)

    assert [(o.probe.combination, o.probe.address) for o in done.observations] == [
        (Combination.MATCHED, None),
        (Combination.NO_SNI, None),
    ]
    assert {o.failure.phase for o in done.observations} == {Phase.RESOLVE}
    assert done.observations[0].failure.kind in {"dns-unreachable", "nxdomain", "timeout"}
    assert not done.up
    assert done.addresses == ()


async def test_how_long_the_name_took_to_resolve_is_part_of_the_matched_probe(leaf, ca_file):
    async with origin({None: leaf}, by_host) as server:
        own = target("localhost", server.port, ca_file, resolve=(), siblings=("localhost",), verify=False)
        async with instruments(own) as shared:
            done = await sweep(replace(own, max_addresses=1), 1, shared)

    by_combination = {seen.probe.combination: seen for seen in done.observations}
    matched, unknown = by_combination[Combination.MATCHED], by_combination[Combination.UNKNOWN_HOST]
    assert Phase.RESOLVE in matched.seconds
    assert Phase.RESOLVE not in unknown.seconds


async def test_a_sibling_at_another_address_is_not_asked_on_this_connection(leaf, ca_file):
    async with origin({None: leaf}, by_host) as server:
        own = target("a.test", server.port, ca_file)
        away = target("b.test", server.port, ca_file, resolve=("127.0.0.99",))
        async with instruments(own, away) as shared:
            done = await sweep(own, 0, shared)

    assert "coalesced" not in {kind for kind, *_ in table(done)}


async def test_one_of_two_addresses_refuses(leaf, ca_file):
    async with origin({None: leaf}, by_host) as server:
        own = target("a.test", server.port, ca_file, resolve=("127.0.0.1", "127.0.0.98"), siblings=("a.test",))
        async with instruments(own) as shared:
            done = await sweep(own, 0, shared)

    matched = {o.probe.address: o.failure and o.failure.kind for o, _ in done.matched}
    assert matched == {"127.0.0.1": None, "127.0.0.98": "refused"}
    assert not done.up


@pytest.mark.parametrize("silent_after", [0, 1])
async def test_a_server_that_hangs_ends_the_round_in_bounded_time(leaf, ca_file, silent_after):
    count = iter(range(1000))

    async with origin({None: leaf}, lambda _: answer() if next(count) < silent_after else None) as server:
        own = target("a.test", server.port, ca_file, timeout_seconds=0.2, siblings=("a.test",))
        async with instruments(own) as shared:
            done = await sweep(own, 0, shared)

    assert done.duration_seconds < 2
    assert any(o.failure == Failure(Phase.PROCESSING, "timeout") for o in done.observations)


async def test_a_held_connection_is_asked_on_again_and_shows_what_it_still_gets(leaf, ca_file):
    """After a change a new connection is served rightly, and the old one is not: as where old workers live on."""

    def respond(connection, stream, _):
        number, _ = server.hosts[-1]
        has_changed = len(server.hosts) > 4
        answer2(connection, stream, 404 if has_changed and number == server.hosts[1][0] else 200)

    async with origin2(leaf, respond) as server:
        own = target(
            "a.test", server.port, ca_file, protocols=(Protocol.H2,), hosts=(), snis=("a.test",), siblings=(), hold=True
        )
        async with instruments(own) as shared:
            rounds = [await sweep(own, turn, shared) for turn in range(3)]

    held = [(done.observations[-1], done.verdicts[-1]) for done in rounds]
    assert {seen.probe.combination for seen, _ in held} == {Combination.HELD}
    assert [(seen.asked_before, seen.response.status, verdict.expected) for seen, verdict in held] == [
        (0, 200, True),
        (1, 200, True),
        (2, 404, False),
    ]
    assert [done.up for done in rounds] == [True, True, True]


async def test_a_held_connection_that_the_server_ended_is_opened_again(leaf, ca_file):
    async with origin({None: leaf}, lambda _: answer() + CLOSE) as server:
        own = target("a.test", server.port, ca_file, hosts=(), snis=("a.test",), siblings=(), hold=True)
        async with instruments(own) as shared:
            rounds = [await sweep(own, turn, shared) for turn in range(2)]

    held = [done.observations[-1] for done in rounds]
    assert [(seen.asked_before, seen.response.status) for seen in held] == [(0, 200), (0, 200)]
