"""Whether the prober's own network fails: where all that is probed fails alike before it is connected to. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from exporter.model import Observation, Phase, Round

_ENOUGH_DOMAINS = 3
"""Fewer may well be down together; a prober of one or two domains cannot tell."""

_NO_DNS = frozenset({"dns-unreachable", "timeout"})
_NO_ROUTE = frozenset({"no-route", "unreachable", "timeout"})


def outlook(rounds: Iterable[Round]) -> str:
    """How the network fails from here, in words; empty: something answers, or too little is probed to tell."""
    domains, addresses = 0, set()
    for round_ in rounds:
        if not is_cut_off(round_):
            return ""
        domains += 1
        addresses |= {seen.probe.address for seen, _ in round_.matched}
    if domains < _ENOUGH_DOMAINS:
        return ""
    if addresses == {None}:
        return f"no name server answers for any of {domains} domains"
    return f"none of {domains} domains can be connected to" if len(addresses) > 1 else ""


def is_cut_off(round_: Round) -> bool:
    """Whether all of the round's own probes ended before there was a connection, with none of them refused."""
    seen = [observation for observation, verdict in round_.matched if verdict.conclusive]
    return bool(seen) and all(_never_connected(one) for one in seen)


def _never_connected(seen: Observation) -> bool:
    failure = seen.failure
    if failure is None:
        return False
    kinds = {Phase.RESOLVE: _NO_DNS, Phase.CONNECT: _NO_ROUTE}.get(failure.phase, frozenset())
    return failure.kind in kinds
