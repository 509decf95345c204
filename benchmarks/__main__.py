"""`python -m benchmarks [--markdown]`: the whole table, in about four minutes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import daemon, diagnosing, load, machine, probing
from benchmarks.figures import alternated, bound_of_quantile, ratio
from benchmarks.processes import MissingProgramError
from benchmarks.scraping import serving
from benchmarks.servers import Server, blackbox, nginx
from benchmarks.table import Row, answer, markdown, plain
from benchmarks.worker import worker

_REPEATS = 9
_PEER_PROBES = 400
_STALL_REPEATS = 5
_DAEMON_SECONDS = 90.0
_MB = 1_000_000

Figures = Mapping[str, Sequence[float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="statuscode-exporter-bench-") as name:
            facts = machine.facts()
            table = _measured(Path(name))
    except MissingProgramError as missing:
        print(missing, file=sys.stderr)
        return 1
    written = markdown(table.rows) if arguments.markdown else plain(table.rows)
    print(facts, written, *table.bounds, sep="\n\n")
    return 0


class Table(NamedTuple):
    """Attributes: `bounds` are sentences on what bounds the figures."""

    rows: Sequence[Row]
    bounds: Sequence[str]


def _measured(folder: Path) -> Table:
    with nginx(folder) as server:
        figures = _probing(folder, server)
        rows = (
            *_probing_rows(figures),
            *_writing_rows(_writing(server)),
            *_diagnosis_rows(server),
            *_stall_rows(folder),
            *_daemon_rows(daemon.stay(folder, server, _DAEMON_SECONDS)),
        )
        return Table(rows, tuple(_bounds(figures, server)))


def _bounds(figures: Figures, server: Server) -> Iterator[str]:
    ours, peers = (ratio(figures["handshake"], figures[name]).middle for name in ("http1", "peer http1"))
    further = _further(figures["pairs"], figures["http2"]) / median(figures["peer http1"])
    yield f"The handshake alone is {ours:.2f} of our matched probe over HTTP/1.1, {peers:.2f} of blackbox_exporter's."
    yield f"One more request on an open HTTP/2 connection is {further:.2f} of the latter."
    plans = {"every SNI": probing.sweep_targets(server), "one SNI": probing.group_targets(server, probing.GROUP_SIZE)}
    for name, targets in plans.items():
        connections, cells = probing.connections_and_cells(targets)
        floor = peers * connections / cells
        yield f"With {name}, a round opens {connections} connections for {cells} cells: {floor:.2f} is handshakes."


def _probing(folder: Path, server: Server) -> Figures:
    with ExitStack() as stack:
        peer = stack.enter_context(blackbox(folder, server))
        contenders = {
            f"peer {module}": partial(load.probed, peer, module, _PEER_PROBES) for module in ("http1", "http2")
        }
        tasks = ("http1", "http2", "sweep", "hosts", "rotation", "pairs", "handshake")
        ours = {task: stack.enter_context(worker(task, server)) for task in tasks}
        return alternated({**contenders, **ours}, _REPEATS)


def _probing_rows(figures: Figures) -> Iterator[Row]:
    peer1, peer2 = figures["peer http1"], figures["peer http2"]
    pairs = probing.GROUP_SIZE * (probing.GROUP_SIZE - 1)
    yield _beside("matched probe, HTTP/1.1, new connection", figures["http1"], peer1, 0.85)
    yield _beside("matched probe, HTTP/2, new connection", figures["http2"], peer2, 1.0)
    size = probing.GROUP_SIZE
    yield _beside(f"cell of {size} siblings, every SNI and every Host in each round", figures["sweep"], peer1, 0.4)
    yield _beside("the same, every Host and one sibling's SNI in each round", figures["hosts"], peer1, 0.4)
    yield _beside("the same, default rounds: 8 Hosts and one SNI of siblings", figures["rotation"], peer1, None)
    yield _beside(f"cell of all {pairs} ordered pairs on shared HTTP/2 connections", figures["pairs"], peer2, 1 / 6)
    further = _further(figures["pairs"], figures["http2"])
    yield Row(
        "further name on a shared HTTP/2 connection", _ms(further), goal="0.2 ms", reached=answer(further <= 2e-4)
    )
    yield Row("TCP and TLS handshake alone, blocking, Python's ssl", _ms(median(figures["handshake"])))


def _further(pairs: Sequence[float], fresh: Sequence[float]) -> float:
    """What one more name costs: a connection holds the domain, its siblings, itself again and an unknown host."""
    asks = probing.GROUP_SIZE + 2
    return median((cell * asks - first) / (asks - 1) for cell, first in zip(pairs, fresh, strict=True))


def _beside(measured: str, ours: Sequence[float], peers: Sequence[float], goal: float | None) -> Row:
    found = ratio(ours, peers)
    row = Row(measured, _ms(median(ours)), _ms(median(peers)), str(found))
    return row if goal is None else replace(row, goal=f"{goal:.2f}", reached=answer(found.middle <= goal))


def _writing(server: Server) -> Figures:
    with ExitStack() as stack:
        tasks = ("text", "openmetrics", "generate_latest")
        return alternated({task: stack.enter_context(worker(task, server)) for task in tasks}, _REPEATS)


def _writing_rows(figures: Figures) -> Iterator[Row]:
    peers = figures["generate_latest"]
    for name, form in (("text", "text 0.0.4"), ("openmetrics", "OpenMetrics")):
        taken = median(figures[name])
        yield Row(
            f"sample of /metrics at 100,000, {form} (peer: prometheus_client)",
            _us(taken),
            _us(median(peers)),
            str(ratio(figures[name], peers)),
            "1 us",
            answer(taken <= 1e-6),
        )


def _diagnosis_rows(server: Server) -> Iterator[Row]:
    large = diagnosing.seconds(diagnosing.large())
    yield _within(f"diagnosis of a round of {diagnosing.OBSERVATIONS} observations", large, 0.005)
    yield Row("diagnosis of a healthy round of two siblings", _ms(diagnosing.seconds(diagnosing.healthy())))
    check = diagnosing.check_seconds(server)
    yield _within("`check` of two healthy siblings on loopback, from the shell", check, 1.5)
    yield _within("`--help`, from the shell", diagnosing.command_seconds("--help"), 0.3)


def _within(measured: str, taken: float, goal: float) -> Row:
    return Row(measured, _ms(taken), goal=f"{goal * 1e3:g} ms", reached=answer(taken <= goal))


def _stall_rows(folder: Path) -> Iterator[Row]:
    with serving(folder) as longest_stall:
        for encoding in ("identity", "gzip"):
            stalls = [longest_stall(encoding) for _ in range(_STALL_REPEATS)]
            by_clock = max(stall.seconds for stall in stalls)
            by_cpu = max(stall.cpu_seconds for stall in stalls)
            yield Row(
                f"longest stall of the loop in {_STALL_REPEATS} scrapes of 100,000, {encoding} (of it CPU)",
                f"{_ms(by_clock)} ({_ms(by_cpu)})",
                goal="20 ms",
                reached=answer(by_clock <= 0.02),
            )


def _daemon_rows(stay: daemon.Stay) -> Iterator[Row]:
    late = bound_of_quantile(stay.lag, 0.99)
    yield Row(
        f"{daemon.DOMAINS:,} domains at {daemon.INTERVAL_SECONDS} s: 99 % of rounds start late by at most",
        f"{late * 1000:g} ms",
        goal="100 ms",
        reached=answer(late <= 0.1),
    )
    resident = stay.most_resident_bytes / _MB
    yield Row(
        "the same: resident memory, at most", f"{resident:.0f} MB", goal="150 MB", reached=answer(resident <= 150)
    )
    yield Row("the same: longest wait for the loop (scraped)", _ms(stay.loop_lag_seconds))
    share = stay.cpu_seconds / stay.seconds
    rounds = f"{stay.rounds:.0f} in {stay.seconds:.0f} s; {stay.missed:.0f}; {share:.0%}"
    yield Row("the same: rounds; missed; CPU of one core", rounds)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} us"


if __name__ == "__main__":
    sys.exit(main())
