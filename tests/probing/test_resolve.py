"""Names are resolved by real queries to a name server on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from exporter.model import IpFamily, Phase
from exporter.probing.resolve import Resolver, in_order

RECORDS = {
    ("two.test.", "A"): ["127.0.0.10", "127.0.0.9"],
    ("two.test.", "AAAA"): ["::2"],
    ("four.test.", "A"): ["127.0.0.4"],
    ("many.test.", "A"): [f"127.1.0.{number}" for number in range(1, 100)],
}
CODES = {"broken.test.": dns.rcode.SERVFAIL, "refused.test.": dns.rcode.REFUSED}


class NameServer(asyncio.DatagramProtocol):
    """Answers from the tables above; knows `silent.test.` but says nothing."""

    def __init__(self):
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append((name, kind))
        if name != "silent.test.":
            self.transport.sendto(self.answer(query, name, kind).to_wire(max_size=65535), client)

    def answer(self, query, name, kind):
        response = dns.message.make_response(query, recursion_available=True)
        known = {record for record, _ in RECORDS}
        response.set_rcode(
            CODES.get(name, dns.rcode.NOERROR if name in known | {"empty.test."} else dns.rcode.NXDOMAIN)
        )
        if addresses := RECORDS.get((name, kind)):
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *addresses))
        return response


@asynccontextmanager
async def resolving():
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    resolver = Resolver([f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"])
    try:
        yield resolver, server
    finally:
        await resolver.close()
        transport.close()


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
