"""promtool judges every alert: it does not fire, fires with what it has to say, and is over."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.dashboards import committed
from tests.dashboards.cases import CASES, CONSTANT, GRAFANA, JOB, Case, info, of_incident
from tests.programs import program

IDS = [f"{case.alert}-{'-'.join(case.labels.values())}" for case in CASES]


def judged(folder, series, expected):
    """What promtool finds wrong, nothing where all is as expected: (minute, alert, alerts that fire)."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": f"StatusCode{alert}", "exp_alerts": alerts}
            for minute, alert, alerts in expected
        ],
    }
    file = folder / "test.yaml"
    document = {"rule_files": [str(committed.RULES)], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def firing(case: Case) -> dict:
    return {
        "exp_labels": {"job": "statuscode", **case.labels},
        "exp_annotations": {
            "summary": case.summary,
            "description": case.description,
            "runbook_url": case.runbook,
            "dashboard_url": f"{GRAFANA}/{case.panel}",
        },
    }


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_quiet_then_fires_with_its_runbook_then_is_over(tmp_path, case):
    minutes = [*case.quiet, case.over]
    expected = [(minute, case.alert, []) for minute in minutes] + [(case.fires, case.alert, [firing(case)])]
    expected += [(case.fires, other, []) for other in case.silent]

    assert judged(tmp_path, CONSTANT | case.series, expected) == ""


def test_no_alert_is_without_a_case():
    assert {f"StatusCode{case.alert}" for case in CASES} == {alert["alert"] for alert in committed.alerts()}


def test_promtool_does_find_faults(tmp_path):
    """A test that cannot fail would prove nothing."""
    case = CASES[0]

    assert "FAILED" in judged(tmp_path, CONSTANT | case.series, [(case.fires, case.alert, [])])


def test_two_exporters_that_see_one_incident_are_one_alert(tmp_path):
    case = CASES[0]
    other = JOB.replace("e:10421", "f:10421")
    twice = {name.replace(JOB, other): values for name, values in case.series.items()}
    elsewhere = info("vhost-missing", 107, "The server has no virtual host for the name", "critical", other)

    series = CONSTANT | case.series | twice | {elsewhere: "1x300"}

    assert judged(tmp_path, series, [(case.fires, case.alert, [firing(case)])]) == ""


def test_an_incident_at_a_domain_that_was_well_a_moment_ago_does_not_change_the_alert(tmp_path):
    """A domain that flaps is not told of by two alerts in turns."""
    case = of_incident(
        "ServerError",
        "500",
        "application-error",
        "critical",
        "A domain answers with a server error.",
        "a.test answers 500: The application fails.",
        up="1x9" + " 0x1 1x3" * 4 + " 1x90",
    )

    expected = [(minute, case.alert, [firing(case)]) for minute in (14, 18, 22, 26)]
    expected += [(minute, "Misrouted", []) for minute in (14, 18, 22, 26)]

    assert judged(tmp_path, CONSTANT | case.series, expected) == ""


def test_every_runbook_of_a_case_exists():
    from exporter import runbooks

    assert {case.runbook.rpartition("/")[2] for case in CASES} <= set(runbooks.ids())
