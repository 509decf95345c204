"""The cells of the matrix, and what is seen in one: by the exporter, and in the same words by other programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from exporter.model import Ask, Connection, Dial, Failure, Method, Observation, Probe, Protocol, Request
from exporter.probing.certificates import Judge
from exporter.probing.run import run
from tests.real.matrix.layouts import OWN, SIBLING, UNKNOWN
from tests.real.processes import Endpoint

TIMEOUT_SECONDS = 10.0  # the first page of a Java server takes seconds


class Way(StrEnum):
    """How a cell is asked for."""

    H1_FRESH = "h1 fresh"
    H2_FRESH = "h2 fresh"
    H2_REUSED = "h2 reused"

    @property
    def protocol(self) -> Protocol:
        return Protocol.HTTP11 if self is Way.H1_FRESH else Protocol.H2


@dataclass(frozen=True, slots=True)
class Cell:
    sni: str | None
    host: str
    way: Way

    @property
    def hosts(self) -> tuple[str, ...]:
        """All that is asked on the connection, in order: on a reused one, first whom it was opened for."""
        if self.way is not Way.H2_REUSED:
            return (self.host,)
        return self.sni if self.sni in (OWN, SIBLING) else OWN, self.host

    def __str__(self) -> str:
        return f"{self.way} SNI {self.sni or 'none'} Host {self.host}".replace(".site.test", "")


SNIS = (OWN, SIBLING, None, UNKNOWN)
HOSTS = (OWN, SIBLING, UNKNOWN)
CELLS = tuple(Cell(sni, host, way) for way, sni, host in product(Way, SNIS, HOSTS))


@dataclass(frozen=True, slots=True)
class Seen:
    """Attributes: `refusal` is a kind of failure, with its code where there is one; "" where there is a status."""

    status: int | None
    body: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a handshake agreed and showed."""

    version: str
    cipher: str
    alpn: str | None
    leaf_sha256: str
    client_certificate_requested: bool


def dial(cell: Cell, endpoint: Endpoint) -> Dial:
    asks = []
    for host in cell.hosts:
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, cell.sni, host, endpoint.address, cell.way.protocol, connection)
        asks.append(Ask(probe, Request(Method.GET, f"{host}:{endpoint.port}", "/", (("Accept", "*/*"),))))
    protocol = cell.way.protocol
    return Dial(endpoint.address, endpoint.port, cell.sni, protocol, TIMEOUT_SECONDS, tuple(asks), verify=False)


JUDGE = Judge()
"""One for all, as in the exporter: it reads the system's authorities when it first needs them."""


async def observe(cell: Cell, endpoint: Endpoint) -> Observation:
    """What the exporter saw last: where no connection could be opened, that is why."""
    observations = await run(dial(cell, endpoint), JUDGE)
    return next(seen for seen in reversed(observations) if seen.failure is None or seen.failure.kind != "not-asked")


def seen(observation: Observation) -> Seen:
    response, failure = observation.response, observation.failure
    if failure is not None or response is None:
        return Seen(None, refusal=_refusal(failure))
    return Seen(response.status, response.body)


def shown(observation: Observation) -> Shown | Seen:
    """The handshake, or why there was none."""
    tls = observation.tls
    if tls is None or tls.leaf is None:
        return seen(observation)
    return Shown(tls.version, tls.cipher, tls.alpn, tls.leaf.sha256, tls.client_certificate_requested)


_KINDS_WITH_CODE = frozenset({"alert", "stream-reset", "goaway"})
"""Here the detail is a word of the protocol, and not for people only."""


def _refusal(failure: Failure | None) -> str:
    if failure is None:
        return "nothing"
    return f"{failure.kind} {failure.detail}" if failure.kind in _KINDS_WITH_CODE else failure.kind
