"""Whether a browser would ask for one name on a connection that it opened for another. Pure.

Both want HTTP/2 or HTTP/3, no certificate error, no client certificate *sent* (that the server asks for one does not
matter), and a certificate that covers the name. Then:

Chromium (`SpdySession::CanPool`): one of the name's addresses is the one connected to; ORIGIN is ignored. Seen with
Chromium 156 beside: a page's credentialed fetch from another site (another registrable domain) opens a connection of
its own, as requests of third parties carry another privacy mode.
Firefox (`nsHttpConnectionMgr`; seen with Firefox 153): likewise the address connected to; but it alone reads ORIGIN
frames (RFC 8336), which then decide instead of addresses, and its connections are partitioned by the site of the page,
so that what a page fetches from another site shares the page's connection. Where the user has set
`network.http.http2.aggressive_coalescing`, any address that both names have will do, connected to or not; older
versions did so always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporter.model import Client, Combination, Exposure, Observation, Protocol, Round, Target
from exporter.sites import is_same_site

_MULTIPLEXING = frozenset({Protocol.H2, Protocol.H3})


@dataclass(frozen=True, slots=True)
class Home:
    """A configured name, and all addresses where it lives."""

    target: Target
    addresses: frozenset[str]


def origin_of(target: Target) -> str:
    """As an ORIGIN frame names it (RFC 6454, section 6.2)."""
    return f"https://{target.domain}" if target.port == 443 else f"https://{target.domain}:{target.port}"


def origins_by_address(round_: Round) -> Mapping[str, frozenset[str]]:
    """What the ORIGIN frames of the connections that were opened for the round's target claimed, where any came."""
    claimed: dict[str, frozenset[str]] = {}
    for seen in round_.observations:
        address = seen.probe.address
        if seen.origins and address is not None and seen.probe.combination is Combination.MATCHED:
            claimed[address] = claimed.get(address, frozenset()) | frozenset(seen.origins)
    return claimed


def exposures(opener: Observation, owner: Home, other: Home) -> Iterator[Exposure]:
    """The browsers that would ask for `other` on the connection that the opener has to `owner`, at its address."""
    if opener.probe.address is None or not _is_shared_by_browsers(opener, owner, other):
        return
    for client, rule in _RULES.items():
        if rule(opener, owner, other):
            yield Exposure(other.target.domain, owner.target.domain, client, opener.probe.address)


def _is_shared_by_browsers(opener: Observation, owner: Home, other: Home) -> bool:
    tls = opener.tls
    return (
        opener.probe.protocol in _MULTIPLEXING
        and owner.target.port == other.target.port
        and opener.response is not None
        and tls is not None
        and not tls.faults
        and not (tls.client_certificate_requested and owner.target.client_certificate)
        and tls.covers(other.target.domain)
    )


def _chromium(opener: Observation, owner: Home, other: Home) -> bool:
    return opener.probe.address in other.addresses and is_same_site(owner.target.domain, other.target.domain)


def _firefox(opener: Observation, _owner: Home, other: Home) -> bool:
    if opener.origins is not None:
        return origin_of(other.target) in opener.origins
    return opener.probe.address in other.addresses


def _firefox_aggressive(opener: Observation, owner: Home, other: Home) -> bool:
    """Where this Firefox does what Firefox as it comes does not."""
    is_elsewhere = opener.origins is None and opener.probe.address not in other.addresses
    return is_elsewhere and not owner.addresses.isdisjoint(other.addresses)


_Rule = Callable[[Observation, Home, Home], bool]
_RULES: dict[Client, _Rule] = {
    Client.CHROMIUM: _chromium,
    Client.FIREFOX: _firefox,
    Client.FIREFOX_AGGRESSIVE: _firefox_aggressive,
}
