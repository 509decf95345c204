"""What Grafana and Alertmanager are given fits together."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.dashboards import committed
from tests.programs import program

RULES = [
    rule for group in committed.provisioned("provisioning/alerting/rules.yaml")["groups"] for rule in group["rules"]
]
SOURCE = committed.provisioned("provisioning/datasources/statuscode.yaml")["datasources"][0]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["title"])
def test_a_rule_shows_on_a_panel_that_exists(rule):
    uid, panel = rule["dashboardUid"], rule["panelId"]

    assert panel in {one["id"] for one in committed.BOARDS[uid]["panels"]}
    assert rule["annotations"]["__dashboardUid__"] == uid
    assert rule["annotations"]["__panelId__"] == str(panel)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["title"])
def test_a_rule_is_one_query_and_one_threshold(rule):
    query, condition = rule["data"]

    assert query["datasourceUid"] == query["model"]["datasource"]["uid"] == SOURCE["uid"]
    assert (condition["refId"], condition["model"]["expression"]) == (rule["condition"], query["refId"])
    assert (query["model"]["instant"], rule["noDataState"], rule["execErrState"]) == (True, "OK", "Error")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", rule["uid"])


def test_no_two_rules_have_one_uid():
    assert len({rule["uid"] for rule in RULES}) == len(RULES)


def test_an_alert_of_prometheus_opens_the_same_panel_as_that_of_grafana():
    links = {one["alert"]: one["annotations"]["dashboard_url"] for one in committed.alerts()}

    for rule in RULES:
        assert f"/d/{rule['dashboardUid']}/?viewPanel={rule['panelId']}&" in links[rule["title"]]


@pytest.mark.parametrize("alert", committed.alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_somebody_who_is_woken_needs(alert):
    told = alert["annotations"]

    assert list(told) == ["summary", "description", "runbook_url", "dashboard_url"]
    assert "{{" not in told["summary"]
    assert "{{" in told["description"]
    assert "for" in alert
    assert alert["labels"].get("severity") in {"critical", "warning"} or "severity" in alert["expr"]
    (variable,) = re.findall(r"&var-(\w+)=\{\{ \$labels\.(\w+) \| urlquery \}\}$", told["dashboard_url"])
    assert variable[0] == variable[1]


def test_what_is_for_texts_only_is_no_part_of_an_alerts_identity():
    """Else the same fault, seen by two exporters that link elsewhere, would be two alerts."""
    for alert in committed.alerts():
        for name in ("title", "runbook_url", "runbooks"):
            assert (name in alert["expr"]) == (alert["labels"].get(name) == ""), alert["alert"]


def test_examples_name_what_there_is():
    (contact,) = committed.provisioned("examples/contact-points.yaml")["contactPoints"]
    (policy,) = committed.provisioned("examples/policies.yaml")["policies"]
    (template,) = committed.provisioned("examples/templates.yaml")["templates"]
    defined = set(re.findall(r'define "([^"]+)"', template["template"]))
    settings = contact["receivers"][0]["settings"]

    assert policy["routes"][0]["receiver"] == contact["name"]
    assert {name for text in settings.values() for name in re.findall(r'template "([^"]+)"', text)} == defined


def test_examples_are_not_provisioned_by_the_folder_that_is_mounted():
    """Provisioned policies would replace everybody's."""
    names = {path.name for path in (committed.FOLDER / "grafana" / "provisioning" / "alerting").iterdir()}

    assert names == {"rules.yaml"}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("promtool", ("check", "config", "prometheus/prometheus.yaml")),
        ("promtool", ("check", "rules", "--lint=all", "--lint-fatal", "prometheus/statuscode.rules.yaml")),
        ("amtool", ("check-config", "alertmanager/alertmanager.yaml")),
    ],
)
def test_the_programs_themselves_have_nothing_to_complain_about(name, command):
    done = subprocess.run(
        [program(name), *command], cwd=committed.FOLDER, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
