"""A round with what it needs to know why: experiments on real sockets, few, and not again too soon."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from exporter.diagnosis.wishes import MOST_PROBES
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.model import Experiment, Protocol, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.rounds import Instruments, Investigator, run
from exporter.sweep import sweep
from tests.factories import NOON, finding, round_
from tests.origin import CLOSE, answer, host_of, origin

A, B = "a.test", "b.test"
TEN_MINUTES = 600.0


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def instruments(*targets):
    resolver = Resolver(["127.0.0.1:1"])
    judge = Judge()
    held = Held(judge)
    try:
        known = {one.domain: one for one in targets}
        yield Instruments(known, Latest(), resolver, judge, Gate(64, 8, Health()), held)
    finally:
        held.keep(())
        await resolver.close()


def target(domain, port, ca_file, **settings) -> Target:
    defaults = {
        "group": "g",
        "siblings": (A, B),
        "timeout_seconds": 2.0,
        "port": port,
        "snis": (domain,),
        "resolve": ("127.0.0.1",),
        "ca_file": str(ca_file),
        "protocols": (Protocol.HTTP11,),
    }
    return Target(domain, **(defaults | settings))


def saying(statuses):
    """Answers by Host; who is not in the table gets 200. Errors end the connection: nobody waits for its end."""

    def respond(head):
        status = statuses.get(host_of(head), 200)
        return answer(status, body=b"<title>the shop's own words</title>") + (CLOSE if status >= 400 else b"")

    return respond


def experiments(done):
    return [trial.experiment for trial in done.trials]


def probes(done):
    return sum(len(trial.answers) for trial in done.trials)


@pytest.mark.parametrize("status", [404, 421, 502])
async def test_a_bad_round_is_followed_by_few_experiments_and_a_cause(leaf, ca_file, status):
    async with origin({None: leaf}, saying({A: status})) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            done = await run(own, 0, shared, Investigator())

    assert Experiment.OTHER_PATH in experiments(done)
    assert 0 < probes(done) <= MOST_PROBES
    assert (done.findings[0].code, done.up) == (status, False)
    assert len(server.requests) == len([o for o in done.observations if o.failure is None]) + probes(done)


async def test_a_healthy_round_costs_nothing_more(leaf, ca_file):
    async with origin({None: leaf}, saying({})) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            done = await run(own, 0, shared, Investigator())

    assert (done.trials, done.findings) == ((), ())
    assert len(server.requests) == len(done.observations)


async def test_the_same_symptoms_are_judged_by_the_experiments_that_were_made(leaf, ca_file):
    clock, statuses = Clock(), {A: 404}
    async with origin({None: leaf}, saying(statuses)) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            investigator = Investigator(now=clock)
            first = await run(own, 0, shared, investigator)
            clock.seconds += TEN_MINUTES - 1
            before = len(server.requests)
            second = await run(own, 1, shared, investigator)
            asked = len(server.requests) - before

    assert second.trials == first.trials
    assert second.findings[0].cause == first.findings[0].cause
    assert asked == len(second.observations)


@pytest.mark.parametrize(("seconds", "status"), [(TEN_MINUTES, 404), (60.0, 421)])
async def test_after_ten_minutes_or_with_other_symptoms_they_are_made_anew(leaf, ca_file, seconds, status):
    clock, statuses = Clock(), {A: 404}
    async with origin({None: leaf}, saying(statuses)) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            investigator = Investigator(now=clock)
            first = await run(own, 0, shared, investigator)
            clock.seconds += seconds
            statuses[A] = status
            second = await run(own, 1, shared, investigator)

    assert second.trials
    assert second.trials != first.trials
    assert second.findings[0].code == status


@pytest.mark.parametrize(("seconds", "looked_at_again"), [(60, True), (10, False)])
async def test_a_relapse_is_looked_at_again_unless_it_comes_a_moment_later(leaf, ca_file, seconds, looked_at_again):
    clock, statuses = Clock(), {A: 404}
    async with origin({None: leaf}, saying(statuses)) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            investigator, rounds = Investigator(now=clock), []
            for status in (404, 200, 404):
                statuses[A] = status
                clock.seconds += seconds
                rounds.append(await run(own, 0, shared, investigator))

    first, well, again = rounds
    assert first.trials
    assert (well.trials, well.findings) == ((), ())
    assert (again.trials != first.trials) is looked_at_again


async def test_names_of_one_group_are_experimented_on_one_after_the_other(leaf, ca_file):
    """Such names often share a server. The second is looked at in a later round, some seconds after the first."""
    clock = Clock()
    async with origin({None: leaf}, saying({A: 404, B: 404, "c.test": 404})) as server:
        own, sibling = target(A, server.port, ca_file), target(B, server.port, ca_file)
        stranger = target("c.test", server.port, ca_file, group="h", siblings=("c.test",), verify=False)
        async with instruments(own, sibling, stranger) as shared:
            investigator = Investigator(now=clock)
            at_once = await asyncio.gather(*(run(one, 0, shared, investigator) for one in (own, sibling, stranger)))
            clock.seconds += 5
            later = await run(sibling, 1, shared, investigator)

    assert [bool(one.trials) for one in at_once] == [True, False, True]
    assert later.trials
    assert at_once[1].findings, "what the round alone shows is told at once"


async def test_who_asks_once_has_all_names_looked_at(leaf, ca_file):
    async with origin({None: leaf}, saying({A: 404, B: 404})) as server:
        targets = [target(name, server.port, ca_file) for name in (A, B)]
        async with instruments(*targets) as shared:
            investigator = Investigator(is_thorough=True, now=Clock())
            done = await asyncio.gather(*(run(one, 0, shared, investigator) for one in targets))

    assert all(one.trials for one in done)


async def test_a_target_that_says_429_is_not_asked_for_more(leaf, ca_file):
    async with origin({None: leaf}, saying({A: 429})) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            done = await run(own, 0, shared, Investigator())

    assert done.trials == ()
    assert done.findings[0].cause == "rate-limited"


async def test_domains_that_fail_alike_are_named_in_one_finding(leaf, ca_file):
    async with origin({None: leaf}, saying({A: 502, B: 502})) as server:
        own = target(A, server.port, ca_file)
        sibling = target(B, server.port, ca_file)
        async with instruments(own, sibling) as shared:
            investigator = Investigator()
            shared.latest.put(await run(sibling, 0, shared, investigator))
            done = await run(own, 0, shared, investigator)

    assert done.findings[0].domains == (A, B)


async def test_a_fault_of_ours_in_the_diagnosis_loses_no_round(leaf, ca_file, caplog):
    async with origin({None: leaf}, saying({A: 404})) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            swept = await sweep(own, 0, shared)
            without_verdicts = replace(swept, verdicts=())  # which no sweep gives
            with caplog.at_level(logging.ERROR):
                done = await Investigator().investigate(swept, shared, [without_verdicts])

    assert done.observations == swept.observations
    assert [(one.cause, one.code) for one in done.findings] == [("unknown", 404)]
    assert "the diagnosis of a.test broke; this is a fault of the exporter" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_group_is_free_again_after_such_a_fault(leaf, ca_file):
    clock = Clock()
    async with origin({None: leaf}, saying({A: 404})) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            investigator, swept = Investigator(now=clock), await sweep(own, 0, shared)
            no_resolver_nor_gate = replace(shared, gate=None)
            broken = await investigator.investigate(swept, no_resolver_nor_gate)
            clock.seconds += 5
            well = await investigator.investigate(swept, shared)

    assert (broken.trials, broken.findings[0].cause) == ((), "unknown")
    assert well.trials


async def test_a_diagnosis_that_is_cancelled_is_cancelled(leaf, ca_file):
    """As where the exporter stops while an experiment waits for a server."""
    asked = asyncio.Event()

    def hanging(head):
        if host_of(head) == A and len(server.requests) > 2:
            asked.set()
            return None
        return answer(404)

    async with origin({None: leaf}, hanging) as server:
        own = target(A, server.port, ca_file)
        async with instruments(own) as shared:
            task = asyncio.create_task(run(own, 0, shared, Investigator()))
            async with asyncio.timeout(10):
                await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_where_the_own_network_is_down_all_are_told_so_with_one_look(ca_file):
    """Three names that no name server answers for: it is us."""
    names = ("a.test", "b.test", "c.test")
    targets = [target(name, 8443, ca_file, resolve=(), siblings=names, timeout_seconds=0.5) for name in names]
    clock = Clock()
    async with instruments(*targets) as shared:
        investigator = Investigator(now=clock)
        for turn in range(2):
            clock.seconds += 60
            done = [await run(one, turn, shared, investigator) for one in targets]
            for one in done:
                shared.latest.put(one)

    assert {one.findings[0].cause for one in done} == {"vantage-offline"}


async def test_a_sibling_s_finding_is_not_taken_for_another_cause():
    """The sibling's remark or other fault stays its own."""
    own = target(A, 1, "ca.pem")
    sibling = round_(of=target(B, 1, "ca.pem"), findings=(finding("upstream-down", B),))
    async with instruments(own, sibling.target) as shared:
        shared.latest.put(sibling)
        done = await Investigator().investigate(round_(of=own, started_at=NOON), shared)

    assert done.findings == ()
