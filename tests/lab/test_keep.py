"""Rounds of the laboratory become the project's: nobody's places are in them."""

from __future__ import annotations

import pytest

from tests.factories import round_, target
from tests.lab.keep import anybodys, chosen, told, written
from tests.lab.registry import SCENARIOS


def test_places_of_files_become_their_kinds():
    kept = anybodys(round_(of=target(ca_file="/home/me/ca.pem", client_certificate="/home/me/me.pem"))).target

    assert (kept.ca_file, kept.client_certificate, kept.client_key) == ("ca_file.pem", "client_certificate.pem", None)


def test_each_cause_of_a_scenario_and_every_healthy_one_is_kept():
    by_name = {one.name: one for one in SCENARIOS}

    assert {by_name[name].cause for name in chosen()} == {one.cause for one in SCENARIOS}
    assert {one.name for one in SCENARIOS if one.is_healthy} <= set(chosen())


@pytest.mark.parametrize("findings", [{}, {"b": {"x.test": [["unknown", "info", None]]}, "a": {}}])
def test_the_table_has_a_line_for_each_scenario_in_order(findings):
    lines = written(findings).strip("{}\n").splitlines()

    assert [line.split('"')[1] for line in lines if line] == sorted(findings)


def test_a_round_without_findings_is_told_as_such():
    assert told((round_(),)) == {"shop.test": []}
