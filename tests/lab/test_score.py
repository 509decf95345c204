"""When the exporter is right about a scenario, on paper."""

from __future__ import annotations

import pytest

from tests.lab.scenario import Scenario
from tests.lab.score import Finding, Findings, Judgement, confusion, judge, read


def scenario(cause: str, **more: object) -> Scenario:
    return Scenario(
        name="one",
        cause=cause,
        why="",
        targets={"a.test": ("edge",), "b.test": ("edge",)},
        servers=(),
        shows=(),
        **more,  # type: ignore[arg-type]
    )


A_IS_DOWN = scenario("upstream-down", broken=("a.test",), alike=("upstream-bad-answer",))
BOTH_ARE_DOWN = scenario("upstream-down", broken=("a.test", "b.test"))
A_MISLEADS_B = scenario("upstream-down", broken=("a.test",), besides=("strict-sni",))
LATENT = scenario("strict-sni")
HEALTHY = scenario("healthy")
RING = scenario("redirect-to-broken-host", broken=("a.test",), also={"b.test": "connection-refused"})

DOWN = Finding("upstream-down", "critical", 0.95)
ALIKE = Finding("upstream-bad-answer", "critical", 0.6)
QUIET = Finding("strict-sni", "info", 0.5)
STRICT = Finding("strict-sni", "warning")
REFUSED = Finding("connection-refused", "critical")
REDIRECT = Finding("redirect-to-broken-host", "warning")

CASES: tuple[tuple[Scenario, Findings, str], ...] = (
    (A_IS_DOWN, {"a.test": (DOWN,)}, ""),
    (A_IS_DOWN, {"a.test": (ALIKE,)}, ""),
    (A_IS_DOWN, {"a.test": (QUIET, DOWN)}, ""),
    (A_IS_DOWN, {"a.test": (DOWN,), "b.test": (DOWN,)}, ""),
    (A_IS_DOWN, {"a.test": (REFUSED, DOWN)}, "wrong for a.test"),
    (A_IS_DOWN, {"a.test": (DOWN,), "b.test": (REFUSED,)}, "false alarm: connection-refused"),
    (A_IS_DOWN, {}, "wrong for a.test"),
    (A_MISLEADS_B, {"a.test": (DOWN,), "b.test": (STRICT,)}, ""),
    (A_MISLEADS_B, {"a.test": (STRICT,), "b.test": (STRICT,)}, "wrong for a.test"),
    (BOTH_ARE_DOWN, {"a.test": (DOWN,), "b.test": ()}, "wrong for b.test"),
    (LATENT, {"b.test": (QUIET,)}, ""),
    (LATENT, {}, "not named"),
    (LATENT, {"a.test": (DOWN,), "b.test": (QUIET,)}, "false alarm: upstream-down"),
    (HEALTHY, {"a.test": (QUIET,)}, ""),
    (HEALTHY, {"a.test": (DOWN,)}, "false alarm: upstream-down"),
    (RING, {"a.test": (REDIRECT,), "b.test": (REFUSED,)}, ""),
    (RING, {"a.test": (REDIRECT,)}, "wrong for b.test"),
)


@pytest.mark.parametrize(("truth", "said", "why"), CASES)
def test_judgement(truth: Scenario, said: Findings, why: str):
    status = int(any(one.is_loud for found in said.values() for one in found))

    assert judge(truth, said, status).why == why


def test_the_exit_status_must_not_contradict_the_findings():
    assert judge(HEALTHY, {}, 1).why == "exit status 1 instead of 0"
    assert judge(A_IS_DOWN, {"a.test": (DOWN,)}, 0).why == "exit status 0 instead of 1"


def test_the_lowest_confidence_counts():
    assert judge(A_IS_DOWN, {"a.test": (DOWN,)}, 1) == Judgement(("upstream-down",), 0.95)


def test_findings_are_read_from_what_check_prints():
    found = {"cause": "upstream-down", "code": 502, "confidence": 0.95, "severity": "critical", "summary": "..."}

    assert read({"domains": [{"domain": "a.test", "up": False, "findings": [found]}]}) == {"a.test": (DOWN,)}


def test_confusions_are_counted():
    wrong = judge(A_IS_DOWN, {"a.test": (REFUSED,)}, 1)
    right = judge(A_IS_DOWN, {"a.test": (DOWN,)}, 1)

    pairs = [(A_IS_DOWN, said) for said in (wrong, right, wrong)]
    assert confusion(pairs) == [("upstream-down", "connection-refused", 2)]
