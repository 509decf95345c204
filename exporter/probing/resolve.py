"""Names to addresses and alternatives, from the machine's name servers. The only home of aiodns."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import aiodns
import pycares
import pycares.errno

from exporter.model import Failure, IpFamily, Phase
from exporter.probing.failures import printable
from exporter.svcb import Binding

_MOST_ADDRESSES = 64  # of one name; a name server must not decide how much work a round is
_MOST_BINDINGS = 20  # HTTPS records of one name
_MOST_REMEMBERED = 20_000  # alternatives are named by probed servers, and may have a new name each time
_SECONDS_PER_TRY = 2.0
_TRIES = 2

aiodns.query_type_map.setdefault("HTTPS", pycares.QUERY_TYPE_HTTPS)  # pycares knows the type, aiodns 4.0 not yet

_KINDS = {
    pycares.errno.ARES_ENOTFOUND: "nxdomain",
    pycares.errno.ARES_ENODATA: "no-data",
    pycares.errno.ARES_ESERVFAIL: "servfail",
    pycares.errno.ARES_EREFUSED: "dns-refused",
    pycares.errno.ARES_ETIMEOUT: "timeout",
    pycares.errno.ARES_ECONNREFUSED: "dns-unreachable",
}
_FAMILIES = {
    IpFamily.ANY: socket.AF_UNSPEC,
    IpFamily.IPV4: socket.AF_INET,
    IpFamily.IPV6: socket.AF_INET6,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name resolved to.

    Attributes:
        addresses: IPv4 before IPv6, each family in numeric order, so that equal answers are equal values.
        at: when it came, in seconds of `time.monotonic`.
    """

    addresses: tuple[str, ...]
    failure: Failure | None
    seconds: float
    at: float


class Resolver:
    """Asks the name servers, and remembers the last answers for who only wants to know whether addresses are shared."""

    def __init__(self, nameservers: Sequence[str] | None = None) -> None:
        """Without `nameservers`, ask those of the machine's configuration. Needs a running event loop."""
        self._dns = aiodns.DNSResolver(nameservers, timeout=_SECONDS_PER_TRY, tries=_TRIES)
        self._answers: dict[tuple[str, IpFamily], Answer] = {}

    async def resolve(self, name: str, family: IpFamily, timeout_seconds: float) -> Answer:
        """Ask now. Never raises but for cancellation."""
        started = time.perf_counter()
        addresses, failure = await self._ask(name, family, timeout_seconds)
        answer = Answer(addresses, failure, time.perf_counter() - started, time.monotonic())
        if len(self._answers) >= _MOST_REMEMBERED:
            self._answers.clear()
        self._answers[name, family] = answer
        return answer

    async def recall(self, name: str, family: IpFamily, timeout_seconds: float, max_age_seconds: float) -> Answer:
        """The last answer if it is young enough; otherwise ask."""
        answer = self._answers.get((name, family))
        if answer is not None and time.monotonic() - answer.at <= max_age_seconds:
            return answer
        return await self.resolve(name, family, timeout_seconds)

    async def bindings(self, name: str, timeout_seconds: float) -> tuple[Binding, ...]:
        """The HTTPS records of `name`; none where there are none or nobody says. Never raises but for cancellation."""
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await self._dns.query_dns(name, "HTTPS")
        except (TimeoutError, aiodns.error.DNSError):
            return ()
        found = (_binding(record) for record in result.answer if isinstance(record.data, pycares.HTTPSRecordData))
        return tuple(islice(found, _MOST_BINDINGS))

    def forget(self, names: frozenset[str]) -> None:
        """Drop what is remembered of all names but these."""
        self._answers = {key: answer for key, answer in self._answers.items() if key[0] in names}

    async def close(self) -> None:
        await self._dns.close()

    async def _ask(self, name: str, family: IpFamily, timeout_seconds: float) -> tuple[tuple[str, ...], Failure | None]:
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await self._dns.getaddrinfo(name, family=_FAMILIES[family], type=socket.SOCK_STREAM)
        except TimeoutError:
            return (), Failure(Phase.RESOLVE, "timeout", "no name server answered in time")
        except aiodns.error.DNSError as error:
            return (), _failure(error)
        found = {node.addr[0].decode("ascii", "replace") for node in result.nodes}
        addresses = in_order(found)[:_MOST_ADDRESSES]
        return addresses, None if addresses else Failure(Phase.RESOLVE, "no-data", "the answer held no address")


def _binding(record: pycares.DNSRecord) -> Binding:
    data = record.data
    assert isinstance(data, pycares.HTTPSRecordData)  # noqa: S101  # who calls has seen to it
    # pycares gives a name that is not ASCII as bytes: as text it then is no host name.
    return Binding(f"{record.name}".rstrip("."), data.priority, f"{data.target}".rstrip("."), dict(data.params))


def in_order(addresses: set[str]) -> tuple[str, ...]:
    """IPv4 before IPv6, each in numeric order; what is no address is left out."""
    parsed = []
    for address in addresses:
        try:
            parsed.append(ipaddress.ip_address(address))
        except ValueError:
            continue
    return tuple(str(address) for address in sorted(parsed, key=lambda address: (address.version, int(address))))


def _failure(error: aiodns.error.DNSError) -> Failure:
    code, *text = error.args
    return Failure(Phase.RESOLVE, _KINDS.get(code, "dns-error"), printable(str(text[0]) if text else str(error)))
