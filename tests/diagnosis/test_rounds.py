"""Rounds of real servers, set up wrongly or well, are diagnosed as on the day they were saved, and rightly."""

from __future__ import annotations

import json
import re

import pytest

from exporter import saved
from exporter.diagnosis import CAUSES
from exporter.records import text_of_round
from tests.lab.keep import FINDINGS, FOLDER, chosen, kept, told, written
from tests.lab.registry import NUMBERS, VARIANTS
from tests.lab.score import judge, read

EXPECTED = json.loads(FINDINGS.read_text("utf-8"))
HARD_TO_KEEP = {
    "answer-not-as-expected",
    "http2-protocol-error",
    "stale-connection",
    "unknown",
    "vantage-offline",
}
"""No laboratory scenario has them; `causes/` beside this has evidence for each."""


@pytest.mark.parametrize("name", chosen())
def test_a_saved_round_gets_the_findings_that_are_expected(name, tmp_path):
    rounds = saved.diagnosed_anew(kept(name, tmp_path))

    assert told(rounds) == EXPECTED[name]


@pytest.mark.parametrize("name", chosen())
def test_what_is_expected_of_a_scenario_is_its_truth(name):
    document = {
        "domains": [
            {"domain": domain, "findings": [{"cause": c, "severity": s, "confidence": 1} for c, s, _ in findings]}
            for domain, findings in EXPECTED[name].items()
        ]
    }
    alarms = any(severity != "info" for findings in EXPECTED[name].values() for _, severity, _ in findings)

    assert judge(VARIANTS[NUMBERS[name] - 1], read(document), int(alarms)).why == ""


def test_every_cause_is_among_the_saved_rounds_or_has_evidence_made_for_it():
    found = {cause for told_ in EXPECTED.values() for findings in told_.values() for cause, _, _ in findings}

    assert CAUSES.keys() - found == HARD_TO_KEEP


def test_the_files_are_those_of_the_table_and_small_together():
    files = {file.name.removesuffix(".json.gz"): file.stat().st_size for file in FOLDER.glob("*.gz")}

    assert files.keys() == EXPECTED.keys() == set(chosen())
    assert sum(files.values()) < 1_500_000
    assert FINDINGS.read_text("utf-8") == written(EXPECTED)


@pytest.mark.parametrize("name", chosen()[::10])
def test_no_file_names_a_place_of_the_machine_that_made_it(name, tmp_path):
    series = kept(name, tmp_path)
    text = "".join(text_of_round(round_) for row in series for round_ in row)
    bodies = [seen.response.body for row in series for round_ in row for seen in round_.observations if seen.response]

    assert not re.search(r"/(tmp|work|root|home)/", text)
    assert not any(re.search(rb"/(tmp|work|root|home)/", body) for body in bodies)


@pytest.mark.parametrize("name", chosen()[::10])
def test_findings_are_the_same_whatever_order_the_domains_come_in(name, tmp_path):
    series = kept(name, tmp_path)
    forwards, backwards = saved.diagnosed_anew(series), saved.diagnosed_anew(series[::-1])

    assert told(forwards) == told(backwards)
