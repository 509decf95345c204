"""One sweep of one target: resolve, plan, run, judge; and the experiments that a diagnosis asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from exporter import alternatives, comparison, experiments, extras, matrix, svcb
from exporter.experiments import Subject
from exporter.exposure import origin_of, origins_by_address
from exporter.gate import Gate
from exporter.latest import Latest
from exporter.model import Combination, Dial, Experiment, Observation, Phase, Protocol, Round, Target, Trial, Variation
from exporter.pages import page_of
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Answer, Resolver, in_order
from exporter.probing.run import run as run_dial


@dataclass(frozen=True, slots=True)
class Instruments:
    """What rounds share with each other.

    Attributes:
        targets: all configured targets by domain; siblings are looked up here.
        latest: the last rounds; a sibling's own answer, to compare with, is looked up here.
    """

    targets: Mapping[str, Target]
    latest: Latest
    resolver: Resolver
    judge: Judge
    gate: Gate
    held: Held


async def sweep(target: Target, turn: int, instruments: Instruments) -> Round:
    """What the target shows, without findings. Never raises but for cancellation, or for a fault of ours."""
    started_at, started = time.time(), time.perf_counter()
    answer = await _addresses(target, instruments)
    siblings: Mapping[str, matrix.Sibling] = {}
    if answer.failure is None:
        siblings = await _siblings(target, len(answer.addresses), turn, instruments)
        asked = await _run_all(matrix.plan(target, answer.addresses, siblings, turn), instruments)
        if matrix.is_turn_of_alternatives(target, turn):
            asked += await ask_alternatives(target, answer.addresses, instruments)
        kept = await _ask_held(matrix.held(target, answer.addresses), instruments)
        observations = _with_resolve(answer, (*asked, *kept))
        observations = comparison.with_pages(target, observations)
    else:
        observations = _unresolved(target, turn, answer, started_at)
    exposures = comparison.exposures_of(target, answer.addresses, siblings, observations)
    return Round(
        target=target,
        started_at=started_at,
        duration_seconds=time.perf_counter() - started,
        addresses=answer.addresses,
        observations=observations,
        verdicts=comparison.verdicts(target, observations, exposures, instruments.targets, instruments.latest),
        exposures=exposures,
    )


def judged(swept: Round, instruments: Instruments) -> Round:
    """The round with its verdicts made anew, now that more of its siblings' answers are known."""
    seen = swept.observations
    verdicts = comparison.verdicts(swept.target, seen, swept.exposures, instruments.targets, instruments.latest)
    return replace(swept, verdicts=verdicts)


async def experiment(which: Experiment, subject: Subject, instruments: Instruments) -> Trial:
    """Make an experiment, one connection after the other. Never raises but for cancellation."""
    answers: list[tuple[Variation, Observation]] = []
    for step in experiments.plan(which, subject):
        seen = [_telling(one) for one in await _run_one(step.dial, instruments)]
        answers += zip(step.variations, seen, strict=True)
    neighbour = subject.neighbour.domain if subject.neighbour is not None else ""
    path = subject.path or ""
    return Trial(which, subject.target.domain, subject.address, subject.protocol, neighbour, path, tuple(answers))


def _telling(seen: Observation) -> Observation:
    """With its page made out, and only the part of the body that tells who wrote it: trials are kept for a while."""
    response = seen.response
    if response is None:
        return seen
    return replace(seen, page=page_of(response), response=replace(response, body=response.body[:_TELLING_BYTES]))


_TELLING_BYTES = 4096


async def _addresses(target: Target, instruments: Instruments) -> Answer:
    if target.resolve:
        return Answer(_configured(target.resolve), None, 0.0, 0.0)
    return await instruments.resolver.resolve(target.domain, target.ip_family, target.timeout_seconds)


@lru_cache(maxsize=10_000)
def _configured(resolve: tuple[str, ...]) -> tuple[str, ...]:
    return in_order(set(resolve))


