"""The pages with 2,000 domains and 10,000 stored incidents, while some 100 probes run in a second."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import HOST, free_port, is_listening, running
from benchmarks.scraping import scrape
from benchmarks.servers import DOMAIN, Server
from benchmarks.serving import STALL_PATH
from exporter.model import Excluded, Finding, Incident, Severity, Stage
from exporter.store import schema, tables
from exporter.store.store import FILE

DOMAINS, BROKEN, INCIDENTS = 2_000, 40, 10_000
INTERVAL_SECONDS = 90  # 2,000 domains with some five probes each: a hundred in a second
_REPEATS = 20
_SETTLES_WITHIN_SECONDS = 120.0

PATHS = ("/", "/incidents", "/api/v1/domains", "/api/v1/incidents")


@dataclass(frozen=True, slots=True)
class Load:
    """How one page was served.

    Attributes:
        first_byte_seconds: the middle of all repeats.
        stall_seconds, stall_cpu_seconds: the longest of the loop while one was served, by the clock and in CPU time.
        weight_bytes: without compression.
    """

    path: str
    longest_first_byte_seconds: float
    first_byte_seconds: float
    stall_seconds: float
    stall_cpu_seconds: float
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Paged:
    """Attributes: `idle_stall_seconds` is the longest of the loop in ten seconds without pages."""

    loads: tuple[Load, ...]
    idle_stall_seconds: float
    probes_per_second: float


def paged(folder: Path, server: Server) -> Paged:
    """Run the exporter and ask it for pages, one in half a second."""
    config, data, port, stall_port = folder / "pages.yaml", folder / "pages-data", free_port(), free_port()
    config.write_text(json.dumps(_config(server)))
    _store_incidents(data / FILE)
    argv = (sys.executable, "-m", "benchmarks.paging", str(config), str(port), str(data), str(stall_port))
    with running(argv, folder / "pages.log", lambda: is_listening(stall_port)):
        _await_rounds(port)
        _stalls(stall_port)
        before, began = _probes(port), time.monotonic()
        time.sleep(10)
        idle, _ = _stalls(stall_port)
        loads = tuple(_load(path, port, stall_port) for path in PATHS)
        rate = (_probes(port) - before) / (time.monotonic() - began)
    return Paged(loads, idle, rate)


def _config(server: Server) -> dict[str, object]:
    everywhere = {
        "interval": f"{INTERVAL_SECONDS}s",
        "port": server.port,
        "resolve": [HOST],
        "ca_file": server.ca_file,
    }
    names = [f"d{index}.{DOMAIN}" for index in range(DOMAINS)]
    groups: list[dict[str, object]] = [{"name": name, "domains": [name]} for name in names[BROKEN:]]
    broken = [{"name": name, "domains": [name], "expect": {"status": [204]}} for name in names[:BROKEN]]
    return {"global": everywhere, "groups": [*broken, *groups]}


def _store_incidents(file: Path) -> None:
    with closing(schema.opened(file, check=False)) as connection:
        tables.write(connection, tables.Batch({one.id: one for one in _incidents()}))


def _incidents() -> Iterator[Incident]:
    """Over, of the last ten weeks, each with as much text as real ones have."""
    now = time.time()
    for number in range(INCIDENTS):
        name = f"d{number % DOMAINS}.{DOMAIN}"
        finding = Finding(
            cause="upstream-down",
            domains=(name,),
            code=502,
            confidence=0.8,
            severity=Severity.CRITICAL,
            summary=f"{name} answers 502: the proxy could not connect to its upstream",
            evidence=tuple(f"SNI={name} Host={name} at 192.0.2.{line} over h2: 502" for line in range(6)),
            excluded=tuple(Excluded("vhost-missing", f"SNI={name} is served at 192.0.2.{line}") for line in range(4)),
            reproduce=(f"curl -sk -o /dev/null -w '%{{http_code}}' --connect-to {name}:443:192.0.2.1:443 https://{name}/",),
        )  # fmt: skip
        since = now - 600.0 * (number + 1)
        yield Incident(f"{number:016x}", Stage.RESOLVED, since, finding, (), (name,), (name,), since, since + 300.0)


def _await_rounds(port: int) -> None:
    deadline = time.monotonic() + _SETTLES_WITHIN_SECONDS
    while json.loads(scrape(port, "identity", "/api/v1/status"))["domains"]["not-yet-probed"]:
        if time.monotonic() > deadline:
            raise RuntimeError("not every domain was probed in time")
        time.sleep(1)


def _probes(port: int) -> float:
    text = scrape(port, "identity")
    counters = ("statuscode_http_responses_total{", "statuscode_probe_failures_total{")
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(counters))


def _stalls(port: int) -> tuple[float, float]:
    by_clock, by_cpu = json.loads(scrape(port, "identity", STALL_PATH))
    return by_clock, by_cpu


def _load(path: str, port: int, stall_port: int) -> Load:
    _fetched(port, path)  # templates are compiled once
    served = []
    for _ in range(_REPEATS):
        _stalls(stall_port)
        served.append((*_fetched(port, path), *_stalls(stall_port)))
        time.sleep(0.5)
    firsts, weights, by_clock, by_cpu = zip(*served, strict=True)
    return Load(path, max(firsts), median(firsts), max(by_clock), max(by_cpu), weights[-1])


def _fetched(port: int, path: str) -> tuple[float, int]:
    """Seconds until the first byte of the answer, and how many bytes it has."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        started = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        first = answer.read(1)
        seconds = time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return seconds, len(first) + len(answer.read())
