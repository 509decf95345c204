"""What the web room may see and ask of the rest of the house."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Target


@dataclass(frozen=True, slots=True)
class House:
    """The parts that handlers read, and the one thing that they may start.

    Attributes:
        config_targets: all targets of the configuration in force.
        ready: whether the first rounds are scheduled.
        reload: loads the configuration anew and returns the complaints; empty: the new one is in force.
        now: Unix time in seconds.
        external_url: under which browsers reach us; empty: as they asked.
    """

    latest: Latest
    metrics: Metrics
    health: Health
    config_targets: Callable[[], tuple[Target, ...]]
    ready: Callable[[], bool]
    reload: Callable[[], Awaitable[tuple[str, ...]]]
    now: Callable[[], float]
    external_url: str = ""


HOUSE = web.AppKey("house", House)
