"""Answers held against each other: a sibling's on this connection against its own, so that misrouting is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exporter.expectation import Comparison, judge
from exporter.exposure import exposures
from exporter.latest import Latest
from exporter.matrix import Sibling, shared_by_clients
from exporter.model import Combination, Exposure, Observation, Probe, Protocol, Target, Verdict
from exporter.pages import page_of

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
    """Which browsers would ask for the siblings on the connections opened for the target, at any of its addresses."""
    openers = [seen for seen in observations if seen.probe.combination is Combination.MATCHED]
    found = (
        exposure
        for opener in openers
        for name, sibling in siblings.items()
        if sibling.target.port == target.port
        for exposure in exposures(opener, addresses, target.port, name, sibling.addresses)
    )
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

    def verdict(seen: Observation) -> Verdict:
        about = targets.get(seen.probe.domain, target)
        if seen.probe.combination is not Combination.COALESCED:
            return judge(about, seen, Comparison())
        fresh = own.get(_place(seen.probe)) or latest.fresh(*_place(seen.probe))
        clients = frozenset(exposure.client for exposure in exposed if exposure.domain == seen.probe.domain)
        page = fresh.page if fresh is not None else None
        return judge(about, seen, Comparison(page, clients if seen.probe.domain != target.domain else _ALL))

    return tuple(verdict(seen) for seen in observations)


_ALL = Comparison().clients
"""A browser always asks for the opener's own name again."""


def _place(probe: Probe) -> tuple[str, str | None, Protocol]:
    """What two answers must have in common to be compared: the name, the address and the protocol."""
    return probe.domain, probe.address, probe.protocol
