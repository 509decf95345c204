"""The servers of each scenario, and of its mended variant, show curl what the scenario says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
import yaml

from exporter.config.load import load
from tests.lab.asking import config
from tests.lab.ground import Standing, endpoints_of, standing
from tests.lab.registry import NUMBERS, SCENARIOS, VARIANTS
from tests.lab.scenario import HEALTHY, Scenario


@pytest.mark.parametrize("scenario", VARIANTS, ids=[variant.name for variant in VARIANTS])
def test_servers_show_what_their_scenario_says(scenario: Scenario):
    with standing(scenario, NUMBERS[scenario.name]) as there:
        answers = [(str(cell), *there.seen(cell)) for cell in scenario.shows]

    told = [(str(cell), cell.seen, cell.says) for cell in scenario.shows]
    assert [(cell, seen) for cell, seen, _ in answers] == [(cell, seen) for cell, seen, _ in told]
    assert [(cell, body) for (cell, _, body), (*_, says) in zip(answers, told, strict=True) if says not in body] == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_the_exporter_accepts_what_it_is_told(scenario: Scenario, tmp_path: Path):
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    endpoints = endpoints_of(scenario, NUMBERS[scenario.name])
    told = config(Standing(scenario, endpoints, tmp_path / "ca.pem"))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(told))

    loaded = load(tmp_path / "config.yaml", {})

    assert {target.domain for target in loaded.targets} == set(scenario.targets)


def test_names_and_numbers_are_nobody_elses():
    assert len(NUMBERS) == len(VARIANTS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_scenario_speaks_of_its_own_names_alone(scenario: Scenario):
    assert {*scenario.broken, *scenario.also, *scenario.settings} <= set(scenario.targets)
    assert (scenario.cause == HEALTHY) <= (not scenario.broken and scenario.fixed is None)
