"""Rounds of made-up domains that fill `/metrics` with as many samples as are wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from random import Random

from benchmarks.processes import HOST
from benchmarks.servers import DOMAIN
from exporter import expectation, matrix
from exporter.chronicle import Chronicle
from exporter.exposition import Format
from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Ask, Certificate, Observation, Phase, Response, Round, Target, TlsSession
from exporter.store import Store
from exporter.web import Events, House
from exporter.web.scrape import document

SIBLINGS = 5  # of a group: every kind of cell is there, none drowns the others


def house_with(samples: int) -> House:
    """A house whose `/metrics` shows at least so many samples, by less than one group more."""
    house = empty_house(10 * samples)
    _record_group(house.metrics, 0)  # it also brings what all groups share, the histograms
    first = number_of_samples(house)
    _record_group(house.metrics, 1)
    second = number_of_samples(house)
    for group in range(2, 2 + ceil((samples - second) / (second - first))):
        _record_group(house.metrics, group)
    return house


def empty_house(max_series: int = 100_000, folder: Path | None = None) -> House:
    """All parts, and no domain; `folder` is the store's."""
    health, targets = Health(), dict[str, Target]()
    metrics, store, events = Metrics(health, max_series), Store(folder, health), Events()
    return House(
        latest=Latest(),
        metrics=metrics,
        health=health,
        store=store,
        chronicle=Chronicle(store, metrics.incidents, lambda: targets, time.time),
        events=events,
        targets=lambda: targets,
        ready=lambda: True,
        reload=_reload,
        complaints=tuple,
        check=_check,
        now=time.time,
        started_at=time.time(),
    )


def number_of_samples(house: House) -> int:
    lines = b"".join(document(house, Format.TEXT)).splitlines()
    return sum(not line.startswith(b"#") for line in lines)


async def _reload() -> tuple[str, ...]:
    return ()


async def _check(_domain: str) -> None:
    pass


def _record_group(metrics: Metrics, group: int) -> None:
    names = tuple(f"d{group * SIBLINGS + index}.{DOMAIN}" for index in range(SIBLINGS))
    targets = [_target(f"group-{group}", name, names) for name in names]
    siblings = {target.domain: matrix.Sibling(target, frozenset(target.resolve)) for target in targets}
    for target in targets:
        metrics.record(_round(target, siblings))


def _target(group: str, name: str, names: tuple[str, ...]) -> Target:
    hosts = ("unknown-host.invalid",)
    return Target(name, group, siblings=names, snis=(name, None), hosts=hosts, resolve=(HOST,))


def _round(target: Target, siblings: dict[str, matrix.Sibling]) -> Round:
    dials = matrix.plan(target, target.resolve, siblings)
    observations = tuple(_observation(ask) for dial in dials for ask in dial.asks)
    verdicts = tuple(expectation.judge(target, observation, expectation.Comparison()) for observation in observations)
    return Round(target, 1.7e9, _RANDOM.random(), target.resolve, observations, verdicts)


def _observation(ask: Ask) -> Observation:
    seconds = dict(_phases())
    return Observation(ask.probe, 1.7e9, seconds, tls=_SESSION, response=Response(200))


def _phases() -> Iterator[tuple[Phase, float]]:
    return ((phase, _RANDOM.random()) for phase in Phase if phase is not Phase.RESOLVE)


_RANDOM = Random(421)  # values as long as real ones, the same in each run
_LEAF = Certificate("", "CN=bench", "CN=bench", (f"*.{DOMAIN}",), 1, not_before=0.0, not_after=2e9)
_SESSION = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", (_LEAF,))
