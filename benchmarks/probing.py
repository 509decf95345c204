"""Real rounds on a real server, in this process: what `benchmarks.worker` measures of probing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.figures import Cost, cpu_seconds
from benchmarks.load import CONCURRENCY
from benchmarks.processes import HOST
from benchmarks.servers import DOMAIN, Server
from exporter import matrix, rounds
from exporter.exposition import Format
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Protocol, Round, Target
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver

UNKNOWN_HOST = "nobody-configured-this.invalid"
GROUP_SIZE = 20


def matched_targets(server: Server, number: int, protocol: Protocol) -> tuple[Target, ...]:
    """Each is asked for itself on a connection of its own, nothing else."""
    return tuple(
        replace(_target(server, f"d{index}.{DOMAIN}"), protocols=(protocol,), sibling_snis=False, sibling_hosts=False)
        for index in range(number)
    )


def pair_targets(server: Server) -> tuple[Target, ...]:
    """Siblings that are asked for on each other's HTTP/2 connections, all ordered pairs in a round."""
    return tuple(
        replace(target, protocols=(Protocol.H2,), snis=(target.domain,), sibling_snis=False)
        for target in group_targets(server, GROUP_SIZE)
    )


def group_targets(server: Server, siblings_per_round: int) -> tuple[Target, ...]:
    """Siblings on one certificate and address, with the default protocols, SNIs and hosts."""
    names = tuple(f"d{index}.{DOMAIN}" for index in range(GROUP_SIZE))
    return tuple(
        replace(
            _target(server, name),
            siblings=names,
            snis=(name, None),
            hosts=(UNKNOWN_HOST,),
            siblings_per_round=siblings_per_round,
        )
        for name in names
    )


def sweep_targets(server: Server) -> tuple[Target, ...]:
    """The same, with every sibling as SNI and as Host in each round: the plan itself spreads the SNIs over rounds."""
    targets = group_targets(server, GROUP_SIZE)
    names = tuple(target.domain for target in targets)
    return tuple(replace(target, snis=(*target.snis, *names)) for target in targets)


def connections_and_cells(targets: tuple[Target, ...]) -> tuple[int, int]:
    """Of one round of all targets."""
    siblings = {target.domain: matrix.Sibling(target, frozenset(target.resolve)) for target in targets}
    dials = [dial for target in targets for dial in matrix.plan(target, target.resolve, siblings)]
    return len(dials), sum(len(dial.asks) for dial in dials)


def _target(server: Server, domain: str) -> Target:
    return Target(
        domain=domain,
        group="bench",
        port=server.port,
        snis=(domain,),
        resolve=(HOST,),
        ca_file=server.ca_file,
    )


class Prober:
    """The daemon's round without its schedule: run, keep, record."""

    def __init__(self, targets: tuple[Target, ...]) -> None:
        health, judge = Health(), Judge()
        self._targets, self._turn = targets, 0
        self._latest, self._metrics = Latest(), Metrics(health)
        self._investigator = rounds.Investigator()
        self._instruments = rounds.Instruments(
            targets={target.domain: target for target in targets},
            latest=self._latest,
            resolver=Resolver(),
            judge=judge,
            held=Held(judge),
            gate=Gate(overall=CONCURRENCY, per_address=CONCURRENCY, counter=health),
        )

    async def sweep(self) -> Cost:
        """Of one more round of each target."""
        before = cpu_seconds()
        cells = await self._sweep(self._turn)
        self._turn += 1
        return Cost(cpu_seconds() - before, cells)

    async def _sweep(self, turn: int) -> int:
        """One round of each target, and what they showed is written once as for a scrape; how many cells that were."""
        waiting = iter(self._targets)
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._run_in_turn(waiting, turn)) for _ in range(CONCURRENCY)]
        for _ in self._metrics.chunks(Format.TEXT):
            pass
        return sum(worker.result() for worker in workers)

    async def _run_in_turn(self, waiting: Iterator[Target], turn: int) -> int:
        cells = 0
        for target in waiting:
            done = await rounds.run(target, turn, self._instruments, self._investigator)
            _check(done)
            self._latest.put(done)
            self._metrics.record(done)
            cells += len(done.observations)
        return cells


def _check(done: Round) -> None:
    """What did not go as it should must not be measured."""
    for observation, verdict in zip(done.observations, done.verdicts, strict=True):
        if not verdict.expected or observation.response is None:
            raise RuntimeError(f"{observation.probe}: {verdict.reason}; {observation.failure}")


def handshakes(server: Server, number: int) -> Cost:
    """TCP and TLS alone on blocking sockets, one after the other: the floor under every probe made by Python's ssl."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before = cpu_seconds()
    for _ in range(number):
        with socket.socket() as connection:
            connection.connect((HOST, server.port))
            context.wrap_socket(connection, server_hostname=f"d0.{DOMAIN}").close()
    return Cost(cpu_seconds() - before, number)
