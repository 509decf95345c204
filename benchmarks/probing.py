"""Real rounds on a real server, in this process: what `benchmarks.worker` measures of probing."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.load import CONCURRENCY
from benchmarks.processes import HOST
from benchmarks.servers import DOMAIN, Server
from exporter import rounds
from exporter.exposition import Format
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Round, Target
from exporter.probing.certificates import Judge
from exporter.probing.resolve import Resolver

UNKNOWN_HOST = "nobody-configured-this.invalid"
GROUP_SIZE = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time of this process for so many cells, handshakes or samples."""

    cpu_seconds: float
    number: int


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def matched_targets(server: Server, number: int) -> tuple[Target, ...]:
    """Each is asked for itself on a connection of its own, nothing else."""
    return tuple(
        replace(_target(server, f"d{index}.{DOMAIN}"), sibling_snis=False, sibling_hosts=False)
        for index in range(number)
    )


def group_targets(server: Server, siblings_per_round: int) -> tuple[Target, ...]:
    """Siblings on one certificate and address, with the default SNIs and hosts."""
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
        health = Health()
        self._targets = targets
        self._latest, self._metrics = Latest(), Metrics(health)
        self._instruments = rounds.Instruments(
            targets={target.domain: target for target in targets},
            resolver=Resolver(),
            judge=Judge(),
            gate=Gate(overall=CONCURRENCY, per_address=CONCURRENCY, counter=health),
        )

    async def cost_of(self, sweeps: int) -> Cost:
        """Of `sweeps` rounds of each target, after one that fills what is remembered between rounds."""
        await self._sweep(0)
        before = cpu_seconds()
        cells = [await self._sweep(turn) for turn in range(1, sweeps + 1)]
        cost = Cost(cpu_seconds() - before, sum(cells))
        await self._instruments.resolver.close()
        return cost

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
            done = await rounds.run(target, turn, self._instruments)
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
    context = ssl.create_default_context(cafile=server.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    before = cpu_seconds()
    for _ in range(number):
        with (
            socket.create_connection((HOST, server.port)) as connection,
            context.wrap_socket(connection, server_hostname=f"d0.{DOMAIN}"),
        ):
            pass
    return Cost(cpu_seconds() - before, number)
