"""The files of `dashboards/` as Grafana and Prometheus read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

FOLDER = Path(__file__).parents[2] / "dashboards"
RULES = FOLDER / "prometheus" / "statuscode.rules.yaml"


class Target(NamedTuple):
    """One query of one panel."""

    board: str
    panel: int
    title: str
    expr: str
    instant: bool


def boards() -> dict[str, dict]:
    """Every dashboard, by its file's name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


BOARDS = boards()


def panels() -> list[tuple[str, dict]]:
    return [(uid, panel) for uid, board in BOARDS.items() for panel in board["panels"]]


def targets() -> Iterator[Target]:
    for uid, panel in panels():
        for one in panel.get("targets", ()):
            yield Target(uid, panel["id"], panel["title"], one["expr"], one.get("instant", False))


def variables() -> Iterator[tuple[str, dict]]:
    """The queries among them."""
    for uid, board in BOARDS.items():
        yield from ((uid, one) for one in board["templating"]["list"] if one["type"] == "query")


def annotations() -> Iterator[tuple[str, dict]]:
    for uid, board in BOARDS.items():
        yield from ((uid, one) for one in board["annotations"]["list"])


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def alerts() -> list[dict]:
    return [rule for rule in rules() if "alert" in rule]


def provisioned(name: str) -> dict:
    return yaml.safe_load((FOLDER / "grafana" / name).read_text("utf-8"))


# What a browser fills in, at values that let a short history show.
FILLED = {
    "$__rate_interval": "10s",
    "$__interval": "2s",
    "$__range": "2m",
    "$job": ".+",
    "$instance": ".+",
    "$domain": ".+",
    "$code": ".+",
}


def filled(expression: str, **values: str) -> str:
    """An expression as Prometheus gets it. The longest name first: `$__interval` begins no other."""
    told = FILLED | {f"${name}": value for name, value in values.items()}
    for name in sorted(told, key=len, reverse=True):
        expression = expression.replace(name, told[name])
    assert "$" not in re.sub(r'"\$1"|\$\)|\$"', "", expression), expression
    return expression


def matched(query: str) -> tuple[str, str]:
    """The series and the label of a variable's query."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found, query
    return found[1], found[2]
