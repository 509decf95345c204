"""The same alerts as Grafana's own rules, for whoever has no Alertmanager: file provisioning, Grafana 9.1 and newer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dashboards.alert import FROM_CAUSE, Alert
from dashboards.alerts_of_domains import OF_DOMAINS
from dashboards.alerts_of_exporter import OF_EXPORTERS
from dashboards.yaml_text import document

_HEAD = (
    "Made by dashboards/build.py from dashboards/alerts_of_*.py: change those. Some read recording rules of Prometheus."
)

DATASOURCE_UID = "statuscode-prometheus"
FOLDER = "HTTP status"


def grafana_rules(labels: Sequence[str]) -> str:
    """The text of a file to provision; alerts about domains carry these `labels` of their configuration."""
    groups = [
        {"orgId": 1, "name": name, "folder": FOLDER, "interval": "1m", "rules": [_rule(one, labels) for one in alerts]}
        for name, alerts in (("statuscode-domains", OF_DOMAINS), ("statuscode-exporter", OF_EXPORTERS))
    ]
    return document(_HEAD, {"apiVersion": 1, "groups": groups})


def uid(alert: Alert) -> str:
    """At most 40 letters, digits, dashes and underscores.

    >>> re.sub(r"(?<!^)(?=[A-Z])", "-", "StatusCodeNoAnswer").lower()
    'status-code-no-answer'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert.name).lower()


def _rule(alert: Alert, labels: Sequence[str]) -> Mapping[str, object]:
    shows = {"__dashboardUid__": alert.board.uid, "__panelId__": str(alert.panel)}
    texts = {"summary": alert.summary, "description": alert.description, "runbook_url": alert.runbook}
    return {
        "uid": uid(alert),
        "title": alert.name,
        "condition": "B",
        "data": [_query(alert.asked(labels)), _above_zero()],
        "dashboardUid": alert.board.uid,
        "panelId": alert.panel,
        # Incidents are series that are there while they are open: none is what is hoped for.
        "noDataState": "OK",
        "execErrState": "Error",
        "for": alert.lasts,
        "annotations": {name: _in_grafana(text) for name, text in texts.items()} | shows,
        "labels": {} if alert.severity == FROM_CAUSE else {"severity": alert.severity},
        "isPaused": False,
    }


def _in_grafana(template: str) -> str:
    return template.replace("$value", "$values.A.Value")


def _query(expr: str) -> Mapping[str, object]:
    model = {"refId": "A", "expr": expr, "instant": True, "range": False, "editorMode": "code"}
    source = {"type": "prometheus", "uid": DATASOURCE_UID}
    return {
        "refId": "A",
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": DATASOURCE_UID,
        "model": {**model, "datasource": source},
    }


def _above_zero() -> Mapping[str, object]:
    expression = "__expr__"  # Grafana's own source, whose query calculates
    condition = {"evaluator": {"type": "gt", "params": [0]}}
    model = {"refId": "B", "type": "threshold", "expression": "A", "conditions": [condition]}
    return {
        "refId": "B",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": expression,
        "model": {**model, "datasource": {"type": expression, "uid": expression}},
    }
