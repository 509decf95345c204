"""Names are resolved by real queries to a name server on loopback."""

from __future__ import annotations

import pytest

from exporter.model import IpFamily, Phase
from exporter.probing.resolve import Resolver, in_order
from exporter.svcb import Binding, places
from tests.nameserver import resolving


@pytest.mark.parametrize(
    ("name", "family", "addresses", "kind"),
    [
        ("two.test", IpFamily.ANY, ("127.0.0.9", "127.0.0.10", "::2"), None),
        ("two.test", IpFamily.IPV4, ("127.0.0.9", "127.0.0.10"), None),
        ("two.test", IpFamily.IPV6, ("::2",), None),
        ("four.test", IpFamily.ANY, ("127.0.0.4",), None),
        ("four.test", IpFamily.IPV6, (), "no-data"),
        ("empty.test", IpFamily.ANY, (), "no-data"),
        ("missing.test", IpFamily.ANY, (), "nxdomain"),
        ("broken.test", IpFamily.ANY, (), "servfail"),
        ("refused.test", IpFamily.ANY, (), "dns-refused"),
    ],
)
async def test_all_addresses_of_a_name_or_why_there_is_none(name, family, addresses, kind):
    async with resolving() as (resolver, _):
        answer = await resolver.resolve(name, family, timeout_seconds=5)

    assert answer.addresses == addresses
    assert (answer.failure and answer.failure.kind) == kind
    assert answer.failure is None or answer.failure.phase is Phase.RESOLVE
    assert answer.seconds > 0


async def test_a_name_server_that_is_silent_is_waited_for_no_longer_than_asked():
    async with resolving() as (resolver, _):
        answer = await resolver.resolve("silent.test", IpFamily.ANY, timeout_seconds=0.2)

    assert (answer.failure.kind, answer.seconds < 2) == ("timeout", True)


async def test_a_name_server_decides_over_a_bounded_number_of_addresses():
    async with resolving() as (resolver, _):
        answer = await resolver.resolve("many.test", IpFamily.IPV4, timeout_seconds=5)

    assert len(answer.addresses) == 64


async def test_a_young_answer_is_recalled_without_a_query():
    async with resolving() as (resolver, server):
        first = await resolver.resolve("four.test", IpFamily.IPV4, timeout_seconds=5)
        queries = len(server.asked)

        assert await resolver.recall("four.test", IpFamily.IPV4, 5, max_age_seconds=60) is first
        assert len(server.asked) == queries
        assert await resolver.recall("four.test", IpFamily.IPV4, 5, max_age_seconds=-1) is not first
        resolver.forget(frozenset())
        assert await resolver.recall("four.test", IpFamily.IPV4, 5, max_age_seconds=60) is not first


async def test_the_machine_s_own_names_resolve_too():
    resolver = Resolver()
    answer = await resolver.resolve("localhost", IpFamily.IPV4, timeout_seconds=5)
    await resolver.close()

    assert answer.addresses == ("127.0.0.1",)


def test_addresses_are_in_numeric_order_and_junk_is_left_out():
    assert in_order({"::1", "10.0.0.2", "9.9.9.9", "nonsense", "2001:db8::1"}) == (
        "9.9.9.9",
        "10.0.0.2",
        "::1",
        "2001:db8::1",
    )


@pytest.mark.parametrize(
    ("name", "bindings"),
    [
        (
            "four.test",
            [
                Binding("four.test", 1, "", {1: b"\x02h3\x02h2", 3: b"\x20\xfb"}),
                Binding("four.test", 2, "two.test", {1: b"\x02h2"}),
            ],
        ),
        ("_8443._https.four.test", [Binding("_8443._https.four.test", 1, "two.test", {1: b"\x02h3"})]),
        ("two.test", []),
        ("missing.test", []),
        ("broken.test", []),
        ("silent.test", []),
    ],
)
async def test_https_records_are_read_where_there_are_any(name, bindings):
    async with resolving() as (resolver, _):
        found = await resolver.bindings(name, timeout_seconds=0.3)

    assert sorted(found, key=repr) == sorted(bindings, key=repr)


async def test_a_name_server_decides_over_a_bounded_number_of_alternatives():
    async with resolving() as (resolver, _):
        assert len(await resolver.bindings("many.test", timeout_seconds=5)) == 20


async def test_an_alternative_whose_name_is_no_host_name_is_no_fault_of_ours():
    async with resolving() as (resolver, _):
        (odd,) = await resolver.bindings("odd.test", timeout_seconds=5)

    assert places([odd], "odd.test", 443) == ()
