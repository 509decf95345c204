"""README's examples are taken at their word by the programs that they are for."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest

from exporter.cause_metrics import METRICS as CAUSE_METRICS
from exporter.cli.parser import parser
from exporter.incident_metrics import METRICS as INCIDENT_METRICS
from exporter.metrics import METRICS
from tests.programs import program

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def example(beginning):
    (found,) = [text for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if text.startswith(beginning)]
    return found


@pytest.mark.parametrize(
    ("beginning", "command"),
    [("scrape_configs:", ("check", "config")), ("groups:\n  - name: statuscode", ("check", "rules"))],
)
def test_prometheus_takes_the_examples(tmp_path, beginning, command):
    file = tmp_path / "example.yaml"
    file.write_text(example(beginning), encoding="utf-8")

    done = subprocess.run(
        [program("promtool"), *command, file], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_every_metric_that_is_named_exists():
    known = {metric.name for metric in (*METRICS, *CAUSE_METRICS, *INCIDENT_METRICS)}
    named = set(re.findall(r"\bstatuscode_(?!exporter_)[a-z_]*[a-z]\b", README))

    assert named <= known


def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")

    commands = re.findall(r"^make (\w+)", README, re.MULTILINE)

    assert commands == ["run", "test"]
    assert all(re.search(rf"^{command}:", makefile, re.MULTILINE) for command in commands)


def test_every_flag_that_is_named_is_understood():
    from exporter.cli.parser import parser

    flags = set(re.findall(r"--(?:config|web|log|storage)\.[a-z.-]+[a-z]", README))
    serve = next(action for action in parser()._actions if action.choices and "serve" in action.choices)
    known = {option for action in serve.choices["serve"]._actions for option in action.option_strings}

    assert flags <= known


def test_the_table_of_alerts_is_the_one_that_there_is():
    from dashboards.bundle import ALERTS

    rows = [f"| `{alert.name}` | {alert.summary.removesuffix('.')} |" for alert in ALERTS]
    (table,) = re.findall(r"<!-- alerts -->\n(.*?)<!-- /alerts -->", README, re.DOTALL)

    assert table.splitlines() == ["| alert | fires when |", "|---|---|", *rows]


def test_the_unit_for_systemd_starts_it_with_a_command_that_it_knows():
    (unit,) = re.findall(r"```ini\n(.*?)```", README, re.DOTALL)
    service = configparser.ConfigParser(interpolation=None)
    service.optionxform = str
    service.read_string(unit)

    program, *arguments = service["Service"]["ExecStart"].split()
    options = parser().parse_args(arguments)
    assert program == "/opt/statuscode-exporter/bin/statuscode-exporter"
    assert f"python3 -m venv {Path(program).parents[1]}\n" in README
    assert options.storage == Path("/var/lib") / service["Service"]["StateDirectory"]
