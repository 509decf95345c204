"""Findings as one JSON document: the contract of `--output=json`."""

from __future__ import annotations

import json

import pytest

from exporter.documents import is_healthy, report
from exporter.model import Excluded, Experiment, Protocol, Severity, Trial, Variation
from tests.factories import DOMAIN, finding, observation, round_, target

WHOLE = finding(
    "upstream-down",
    DOMAIN,
    "api.test",
    evidence=("it says 502",),
    against=("once it was 200",),
    excluded=(Excluded("upstream-too-slow", "the error comes at once"),),
    would_confirm="the proxy's error log",
    noticed_by=("everybody",),
    reproduce=("curl https://shop.test/",),
    fix=("Start the application.",),
)
REMARK = finding("host-header-shape", severity=Severity.INFO)


def test_a_finding_is_told_with_all_that_it_says():
    (told,) = report([round_(findings=(WHOLE,))])["domains"]

    assert told == {
        "domain": DOMAIN,
        "group": "shop",
        "up": True,
        "addresses": ["127.0.0.1"],
        "probes": 1,
        "findings": [
            {
                "cause": "upstream-down",
                "code": 502,
                "confidence": 0.8,
                "severity": "critical",
                "domains": [DOMAIN, "api.test"],
                "summary": "upstream-down at shop.test, api.test",
                "evidence": ["it says 502"],
                "against": ["once it was 200"],
                "excluded": [{"cause": "upstream-too-slow", "why": "the error comes at once"}],
                "would_confirm": "the proxy's error log",
                "noticed_by": ["everybody"],
                "reproduce": ["curl https://shop.test/"],
                "fix": ["Start the application."],
                "runbook": "runbooks/upstream-down",
            }
        ],
    }


def test_a_healthy_domain_has_an_empty_list():
    (told,) = report([round_()])["domains"]

    assert (told["up"], told["findings"]) == (True, [])


def test_order_is_kept_and_probes_of_experiments_count():
    trial = Trial(
        Experiment.NO_SNI, DOMAIN, "127.0.0.1", Protocol.HTTP11, answers=((Variation.AS_CONFIGURED, observation()),)
    )
    rounds = [round_(of=target("b.test"), trials=(trial,), findings=(WHOLE, REMARK)), round_(of=target("a.test"))]

    told = report(rounds)["domains"]

    assert [(one["domain"], one["probes"]) for one in told] == [("b.test", 2), ("a.test", 1)]
    assert [one["cause"] for one in told[0]["findings"]] == ["upstream-down", "host-header-shape"]


@pytest.mark.parametrize(
    ("findings", "healthy"),
    [
        ([], True),
        ([REMARK], True),
        ([finding(severity=Severity.WARNING)], False),
        ([finding(severity=Severity.CRITICAL)], False),
        ([REMARK, finding(severity=Severity.WARNING)], False),
    ],
)
def test_only_what_is_more_than_a_remark_is_unhealthy(findings, healthy):
    assert is_healthy([round_(), round_(findings=tuple(findings))]) is healthy


def test_numbers_and_texts_survive_json():
    told = report([round_(findings=(WHOLE,))])

    assert json.loads(json.dumps(told, ensure_ascii=True)) == told
