"""Writes the dashboards, the rules of Prometheus and the alert rules of Grafana: `python -m dashboards.build`.

What lies in this folder was made so, with the defaults. Where your Grafana has another address, make your own:
`python -m dashboards.build --grafana-url=https://grafana.example --output=mine`. Alerts about a domain carry its group;
with `--label=team` also what the exporter's configuration has under `labels: {team: ...}`, to be routed by.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dashboards.bundle import BOARDS
from dashboards.grafana_rules import grafana_rules
from dashboards.prometheus_rules import prometheus_rules
from dashboards.rendering import rendered

HERE = Path(__file__).parent
GRAFANA_URL = "http://localhost:3000"
LABELS = ("group",)


def files(grafana_url: str = GRAFANA_URL, labels: Sequence[str] = LABELS) -> Iterator[tuple[str, str]]:
    """The path below this folder and the text of each file."""
    for board in BOARDS:
        yield f"{board.uid}.json", rendered(board)
    yield "prometheus/statuscode.rules.yaml", prometheus_rules(grafana_url, labels)
    yield "grafana/provisioning/alerting/rules.yaml", grafana_rules(labels)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grafana-url", default=GRAFANA_URL, help=f"for links in alerts; default: {GRAFANA_URL}")
    parser.add_argument("--output", type=Path, default=HERE, help="a folder; default: the one of this program")
    parser.add_argument(
        "--label", action="append", default=list(LABELS), type=_label, metavar="NAME",
        help="of the configuration's `labels`: alerts about a domain carry it beside its group; repeatable",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    for name, text in files(options.grafana_url.rstrip("/"), tuple(dict.fromkeys(options.label))):
        path = options.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _label(text: str) -> str:
    if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a label")
    return text


if __name__ == "__main__":
    main()