async def _siblings(
    target: Target, addresses: int, turn: int, instruments: Instruments
) -> Mapping[str, matrix.Sibling]:
    """Where the siblings live that are in turn; who does not resolve lives nowhere. Claims are the last round's."""
    known = [instruments.targets.get(name) for name in matrix.siblings_in_turn(target, addresses, turn)]
    present = [sibling for sibling in known if sibling is not None]
    homes = await asyncio.gather(*(_home(sibling, instruments) for sibling in present))
    last = instruments.latest.get(target.domain)
    claims = origins_by_address(last) if last is not None else {}
    return {
        sibling.domain: matrix.Sibling(sibling, frozenset(addresses), _claimed_at(sibling, claims))
        for sibling, addresses in zip(present, homes, strict=True)
    }


def _claimed_at(sibling: Target, claims: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(address for address, origins in claims.items() if origin_of(sibling) in origins)


async def _home(sibling: Target, instruments: Instruments) -> tuple[str, ...]:
    if sibling.resolve:
        return _configured(sibling.resolve)
    answer = await instruments.resolver.recall(
        sibling.domain, sibling.ip_family, sibling.timeout_seconds, max_age_seconds=2 * sibling.interval_seconds
    )
    return answer.addresses


async def ask_alternatives(
    target: Target, addresses: tuple[str, ...], instruments: Instruments
) -> tuple[Observation, ...]:
    """What answers where HTTP/3 is advertised for the target. Never raises but for cancellation."""
    if not extras.can_speak(Protocol.H3):
        return ()
    places = (await _advertised(target, instruments))[: matrix.MOST_ALTERNATIVES]
    homes = await asyncio.gather(*(_home_of_alternative(host, target, addresses, instruments) for host, _ in places))
    probed_anyway = addresses if Protocol.H3 in target.protocols else ()
    found = tuple(
        matrix.Alternative(host, port, tuple(one for one in home if port != target.port or one not in probed_anyway))
        for (host, port), home in zip(places, homes, strict=True)
    )
    return await _run_all(matrix.alternatives(target, found), instruments)


async def _advertised(target: Target, instruments: Instruments) -> tuple[tuple[str, int], ...]:
    """By the last round's answers, and by the domain's HTTPS records unless DNS is not to be asked for it."""
    last = instruments.latest.get(target.domain)
    by_answers = alternatives.advertised(last) if last is not None else ()
    if target.resolve:
        return by_answers
    name = svcb.name_to_ask(target.domain, target.port)
    bindings = await instruments.resolver.bindings(name, target.timeout_seconds)
    return tuple(dict.fromkeys((*by_answers, *svcb.places(bindings, target.domain, target.port))))


async def _home_of_alternative(
    host: str, target: Target, addresses: tuple[str, ...], instruments: Instruments
) -> tuple[str, ...]:
    if host == target.domain:
        return addresses
    found = in_order({host})
    if not found:
        answer = await instruments.resolver.recall(
            host, target.ip_family, target.timeout_seconds, max_age_seconds=2 * target.interval_seconds
        )
        found = answer.addresses
    return alternatives.permitted(found, addresses)


async def _run_all(dials: tuple[Dial, ...], instruments: Instruments) -> tuple[Observation, ...]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run_one(dial, instruments)) for dial in dials]
    return tuple(observation for task in tasks for observation in task.result())


async def _ask_held(dials: tuple[Dial, ...], instruments: Instruments) -> list[Observation]:
    observations = []
    for dial in dials:
        async with instruments.gate.passage(dial.address):
            observations.append(await instruments.held.ask(dial))
    return observations


async def _run_one(dial: Dial, instruments: Instruments) -> tuple[Observation, ...]:
    async with instruments.gate.passage(dial.address):
        return await run_dial(dial, instruments.judge)


def _with_resolve(answer: Answer, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Matched probes also carry how long the name took to resolve: a client would have waited for it."""
    if not answer.seconds:
        return observations
    return tuple(
        replace(o, seconds={Phase.RESOLVE: answer.seconds, **o.seconds})
        if o.probe.combination is Combination.MATCHED
        else o
        for o in observations
    )


def _unresolved(target: Target, turn: int, answer: Answer, at: float) -> tuple[Observation, ...]:
    seconds = {Phase.RESOLVE: answer.seconds}
    return tuple(
        Observation(probe=probe, started_at=at, seconds=seconds, failure=answer.failure)
        for probe in matrix.unanswered(target, turn)
    )
