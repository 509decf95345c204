"""What `make accuracy` prints, and whom it asks."""

from __future__ import annotations

import pytest

from tests.lab.__main__ import Row, chosen, main, report
from tests.lab.registry import NUMBERS, VARIANTS
from tests.lab.score import Judgement

FAULT, MENDED = VARIANTS[NUMBERS["apache-lacks-host"] - 1], VARIANTS[NUMBERS["apache-lacks-host-fixed"] - 1]
RIGHT = Judgement(("vhost-missing",), 0.8)
WRONG = Judgement(("unknown",), 0.3, "wrong for plums.orchard.test")
ALARM = Judgement(("unknown",), 0.3, "false alarm: unknown")


def test_names_are_chosen_by_patterns():
    assert chosen("apache-lacks-host*") == [FAULT, MENDED]
    assert chosen(None) == list(VARIANTS)


def test_a_row_shows_truth_and_finding():
    cells = ("NO", "apache-lacks-host", "vhost-missing", "unknown", "0.30", "1.5", "wrong for plums.orchard.test")

    assert Row(FAULT, WRONG, 1.5).cells == cells


def test_the_report_counts_faults_and_healthy_apart():
    table = [Row(FAULT, RIGHT, 1.0), Row(FAULT, WRONG, 1.0), Row(MENDED, ALARM, 1.0)]

    assert list(report(table)) == [
        "    1 x  vhost-missing  taken for  unknown",
        "    1 x  healthy  taken for  unknown",
        "causes right 1/2, silent on healthy 0/1",
        "right in all 1/3",
    ]


def test_nothing_chosen_is_nothing_shown_right(capsys: pytest.CaptureFixture[str]):
    assert main(["--only", "no-such-scenario"]) == 1
    assert "right in all 0/0" in capsys.readouterr().out
