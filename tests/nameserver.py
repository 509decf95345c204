"""A name server on loopback that answers from a table, for tests: real queries, real answers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from exporter.probing.resolve import Resolver

RECORDS = {
    ("two.test.", "A"): ["127.0.0.10", "127.0.0.9"],
    ("two.test.", "AAAA"): ["::2"],
    ("four.test.", "A"): ["127.0.0.4"],
    ("many.test.", "A"): [f"127.1.0.{number}" for number in range(1, 100)],
    ("four.test.", "HTTPS"): ['1 . alpn="h3,h2" port=8443', "2 two.test. alpn=h2"],
    ("_8443._https.four.test.", "HTTPS"): ['1 two.test. alpn="h3"'],
    ("odd.test.", "HTTPS"): [r"1 \255\013.test. alpn=h3"],
    ("many.test.", "HTTPS"): [f"{number} . alpn=h3 port={number}" for number in range(1, 100)],
}
CODES = {"broken.test.": dns.rcode.SERVFAIL, "refused.test.": dns.rcode.REFUSED}


class NameServer(asyncio.DatagramProtocol):
    """Answers from the tables above, and from `records`; knows `silent.test.` but says nothing."""

    def __init__(self, records=()):
        self.records = {**RECORDS, **dict(records)}
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
        known = {record for record, _ in self.records}
        response.set_rcode(
            CODES.get(name, dns.rcode.NOERROR if name in known | {"empty.test."} else dns.rcode.NXDOMAIN)
        )
        if addresses := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *addresses))
        return response


@asynccontextmanager
async def resolving(records=()):
    """A resolver that asks a name server, and the name server."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(records), local_addr=("127.0.0.1", 0))
    resolver = Resolver([f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"])
    try:
        yield resolver, server
    finally:
        await resolver.close()
        transport.close()
