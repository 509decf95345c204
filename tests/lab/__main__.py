"""`python -m tests.lab`: the exporter's findings on all scenarios beside the truth, and the share that is right."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.lab.asking import NoAnswerError, ask
from tests.lab.ground import standing
from tests.lab.registry import NUMBERS, VARIANTS
from tests.lab.scenario import Scenario
from tests.lab.score import NOTHING, Judgement, confusion, judge, read

NOT_STANDING = (AssertionError, OSError, pytest.skip.Exception, pytest.fail.Exception)
ROW = "{:3} {:38} {:38} {:44} {:>5} {:>5}  {}"


@dataclass(frozen=True, slots=True)
class Row:
    """Attributes: `findings` are as the exporter printed them."""

    scenario: Scenario
    judgement: Judgement
    seconds: float
    findings: object = None

    @property
    def cells(self) -> tuple[str, ...]:
        said = self.judgement
        confidence = NOTHING if said.confidence is None else f"{said.confidence:.2f}"
        verdict = "ok" if said.is_right else "NO"
        leading = ", ".join(said.leading)
        return verdict, self.scenario.name, self.scenario.cause, leading, confidence, f"{self.seconds:.1f}", said.why

    @property
    def document(self) -> dict[str, object]:
        names = ("verdict", "scenario", "truth", "leading", "confidence", "seconds", "why")
        return dict(zip(names, self.cells, strict=True)) | {"findings": self.findings}


def examine(scenario: Scenario, folder: Path, rounds: int, save: Path | None) -> Row:
    """Set the scenario up, ask the exporter, and hold what it says against the truth."""
    started = time.monotonic()
    try:
        with standing(scenario, NUMBERS[scenario.name]) as there:
            answer = ask(there, folder, rounds, save and save / f"{scenario.name}.json")
    except NoAnswerError as reason:
        return Row(scenario, Judgement(("no answer",), None, str(reason)), time.monotonic() - started)
    except NOT_STANDING as reason:
        return Row(scenario, Judgement(("not set up",), None, str(reason)), time.monotonic() - started)
    judgement = judge(scenario, read(answer.document), answer.status)
    return Row(scenario, judgement, time.monotonic() - started, answer.document["domains"])


def chosen(patterns: str | None) -> list[Scenario]:
    wanted = patterns.split(",") if patterns else ["*"]
    return [one for one in VARIANTS if any(fnmatchcase(one.name, pattern) for pattern in wanted)]


def rows(scenarios: Sequence[Scenario], options: argparse.Namespace) -> Iterator[Row]:
    """In order, several at once: each has addresses of its own."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        yield from pool.map(lambda one: examine(one, Path(folder), options.rounds, options.save), scenarios)


def report(table: Sequence[Row]) -> Iterator[str]:
    """The confusion list and the share that is right."""
    for truth, said, times in confusion([(row.scenario, row.judgement) for row in table]):
        yield f"    {times} x  {truth}  taken for  {said}"
    faults = [row.judgement.is_right for row in table if not row.scenario.is_healthy]
    healthy = [row.judgement.is_right for row in table if row.scenario.is_healthy]
    right = sum(faults) + sum(healthy)
    yield f"causes right {sum(faults)}/{len(faults)}, silent on healthy {sum(healthy)}/{len(healthy)}"
    yield f"right in all {right}/{len(table)}"


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--only", metavar="NAMES", help="comma-separated, with * as in a shell")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table with all findings")
    parser.add_argument("--save", metavar="DIR", type=Path, help="keep the rounds of each scenario")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at a time")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parsed(arguments)
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
    table = []
    for row in rows(chosen(options.only), options):
        table.append(row)
        print(ROW.format(*row.cells), flush=True)
    print(*report(table), sep="\n")
    if options.json:
        options.json.write_text(json.dumps([row.document for row in table], indent=1))
    return int(not table or not all(row.judgement.is_right for row in table))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
