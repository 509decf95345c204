"""What the web room may see and ask of the rest of the house."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from exporter.chronicle import Chronicle
from exporter.health import Health
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Target
from exporter.store import Store
from exporter.web.events import Events


@dataclass(frozen=True, slots=True)
class House:
    """The parts that handlers read, and what they may start.

    Attributes:
        events: what live pages are told.
        targets: of the configuration in force, by domain in configured order.
        ready: whether the first rounds are scheduled.
        reload: loads the configuration anew and returns the complaints; empty: the new one is in force.
        complaints: about the file that could not be loaded last; empty: what was loaded last is in force.
        check: runs a round of this domain now, or waits for the one that is running; ends when it is recorded.
        now: Unix time in seconds.
        started_at: when the exporter started, Unix time in seconds.
        external_url: under which browsers reach us; empty: as they asked.
    """

    latest: Latest
    metrics: Metrics
    health: Health
    store: Store
    chronicle: Chronicle
    events: Events
    targets: Callable[[], Mapping[str, Target]]
    ready: Callable[[], bool]
    reload: Callable[[], Awaitable[tuple[str, ...]]]
    complaints: Callable[[], tuple[str, ...]]
    check: Callable[[str], Awaitable[None]]
    now: Callable[[], float]
    started_at: float
    external_url: str = ""


HOUSE = web.AppKey("house", House)
