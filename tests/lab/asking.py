"""Ask the exporter itself about a scenario that stands: its command `check`, from outside, as anybody does."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.ground import Standing

PATIENCE_SECONDS = 120
COMMAND = (sys.executable, f"{sysconfig.get_path('scripts')}/statuscode-exporter")


@dataclass(frozen=True, slots=True)
class Answer:
    """What `check` printed as JSON, and its exit status."""

    document: dict[str, Any]
    status: int


class NoAnswerError(Exception):
    """`check` printed no document; the message says what instead."""


def config(there: Standing) -> dict[str, Any]:
    """All that the exporter is told: names, addresses, port, authority, and what to ask for. Nothing of the truth."""
    scenario = there.scenario
    domains = [
        {"domain": domain, **_addresses(there, domain), **scenario.settings.get(domain, {})}
        for domain in scenario.targets
    ]
    group = {"name": "laboratory", "port": there.port, **scenario.every, "domains": domains}
    return {"global": {"ca_file": str(there.ca_file), "timeout": "3s"}, "groups": [group]}


def _addresses(there: Standing, domain: str) -> dict[str, Any]:
    addresses = there.addresses(domain)
    return {"resolve": addresses} if addresses else {}


def ask(there: Standing, folder: Path, rounds: int, save: Path | None = None) -> Answer:
    """One `check` of all names of the scenario; `save` keeps its rounds.

    Raises:
        NoAnswerError: it printed no document, or took too long.
    """
    file = folder / f"{there.port}.yaml"  # the scenario's name would tell
    file.write_text(yaml.safe_dump(config(there)))
    arguments = [f"--config.file={file}", "--output=json", "--rounds", str(rounds)]
    arguments += ["--save", str(save)] if save else []
    try:
        process = subprocess.run(
            [*COMMAND, "check", *arguments], capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
        return Answer(json.loads(process.stdout), process.returncode)
    except subprocess.TimeoutExpired:
        raise NoAnswerError(f"nothing within {PATIENCE_SECONDS} s") from None
    except json.JSONDecodeError:
        said = (process.stderr or process.stdout).decode("utf-8", "replace")
        raise NoAnswerError(f"status {process.returncode}: {said[-200:]!r}") from None
