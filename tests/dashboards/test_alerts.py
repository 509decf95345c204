"""promtool judges every alert: it does not fire, fires with what it has to say, and is over."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dashboards import build
from tests.dashboards import committed
from tests.dashboards.cases import (
    CASES,
    CONSTANT,
    FAILING,
    GRAFANA,
    JOB,
    PAGES,
    Case,
    in_other_words,
    of_another,
    of_incident,
)
from tests.dashboards.promtool import promtool

OF_DOMAINS = [case for case in CASES if "domain" in case.labels]
IDS = [f"{case.alert}-{'-'.join(case.labels.values())}" for case in CASES]


def judged(folder, series, expected):
    """What promtool finds wrong, nothing where all is as expected: (minute, alert, alerts that fire)."""
    asked = [
        {"eval_time": f"{minute}m", "alertname": f"StatusCode{alert}", "exp_alerts": alerts}
        for minute, alert, alerts in expected
    ]
    return promtool(folder, series, alert_rule_test=asked)


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


def fires_once(folder, series, case, minute=None, **how):
    """Whether it is one alert, in whose words ever: Prometheus has no order for those of two exporters."""
    labels = {"alertname": f"StatusCode{case.alert}", "alertstate": "firing", "job": "statuscode", **case.labels}
    named = ",".join(f'{name}="{value}"' for name, value in labels.items())
    asked = f'ALERTS{{alertname="StatusCode{case.alert}",alertstate="firing"}}'
    sample = {"labels": f"ALERTS{{{named}}}", "value": 1}
    return promtool(
        folder,
        series,
        promql_expr_test=[{"expr": asked, "eval_time": f"{minute or case.fires}m", "exp_samples": [sample]}],
        **how,
    )


@pytest.mark.parametrize("case", OF_DOMAINS, ids=IDS[: len(OF_DOMAINS)])
def test_two_exporters_that_see_one_incident_are_one_alert_however_they_word_it(tmp_path, case):
    series = CONSTANT | case.series | in_other_words(of_another(CONSTANT | case.series))

    assert fires_once(tmp_path, series, case) == ""


@pytest.mark.parametrize("case", OF_DOMAINS, ids=IDS[: len(OF_DOMAINS)])
def test_what_one_of_two_exporters_sees_is_one_alert(tmp_path, case):
    series = CONSTANT | case.series | in_other_words(of_another(CONSTANT))

    assert fires_once(tmp_path, series, case) == ""


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_exporter_that_is_seen_twice_while_it_is_replaced_breaks_no_alert(tmp_path, case):
    """A scraper that sets `instance` itself and adds the name of the pod: the old one's series live some minutes on."""
    other = of_another(CONSTANT | case.series, instance="e:10421", more=',pod="b"')
    series = CONSTANT | case.series | in_other_words(other)

    assert fires_once(tmp_path, series, case) == ""


def test_misrouting_that_two_exporters_hold_for_differently_severe_is_one_alert(tmp_path):
    (case,) = [case for case in CASES if case.alert == "Misrouted"]
    worse = {name.replace('severity="warning"', 'severity="critical"'): values for name, values in case.series.items()}
    series = CONSTANT | case.series | of_another(CONSTANT | worse)

    assert fires_once(tmp_path, series, case) == ""


def test_a_team_is_called_by_a_label_of_its_own(tmp_path):
    """Alertmanager routes by what the configuration says of a domain; PromQL wants such labels by name."""
    build.main([f"--output={tmp_path}", "--label=team", "--label=group"])
    mine = tmp_path / "prometheus/statuscode.rules.yaml"

    for case in OF_DOMAINS:
        of_team = replace(case, labels={**case.labels, "team": "pay"})
        assert fires_once(tmp_path, CONSTANT | case.series, of_team, rules=mine) == ""
    grafana = (tmp_path / "grafana/provisioning/alerting/rules.yaml").read_text("utf-8")
    assert grafana.count("group_left (group, team)") == mine.read_text("utf-8").count("group_left (group, team)") == 10


@pytest.mark.parametrize("label", ["", "no-dash", "a, b", "1st"])
def test_what_is_no_label_is_refused(capsys, tmp_path, label):
    with pytest.raises(SystemExit, match="2"):
        build.main([f"--output={tmp_path}", f"--label={label}"])

    assert "is no name of a label" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def without_a_minute(values, minute):
    """The same, with a scrape that failed: Prometheus then marks the series as stale."""
    samples = [one for part in values.split() for one in expanded(part)]
    return " ".join("stale" if at == minute else one for at, one in enumerate(samples))


def expanded(part):
    """What promtool makes of it: `a+bxn` is a, a+b, ... up to n steps."""
    found = re.fullmatch(r"(_|-?[\d.]+)(?:([+-])([\d.]+))?x(\d+)", part)
    if found is None:
        return [part]
    start, sign, step, times = found.groups()
    if start == "_":
        return ["_"] * int(times)
    by = float(f"{sign or '+'}{step or 0}")
    return [f"{float(start) + by * count:g}" for count in range(int(times) + 1)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_scrape_that_fails_once_ends_no_alert(tmp_path, case):
    series = {name: without_a_minute(values, case.fires + 1) for name, values in (CONSTANT | case.series).items()}

    assert [minute for minute in range(case.fires, case.fires + 4) if fires_once(tmp_path, series, case, minute)] == []


def test_another_cause_of_an_incident_leaves_no_gap_without_an_alert(tmp_path):
    """Or who was told of it would hear that it is over, and then of its lesser symptoms."""
    case = CASES[0]
    (name,) = [name for name in case.series if "incident_active" in name]
    turned = {
        name: "_x10 1x9 stale",
        name.replace("vhost-missing", "content-missing"): "_x20 1x19 stale",
        f'statuscode_domain_up{{{JOB},domain="a.test"}}': FAILING,
    }
    asked = 'count(ALERTS{alertname="StatusCodeMisdirected",alertstate="firing"}) >= 1'

    minutes = [
        {"expr": f"{asked} > bool 0", "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for minute in range(14, 35)
    ]
    assert promtool(tmp_path, CONSTANT | turned, promql_expr_test=minutes) == ""


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


def test_an_exporter_that_is_down_over_a_weekend_is_still_told_of(tmp_path):
    (case,) = [case for case in CASES if case.alert == "ExporterDown"]
    series = {f"up{{{JOB}}}": "1x9 0x4400", PAGES: "1x9 stale"}

    for minute in (24 * 60 + 60, 3 * 24 * 60):
        assert fires_once(tmp_path, series, case, minute) == ""


def test_a_link_holds_whatever_an_instance_is_called(tmp_path):
    (case,) = [case for case in CASES if case.alert == "ReloadFailed"]
    instance = "[2001:db8::1]:10421/a&b"
    series = {name.replace("e:10421", instance): values for name, values in case.series.items()}
    page = PAGES.replace('instance="e:10421"', f'instance="{instance}"')
    told = firing(
        replace(
            case,
            labels={**case.labels, "instance": instance},
            description=case.description.replace("e:10421", instance),
            panel=case.panel.replace("e%3A10421", "%5B2001%3Adb8%3A%3A1%5D%3A10421%2Fa%26b"),
        )
    )

    assert judged(tmp_path, {page: "1x300"} | series, [(case.fires, case.alert, [told])]) == ""


def test_every_runbook_of_a_case_exists():
    from exporter import runbooks

    assert {case.runbook.rpartition("/")[2] for case in CASES} <= set(runbooks.ids())
