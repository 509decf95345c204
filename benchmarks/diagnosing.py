"""What it costs to name a cause: rounds of made-up domains in this process, and the command from the shell."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from benchmarks.processes import HOST
from benchmarks.servers import DOMAIN, Server
from exporter import comparison, matrix
from exporter.diagnosis import Evidence, diagnose, next_wish
from exporter.expectation import Comparison, judge
from exporter.model import (
    Ask,
    Certificate,
    Combination,
    Experiment,
    Finding,
    Observation,
    Phase,
    Protocol,
    Response,
    Round,
    Target,
    TlsSession,
    Trial,
    Variation,
)

OBSERVATIONS = 400
_REPEATS = 50
_COMMANDS = 7
_NAMES = tuple(f"d{number}.{DOMAIN}" for number in range(20))
_PAGE = b"<!doctype html>\n<title>bench</title>\n<h1>Welcome</h1>\n" + b"<p>word</p>" * 300
_REFUSAL = (
    b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>421 Misdirected Request</title>\n'
    b"</head><body>\n<h1>Misdirected Request</h1>\n</body></html>\n"
)


class Known(NamedTuple):
    """A round, and the last ones of its siblings."""

    round_: Round
    siblings: Mapping[str, Round]


def large() -> Known:
    """At least 400 observations of a name with 19 siblings at 16 addresses, refused on all that is shared."""
    known = _known(_NAMES, addresses=16, refuses=True)
    assert len(known.round_.observations) >= OBSERVATIONS  # a smaller one would look fast
    return known


def healthy() -> Known:
    """One of two siblings at one address, as it should be."""
    return _known(_NAMES[:2], addresses=1, refuses=False)


def found(known: Known) -> tuple[Finding, ...]:
    evidence = Evidence([known.round_], known.siblings, known.round_.trials)
    next_wish(evidence)
    return diagnose(evidence)


def seconds(known: Known) -> float:
    """Of one diagnosis, with the question which experiment comes next: CPU time, the median."""
    return median(_taken(lambda: found(known), time.process_time) for _ in range(_REPEATS))


def command_seconds(*arguments: str, statuses: Sequence[int] = (0,)) -> float:
    """Of the installed command from start to end, by the clock, the median."""
    command = f"{sysconfig.get_path('scripts')}/statuscode-exporter"

    def run() -> None:
        done = subprocess.run([sys.executable, command, *arguments], capture_output=True, check=False)
        if done.returncode not in statuses:
            raise RuntimeError(f"{arguments}: {done.stderr.decode()}")

    run()  # what the first one compiles, the others find
    return median(_taken(run, time.perf_counter) for _ in range(_COMMANDS))


def check_seconds(server: Server) -> float:
    """Of `check` of two healthy siblings."""
    flags = (f"--address={HOST}", f"--port={server.port}", f"--ca-file={server.ca_file}", "--json")
    return command_seconds("check", _NAMES[0], "--sibling", _NAMES[1], *flags)


def _taken(act: Callable[[], object], clock: Callable[[], float]) -> float:
    before = clock()
    act()
    return clock() - before


def _known(names: tuple[str, ...], addresses: int, *, refuses: bool) -> Known:
    resolve = tuple(f"127.0.0.{number}" for number in range(1, addresses + 1))
    targets = [
        Target(name, "bench", siblings=names, snis=(name, None), hosts=("nobody.invalid",), resolve=resolve,
               siblings_per_round=len(names))
        for name in names
    ]  # fmt: skip
    rounds = [_round(target, targets, refuses=refuses) for target in targets]
    first = replace(rounds[0], trials=_trials(rounds[0])) if refuses else rounds[0]
    return Known(first, {round_.target.domain: round_ for round_ in rounds[1:]})


def _round(target: Target, targets: Sequence[Target], *, refuses: bool) -> Round:
    siblings = {one.domain: matrix.Sibling(one, frozenset(one.resolve)) for one in targets if one is not target}
    dials = matrix.plan(target, target.resolve, siblings)
    seen = tuple(_seen(ask, refuses=refuses) for dial in dials for ask in dial.asks)
    seen = comparison.with_pages(target, seen)
    verdicts = tuple(judge(target, one, Comparison()) for one in seen)
    exposures = comparison.exposures_of(target, target.resolve, siblings, seen)
    return Round(target, 1.7e9, 0.1, target.resolve, seen, verdicts, exposures)


def _seen(ask: Ask, *, refuses: bool) -> Observation:
    foreign = (
        ask.probe.combination in (Combination.COALESCED, Combination.UNKNOWN_HOST) and ask.probe.host != ask.probe.sni
    )
    response = _response(421, _REFUSAL) if refuses and foreign else _response(200, _PAGE)
    return Observation(ask.probe, 1.7e9, {Phase.PROCESSING: 0.01}, tls=_SESSION, response=response)


def _response(status: int, body: bytes) -> Response:
    fields = (("server", "Apache"), ("content-type", "text/html; charset=iso-8859-1"))
    return Response(status, headers=fields, body=body, body_bytes=len(body))


def _trials(round_: Round) -> tuple[Trial, ...]:
    first = round_.observations[0]
    return (
        Trial(
            Experiment.REPEAT,
            round_.target.domain,
            HOST,
            Protocol.HTTP11,
            answers=((Variation.AS_CONFIGURED, first),) * 6,
        ),
    )


_LEAF = Certificate("", "CN=bench", "CN=bench", (f"*.{DOMAIN}",), 1, not_before=0.0, not_after=2e9)
_SESSION = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", "h2", (_LEAF,))
