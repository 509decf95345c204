"""Experiments on real servers."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from exporter import experiments, rounds
from exporter.experiments import Subject
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.model import Experiment, Method, Protocol, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.probing.run import run as run_dial
from exporter.rounds import Instruments
from tests.origin import answer, host_of, origin
from tests.origin2 import answer as answer2
from tests.origin2 import origin2


@asynccontextmanager
async def instruments():
    resolver = Resolver(["127.0.0.1:1"])
    try:
        judge = Judge()
        yield Instruments({}, Latest(), resolver, judge, Gate(64, 8, Health()), Held(judge))
    finally:
        await resolver.close()


def subject(port, ca_file, protocol=Protocol.HTTP11) -> Subject:
    one, other = (
        Target(name, "g", port=port, ca_file=str(ca_file), timeout_seconds=2.0) for name in ("a.test", "b.test")
    )
    return Subject(one, "127.0.0.1", protocol, other)


async def run(which, on):
    async with instruments() as shared:
        trial = await rounds.experiment(which, on, shared)
    return [seen for _, seen in trial.answers]


@pytest.mark.parametrize(
    "which", [e for e in Experiment if e not in (Experiment.PLAIN_HTTP, Experiment.FOLLOWED, Experiment.FIELDS)]
)
async def test_every_experiment_runs_and_shows_one_observation_for_each_probe(leaf, ca_file, which):
    async with origin({None: leaf}, lambda _: answer()) as server:
        on = subject(server.port, ca_file)
        seen = await run(which, on)

    assert [o.probe for o in seen] == [ask.probe for step in experiments.plan(which, on) for ask in step.dial.asks]
    assert {o.response and o.response.status for o in seen if o.failure is None} == {200}


async def test_tls_1_2_only_is_that(leaf, ca_file):
    async with origin({None: leaf}, lambda _: answer()) as server:
        seen, _ = await run(Experiment.TLS12, subject(server.port, ca_file))

    assert (seen.tls.version, seen.response.status) == ("TLSv1.2", 200)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_resumed_handshake_is_seen_as_one(leaf, ca_file, version):
    def tune(context):
        context.maximum_version = version

    async with origin({None: leaf}, lambda _: answer(), tune=tune) as server:
        own, _ = await run(Experiment.RESUMED, subject(server.port, ca_file))
        full, _ = await run(Experiment.TLS12, subject(server.port, ca_file))

    assert (own.tls.resumed, own.response.status, full.tls.resumed) == (True, 200, False)
    assert (own.tls.faults, own.tls.covers("a.test")) == ((), True)


async def test_over_http_2_the_connection_is_asked_on_after_its_refusal(leaf, ca_file):
    def respond(connection, stream, host):
        answer2(connection, stream, 421 if host == "a.test" else 200)

    async with origin2(leaf, respond) as server:
        seen = await run(Experiment.SAME_CONNECTION, subject(server.port, ca_file, Protocol.H2))

    assert [o.response.status for o in seen] == [421, 421, 200, 421]
    assert {number for number, _ in server.hosts} == {0}


async def test_interleaved_names_come_in_order_each_on_its_own_connection(leaf, ca_file):
    async with origin({None: leaf}, lambda _: answer()) as server:
        await run(Experiment.INTERLEAVED, subject(server.port, ca_file))

    assert [host_of(head)[0] for _, head in server.requests] == list("aaabbbabaabb")
    assert len({number for number, _ in server.requests}) == 12


async def test_plain_http_is_asked_without_tls(ca_file):
    asked, closed = [], asyncio.Event()

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer(301, headers="Location: https://a.test/\r\n"))
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (step,) = experiments.plan(Experiment.PLAIN_HTTP, subject(8443, ca_file))
        (seen,) = await run_dial(replace(step.dial, port=port), Judge())
        await closed.wait()

    assert (seen.response.status, seen.tls) == (301, None)
    assert asked[0].startswith(f"{Method.GET} / HTTP/1.1\r\nHost: a.test\r\n")
