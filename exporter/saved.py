"""What `check --save` writes and `replay` reads: all rounds of all targets, as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exporter.config import ConfigError
from exporter.diagnosis import Evidence, diagnose, together
from exporter.model import Round
from exporter.records import UnreadableError, round_of_text, text_of_round

FORMAT = 1
MOST_BYTES = 256 * 1024 * 1024

Series = tuple[Round, ...]
"""All rounds of one target, oldest first."""


def save(path: Path, series: Sequence[Series]) -> None:
    """Raises OSError."""
    rows = ",\n".join("[" + ",\n".join(text_of_round(round_) for round_ in row) + "]" for row in series)
    path.write_text(f'{{"format": {FORMAT}, "targets": [\n{rows}\n]}}\n', encoding="utf-8", errors="replace")


def load(path: Path) -> tuple[Series, ...]:
    """Raises ConfigError where the file is not what `save` writes."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MOST_BYTES + 1)[:MOST_BYTES])
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (ValueError, RecursionError):
        raise ConfigError([f"{path}: is no JSON, or cut off"]) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError([f"{path}: is not what `check --save` of this version writes"])
    try:
        rows = tuple(tuple(round_of_text(json.dumps(one)) for one in row) for row in document["targets"])
    except (UnreadableError, KeyError, TypeError) as error:
        raise ConfigError([f"{path}: is not what `check --save` of this version writes: {error}"]) from None
    complaint = _complaint(rows)
    if complaint:
        raise ConfigError([f"{path}: {complaint}"])
    return rows


def _complaint(rows: Sequence[Series]) -> str:
    """What cannot be in a file that `save` has written; empty: nothing."""
    if not rows:
        return "holds no target"
    if not all(rows):
        return "holds a target without rounds"
    if any(len(round_.observations) != len(round_.verdicts) for row in rows for round_ in row):
        return "is not what `check --save` of this version writes: a round needs a verdict for each observation"
    return ""


def diagnosed_anew(series: Sequence[Series]) -> tuple[Round, ...]:
    """The last round of each target, with findings made of what was saved."""
    last = {row[-1].target.domain: row[-1] for row in series}
    found = [
        replace(row[-1], findings=diagnose(Evidence(row, _siblings(row[-1], last), row[-1].trials))) for row in series
    ]
    return together(found)


def _siblings(round_: Round, last: dict[str, Round]) -> dict[str, Round]:
    mine = round_.target.domain
    return {name: last[name] for name in round_.target.siblings if name != mine and name in last}
