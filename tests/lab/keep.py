"""`python -m tests.lab.keep DIR`: what a laboratory run saved in DIR becomes the rounds of `tests/rounds`, for replay.

First `python -m tests.lab --save DIR`, with `--only` for some; what is not in DIR stays as it is. Kept are the first
scenario of each cause and all healthy ones. `findings.json` beside them says what the diagnosis makes of each domain:
look at its difference before you commit it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from exporter import saved
from exporter.model import Round
from tests.lab.registry import SCENARIOS

FOLDER = Path(__file__).parent.parent / "rounds"
FINDINGS = FOLDER / "findings.json"

MORE = ("nginx-pools-by-address",)
"""The first of that cause, Caddy's pool, cannot be told from another cause for certain."""

Told = dict[str, list[list[object]]]
"""By domain, [cause, severity, code] of each finding, the leading one first."""


def chosen() -> tuple[str, ...]:
    """The names of the scenarios whose rounds are kept."""
    firsts = {one.cause: one.name for one in reversed(SCENARIOS)}
    return tuple(one.name for one in SCENARIOS if one.is_healthy or one.name in (firsts[one.cause], *MORE))


def anybodys(round_: Round) -> Round:
    """Without the places of files, which are this machine's."""
    target = round_.target
    given = {key: f"{key}.pem" for key in ("ca_file", "client_certificate", "client_key") if getattr(target, key)}
    return replace(round_, target=replace(target, **given))


def keep(name: str, folder: Path) -> None:
    series = [tuple(anybodys(one) for one in row) for row in saved.load(folder / f"{name}.json")]
    with tempfile.TemporaryDirectory() as there:
        file = Path(there) / "round.json"
        saved.save(file, series)
        kept = gzip.compress(file.read_bytes(), mtime=0)
    (FOLDER / f"{name}.json.gz").write_bytes(kept)


def kept(name: str, folder: Path) -> tuple[saved.Series, ...]:
    """All rounds of a scenario; `folder` is where the plain file may be put."""
    file = folder / f"{name}.json"
    file.write_bytes(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return saved.load(file)


def told(rounds: tuple[Round, ...]) -> Told:
    return {
        one.target.domain: [[found.cause, found.severity.value, found.code] for found in one.findings] for one in rounds
    }


def written(findings: dict[str, Told]) -> str:
    """One scenario a line: a difference shows which of them changed."""
    rows = [f"{json.dumps(name)}: {json.dumps(findings[name])}" for name in sorted(findings)]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.keep", description=__doc__)
    parser.add_argument("saved", type=Path, metavar="DIR")
    source = parser.parse_args(arguments).saved
    names = chosen()
    here = [name for name in names if (source / f"{name}.json").is_file()]
    missing = [name for name in names if name not in here and not (FOLDER / f"{name}.json.gz").is_file()]
    if missing or not here:
        parser.error(f"{source} has no {', '.join(missing) or 'scenario that is kept'}")
    for old in FOLDER.glob("*.json.gz"):
        if old.name.removesuffix(".json.gz") not in names:
            old.unlink()
    for name in here:
        keep(name, source)
    with tempfile.TemporaryDirectory() as there:
        findings = {name: told(saved.diagnosed_anew(kept(name, Path(there)))) for name in names}
    FINDINGS.write_text(written(findings), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
