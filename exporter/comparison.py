"""Answers held against each other: a sibling's on this connection against its own, so that misrouting is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exporter.expectation import Comparison, judge
from exporter.exposure import Home, exposures
from exporter.latest import Latest
from exporter.matrix import Sibling, shared_by_clients
from exporter.model import Client, Combination, Exposure, Observation, Page, Probe, Protocol, Target, Verdict
from exporter.pages import differences, page_of

_COMPARED = frozenset({Combination.MATCHED, Combination.COALESCED, Combination.UNKNOWN_HOST})


def with_pages(target: Target, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """The observations with their pages made out, where siblings make them worth comparing."""
    if len(target.siblings) < 2:
        return observations
    protocols = shared_by_clients(target)
    return tuple(
        replace(seen, page=page_of(seen.response))
        if seen.response is not None and seen.probe.protocol in protocols and seen.probe.combination in _COMPARED
        else seen
        for seen in observations
    )


def exposures_of(
    target: Target,
    addresses: Sequence[str],
    siblings: Mapping[str, Sibling],
    observations: Sequence[Observation],
) -> tuple[Exposure, ...]:
    """Which browsers would ask for the siblings on the connections opened for the target, at each of its addresses."""
    openers = [seen for seen in observations if seen.probe.combination is Combination.MATCHED]
    owner = Home(target, frozenset(addresses))
    homes = [Home(sibling.target, sibling.addresses) for sibling in siblings.values()]
    found = (exposure for opener in openers for home in homes for exposure in exposures(opener, owner, home))
    return tuple(dict.fromkeys(found))


def verdicts(
    target: Target,
    observations: Sequence[Observation],
    exposed: Sequence[Exposure],
    targets: Mapping[str, Target],
    latest: Latest,
) -> tuple[Verdict, ...]:
    """One per observation, in order."""
    own = {_place(seen.probe): seen for seen in observations if seen.probe.combination is Combination.MATCHED}
    clients: dict[tuple[str, str | None], set[Client]] = {}
    for one in exposed:
        clients.setdefault((one.domain, one.address), set()).add(one.client)

    def verdict(seen: Observation) -> Verdict:
        about = targets.get(seen.probe.domain, target)
        if seen.probe.combination is not Combination.COALESCED:
            return judge(about, seen, Comparison())
        there = frozenset(clients.get((seen.probe.domain, seen.probe.address), ()))
        if seen.probe.domain == target.domain:
            there = frozenset(Client)  # a browser always asks for it again
        restless = latest.is_restless(seen.probe.domain)
        return judge(about, seen, Comparison(_fresh_page(seen, own, latest), there, restless))

    return tuple(verdict(seen) for seen in observations)


def _fresh_page(
    seen: Observation, own: Mapping[tuple[str, str | None, Protocol], Observation], latest: Latest
) -> Page | None:
    """The page that the name has on a connection of its own, at this address.

    Where it does not live there, or was not asked there: of its pages at other addresses, the one most alike.
    """
    place = _place(seen.probe)
    fresh = own.get(place) or latest.fresh(*place)
    if fresh is not None or seen.page is None:
        return fresh.page if fresh is not None else None
    page = seen.page
    elsewhere = latest.pages(seen.probe.domain, seen.probe.protocol)
    return min(elsewhere, key=lambda other: len(differences(other, page)), default=None)


def _place(probe: Probe) -> tuple[str, str | None, Protocol]:
    """What two answers must have in common to be compared: the name, the address and the protocol."""
    return probe.domain, probe.address, probe.protocol
