"""The plan of a round: which connections to open, and what to ask over each. Pure.

For target d at each of its addresses:

- by each protocol, one connection with SNI = d: Host = d (`matched`); then, reused, the Host of each sibling that has
  the port and one of d's addresses in common (`coalesced`, an answer about the sibling), the domain itself again, and
  names that nobody configured (`unknown_host`);
- by the first protocol, one connection for each other server name, or none at all: Host = d (`no_sni`, `other_sni`).

Clients share a connection between names over HTTP/2 and HTTP/3 only, so siblings are asked for over those. Some do
where two names have any address in common, even connected to one that the other name lacks (`address-sets-overlap`; see
`exposure`); so both are asked for there. Some do where the server has claimed the name in an ORIGIN frame, wherever it
lives (`origin-frame-too-wide`); so it is asked for there in the next round. Where neither protocol is configured,
siblings are asked for over HTTP/1.1 and at their own addresses, as proxies with a pool of connections do.

A group of n names so costs each round one handshake a name for all its ordered pairs as `coalesced`. Where there are
more siblings than `siblings_per_round`, rounds go through them by rotation, and through `other_sni` one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from exporter.model import Ask, Connection, Dial, Probe, Protocol, Request, Target

MULTIPLEXING = frozenset({Protocol.H2, Protocol.H3})
"""Protocols whose clients ask for one name on another's connection (RFC 9113, section 9.1.1; RFC 9114, section 3.3)."""

MOST_SIBLING_SNIS = 1
"""Siblings' names sent as SNI per round: each costs a handshake, and a shared connection tells nearly as much."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Sibling:
    """A sibling of the target of a plan, and where it lives.

    Attributes:
        claimed_at: the target's addresses whose server has claimed to serve the sibling too (RFC 8336).
    """

    target: Target
    addresses: frozenset[str]
    claimed_at: frozenset[str] = frozenset()


def plan(target: Target, addresses: Sequence[str], siblings: Mapping[str, Sibling], turn: int = 0) -> tuple[Dial, ...]:
    """The dials of the target's round number `turn`; each probe is in exactly one of them.

    They begin with another one each time: where servers behind one address take turns, a fixed order would show the
    same server to the same probe for ever.

    `siblings` holds what is known of those of `turn` (see `siblings_in_turn`); who is missing there is not asked for.
    """
    present = rotated(addresses, target.max_addresses or len(addresses), turn)
    hosts = siblings_in_turn(target, len(addresses), turn)
    lodgers = [siblings[name] for name in hosts if name in siblings]
    snis = [*target.snis, *snis_in_turn(target, len(addresses), turn)]
    dials = [
        dial
        for address in present
        for protocol in target.protocols
        for dial in _dials(target, address, protocol, _neighbours(protocol, address, addresses, lodgers), snis)
    ]
    first = turn % max(1, len(dials))
    return (*dials[first:], *dials[:first])


def held(target: Target, addresses: Sequence[str]) -> tuple[Dial, ...]:
    """What is asked on the connections that are kept: the target itself, at each address, as clients that stay do."""
    if not target.hold:
        return ()
    protocol = next((one for one in target.protocols if one in MULTIPLEXING), target.protocols[0])
    probes = (
        Probe(target.domain, target.domain, target.domain, address, protocol, Connection.HELD) for address in addresses
    )
    return tuple(_dial(target, probe, [Ask(probe, request_for(target, target.domain))]) for probe in probes)


ALTERNATIVES_EVERY = 10
"""Advertised alternatives are probed in every so many rounds: clients keep them for a day, and QUIC costs more CPU."""

MOST_ALTERNATIVES = 4
"""Of one target, and addresses of each: whom we ask must not be for the probed server to decide."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """An alternative service (RFC 7838) of a target that answers over HTTP/3, as advertised, and where it lives."""

    host: str
    port: int
    addresses: tuple[str, ...]


def is_turn_of_alternatives(target: Target, turn: int) -> bool:
    """Whether round number `turn` probes what is advertised; targets take turns, so that no round is heavy for all."""
    return (turn + sum(target.domain.encode())) % ALTERNATIVES_EVERY == 0


def alternatives(target: Target, found: Sequence[Alternative]) -> tuple[Dial, ...]:
    """One connection to each address of each alternative: SNI and Host are the target, as its clients have it."""
    return tuple(
        _to_alternative(target, alternative, address)
        for alternative in found[:MOST_ALTERNATIVES]
        for address in alternative.addresses[:MOST_ALTERNATIVES]
    )


def _to_alternative(target: Target, alternative: Alternative, address: str) -> Dial:
    probe = Probe(target.domain, target.domain, target.domain, address, Protocol.H3, port=alternative.port)
    request = request_for(target, target.domain)
    used = ("Alt-Used", _authority(alternative.host, alternative.port))  # RFC 7838, section 5
    ask = Ask(probe, replace(request, headers=(*request.headers, used)))
    return replace(_dial(target, probe, [ask]), port=alternative.port, verify=True)  # no secrets for who is not trusted


def siblings_in_turn(target: Target, addresses: int, turn: int) -> tuple[str, ...]:
    """The siblings whose Host round number `turn` asks for on the target's connections, without the target itself.

    They move on when all of so many addresses had their turn, so that in time every sibling meets every address.
    """
    if not target.sibling_hosts:
        return ()
    return rotated(_siblings(target), target.siblings_per_round, turn // _turns(addresses, target.max_addresses))


def snis_in_turn(target: Target, addresses: int, turn: int) -> tuple[str, ...]:
    """The siblings whose name round number `turn` sends as SNI for the target; they move on likewise."""
    if not target.sibling_snis:
        return ()
    return rotated(_siblings(target), _snis_per_round(target), turn // _turns(addresses, target.max_addresses))


def rounds_to_cover(target: Target, addresses: int) -> int:
    """After so many rounds every sibling was asked in both directions, at each of so many addresses."""
    siblings = len(_siblings(target))
    hosts = _turns(siblings, target.siblings_per_round) if target.sibling_hosts else 1
    snis = _turns(siblings, _snis_per_round(target)) if target.sibling_snis else 1
    return max(hosts, snis) * _turns(addresses, target.max_addresses)


def _snis_per_round(target: Target) -> int:
    return min(MOST_SIBLING_SNIS, target.siblings_per_round)


def _siblings(target: Target) -> tuple[str, ...]:
    return tuple(name for name in target.siblings if name != target.domain)


def _turns(items: int, size: int | None) -> int:
    return max(1, ceil(items / (size or max(items, 1))))


def rotated(items: Sequence[_Item], size: int, turn: int) -> tuple[_Item, ...]:
    """A window of at most `size` items that moves on with each turn, so that all come up in ceil(n / size) turns.

    >>> rotated("abcde", 2, 0), rotated("abcde", 2, 2)
    (('a', 'b'), ('e', 'a'))
    """
    if len(items) <= size:
        return tuple(items)
    start = turn % ceil(len(items) / size) * size
    return tuple(items[(start + offset) % len(items)] for offset in range(size))


def unanswered(target: Target, turn: int = 0) -> tuple[Probe, ...]:
    """The cells of a round whose domain has no address: what is known about them is that nothing can be asked."""
    names = (*target.snis, *snis_in_turn(target, 1, turn))
    return tuple(
        Probe(target.domain, sni, target.domain, address=None, protocol=protocol)
        for protocol in target.protocols
        for sni in dict.fromkeys(names)
    )


def shared_by_clients(target: Target) -> frozenset[Protocol]:
    """The protocols over which siblings are asked for on the target's connection."""
    return frozenset(target.protocols) & MULTIPLEXING or frozenset(target.protocols)


