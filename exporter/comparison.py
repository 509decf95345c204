"""Answers held against each other: a sibling's on this connection against its own, so that misrouting is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exporter.expectation import Comparison, judge
from exporter.exposure import exposures
from exporter.latest import Latest
from exporter.matrix import Sibling, shared_by_clients
from exporter.model import Combination, Exposure, Observation, Probe, Response, Round, Target, Verdict
from exporter.pages import page_of

_COMPARED = frozenset({Combination.MATCHED, Combination.COALESCED})


def with_pages(target: Target, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """The observations with their pages made out, where siblings make them worth comparing."""
    if len(target.siblings) < 2:
        return observations
    protocols = shared_by_clients(target)
    return tuple(
        replace(seen, response=replace(seen.response, page=page_of(seen.response)))
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
    own = {seen.probe: seen.response for seen in observations if seen.probe.combination is Combination.MATCHED}

    def verdict(seen: Observation) -> Verdict:
        about = targets.get(seen.probe.domain, target)
        if seen.probe.combination is not Combination.COALESCED:
            return judge(about, seen, Comparison())
        fresh = _fresh(seen.probe, own, latest.get(seen.probe.domain))
        clients = frozenset(exposure.client for exposure in exposed if exposure.domain == seen.probe.domain)
        return judge(about, seen, Comparison(fresh, clients if seen.probe.domain != target.domain else _ALL))

    return tuple(verdict(seen) for seen in observations)


_ALL = Comparison().clients
"""A browser always asks for the opener's own name again."""


def _fresh(coalesced: Probe, own: Mapping[Probe, Response | None], last: Round | None) -> Response | None:
    """What the name answered on a connection of its own: in this round, or in the last one of its own target."""
    candidates = dict(own)
    if last is not None:
        candidates |= {seen.probe: seen.response for seen, _ in last.matched if seen.probe not in own}
    for probe, response in candidates.items():
        wanted = (coalesced.domain, coalesced.address, coalesced.protocol)
        if (probe.domain, probe.address, probe.protocol) == wanted:
            return response
    return None
