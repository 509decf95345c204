"""Whether a browser would ask for one name on a connection that it opened for another. Pure.

Chromium (`SpdySession::CanPool`): HTTP/2 or HTTP/3, no certificate error, no client certificate sent,
the certificate covers the name, and one of the name's addresses is the one connected to. ORIGIN is ignored.
Firefox (`nsHttpConnectionMgr`): the same, but any address that both names have in common will do; and it alone reads
ORIGIN frames (RFC 8336), which then decide instead of addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from exporter.model import Client, Exposure, Observation, Protocol

_MULTIPLEXING = frozenset({Protocol.H2, Protocol.H3})


def exposures(
    opener: Observation, addresses: Collection[str], port: int, name: str, name_addresses: Collection[str]
) -> Iterator[Exposure]:
    """The browsers that would ask for `name` on the opener's connection.

    `addresses` are all those of the opener's domain, `name_addresses` those of `name`.
    """
    if not _is_shared_by_browsers(opener, name):
        return
    for client, rule in _RULES.items():
        if rule(opener, addresses, port, name, name_addresses):
            yield Exposure(domain=name, sibling=opener.probe.domain, client=client)


def _is_shared_by_browsers(opener: Observation, name: str) -> bool:
    tls = opener.tls
    return (
        opener.probe.protocol in _MULTIPLEXING
        and opener.response is not None
        and tls is not None
        and not tls.faults
        and not tls.client_certificate_requested
        and tls.covers(name)
    )


def _chromium(
    opener: Observation, _addresses: Collection[str], _port: int, _name: str, name_addresses: Collection[str]
) -> bool:
    return opener.probe.address in name_addresses


def _firefox(
    opener: Observation, addresses: Collection[str], port: int, name: str, name_addresses: Collection[str]
) -> bool:
    if opener.origins is not None:
        return (f"https://{name}" if port == 443 else f"https://{name}:{port}") in opener.origins
    return not set(addresses).isdisjoint(name_addresses)


_Rule = Callable[[Observation, Collection[str], int, str, Collection[str]], bool]
_RULES: dict[Client, _Rule] = {Client.CHROMIUM: _chromium, Client.FIREFOX: _firefox}