def _neighbours(
    protocol: Protocol, address: str, addresses: Sequence[str], siblings: Sequence[Sibling]
) -> tuple[Sibling, ...]:
    """Those for whom some client takes our connection at `address` for theirs: an address in common, or a claim."""
    is_shared = protocol in MULTIPLEXING
    common = frozenset(addresses) if is_shared else frozenset((address,))
    return tuple(
        sibling
        for sibling in siblings
        if not common.isdisjoint(sibling.addresses) or (is_shared and address in sibling.claimed_at)
    )


def _dials(
    target: Target, address: str, protocol: Protocol, siblings: Sequence[Sibling], snis: Sequence[str | None]
) -> Iterator[Dial]:
    own = Probe(target.domain, target.domain, target.domain, address, protocol)
    asks = [Ask(own, request_for(target, target.domain))]
    if protocol in shared_by_clients(target):
        asks += _coalesced(own, target, siblings)
    asks += _unknown(own, target, {ask.probe.host for ask in asks})
    yield _dial(target, own, asks)
    if protocol != target.protocols[0]:
        return
    for sni in dict.fromkeys(snis):
        if sni != target.domain:
            probe = Probe(target.domain, sni, target.domain, address, protocol)
            yield _dial(target, probe, [Ask(probe, request_for(target, target.domain))])


def _dial(target: Target, opener: Probe, asks: Sequence[Ask]) -> Dial:
    assert opener.address is not None  # noqa: S101  # cells without an address are not dialled, see `unanswered`
    return Dial(
        address=opener.address,
        port=target.port,
        sni=opener.sni,
        protocol=opener.protocol,
        timeout_seconds=target.timeout_seconds,
        asks=tuple(asks),
        ca_file=target.ca_file,
        client_certificate=target.client_certificate,
        client_key=target.client_key,
        verify=target.verify,
    )


def _coalesced(own: Probe, target: Target, siblings: Sequence[Sibling]) -> Iterator[Ask]:
    """Siblings for which a client could take the connection to be theirs: neighbours with the same port and protocol.

    At last the domain itself once more: a server may have changed its mind about whom the connection is for.
    """
    names = 0
    for sibling in siblings:
        if sibling.target.port == target.port and own.protocol in sibling.target.protocols:
            names += 1
            yield _on_the_connection_of(own, sibling.target)
    if names:
        yield _on_the_connection_of(own, target)


def _on_the_connection_of(own: Probe, asked: Target) -> Ask:
    probe = Probe(asked.domain, own.sni, asked.domain, own.address, own.protocol, Connection.REUSED)
    return Ask(probe, request_for(asked, asked.domain), needs_cover=asked.domain != own.domain)


def _unknown(own: Probe, target: Target, asked: set[str]) -> Iterator[Ask]:
    for host in target.hosts:
        if host not in asked:
            probe = Probe(own.domain, own.sni, host, own.address, own.protocol, Connection.REUSED)
            yield Ask(probe, request_for(target, host))


def request_for(target: Target, host: str) -> Request:
    """The target's request under the authority of `host`. Secrets go to the target's own name only."""
    request = Request(
        method=target.method,
        authority=_authority(host, target.port),
        path=target.path,
        headers=(("User-Agent", target.user_agent), ("Accept", "*/*"), *target.headers),
    )
    return request if host == target.domain else request.without_secrets()


def _authority(host: str, port: int) -> str:
    """RFC 9110, section 4.2.3: without the port where it is the default; an IPv6 address stands in brackets."""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port == 443 else f"{bracketed}:{port}"
