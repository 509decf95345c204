"""The exporter as its users run it, with 5,000 domains on disk: is it in time, and what does it take?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from benchmarks.figures import Histogram
from benchmarks.processes import HOST, Running, free_port, is_listening, running
from benchmarks.scraping import scrape
from benchmarks.servers import DOMAIN, Server

DOMAINS = 5_000
INTERVAL_SECONDS = 60
SCRAPE_EVERY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Stay:
    """What the daemon showed of itself while it ran.

    Attributes:
        seconds: how long it was watched, since it listened.
        lag: of rounds, by upper bound in seconds.
        loop_lag_seconds: the largest of the scraped values.
        cpu_seconds: within `seconds`.
        domains_up: in the last scrape.
    """

    seconds: float
    lag: Histogram
    rounds: float
    missed: float
    errors: float
    loop_lag_seconds: float
    cpu_seconds: float
    resident_bytes: int
    most_resident_bytes: int
    domains_up: int


def stay(folder: Path, server: Server, seconds: float) -> Stay:
    """Run the daemon for so long and scrape it now and then, as Prometheus would."""
    config, port = folder / "config.yaml", free_port()
    config.write_text(json.dumps(_config(server)))  # JSON is YAML
    flags = (f"--config.file={config}", "--storage.path=:memory:", f"--web.listen-address={HOST}:{port}")
    argv = (sys.executable, "-m", "exporter", "serve", *flags)
    with running(argv, folder / "exporter.log", lambda: is_listening(port)) as process:
        return _checked(_watch(process, port, seconds))


def _checked(watched: Stay) -> Stay:
    """What did not go as it should must not be measured."""
    if watched.domains_up < DOMAINS or watched.errors:
        raise RuntimeError(f"only {watched.domains_up} domains are up, {watched.errors:.0f} rounds broke")
    return watched


def _config(server: Server) -> dict[str, object]:
    names = (f"d{index}.{DOMAIN}" for index in range(DOMAINS))
    everywhere = {
        "interval": f"{INTERVAL_SECONDS}s",
        "port": server.port,
        "resolve": [HOST],
        "ca_file": server.ca_file,
    }
    return {"global": everywhere, "groups": [{"name": name, "domains": [name]} for name in names]}


def _watch(process: Running, port: int, seconds: float) -> Stay:
    started, spent_before = time.monotonic(), process.cpu_seconds()
    loop_lags = []
    for at in _times(started, seconds):
        time.sleep(max(0.0, at - time.monotonic()))
        samples = _samples(scrape(port, "gzip"))
        loop_lags.append(_value(samples, "statuscode_exporter_event_loop_lag_seconds"))
    return Stay(
        seconds=time.monotonic() - started,
        lag=_histogram(samples, "statuscode_exporter_round_lag_seconds_bucket"),
        rounds=_value(samples, "statuscode_exporter_rounds_total"),
        missed=_value(samples, "statuscode_exporter_rounds_missed_total"),
        errors=_value(samples, "statuscode_exporter_round_errors_total"),
        loop_lag_seconds=max(loop_lags),
        cpu_seconds=process.cpu_seconds() - spent_before,
        resident_bytes=process.memory_bytes("VmRSS"),
        most_resident_bytes=process.memory_bytes("VmHWM"),
        domains_up=round(_value(samples, "statuscode_domain_up")),
    )


def _times(started: float, seconds: float) -> Iterator[float]:
    at = started + SCRAPE_EVERY_SECONDS
    while at < started + seconds:
        yield at
        at += SCRAPE_EVERY_SECONDS
    yield started + seconds


def _samples(document: str) -> list[Sample]:
    """Only our own; the matrix of 5,000 domains would take seconds to parse."""
    lines = (
        line for line in document.splitlines() if line.startswith(("statuscode_exporter_", "statuscode_domain_up"))
    )
    return [sample for family in text_string_to_metric_families("\n".join(lines) + "\n") for sample in family.samples]


def _value(samples: list[Sample], name: str) -> float:
    """The sum of all samples of that name."""
    return sum(sample.value for sample in samples if sample.name == name)


def _histogram(samples: list[Sample], name: str) -> Histogram:
    return {float(sample.labels["le"]): sample.value for sample in samples if sample.name == name}
