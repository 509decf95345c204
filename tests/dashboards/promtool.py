"""What promtool says of the rules of the bundle over given series."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.dashboards import committed
from tests.programs import program


def promtool(folder: Path, series: Mapping[str, str], *, rules: Path = committed.RULES, **asked: list[dict]) -> str:
    """What it finds wrong, nothing where all is as expected. Values are one a minute, in its notation."""
    input_series = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": input_series, **asked}
    file = folder / "test.yaml"
    document = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
