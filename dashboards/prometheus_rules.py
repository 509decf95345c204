"""The recording and alerting rules as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dashboards.alert import FROM_CAUSE, Alert
from dashboards.alerts_of_domains import OF_DOMAINS
from dashboards.alerts_of_exporter import OF_EXPORTERS
from dashboards.recording import RECORDINGS
from dashboards.yaml_text import document

_HEAD = "Made by dashboards/build.py from dashboards/recording.py and dashboards/alerts_of_*.py: change those."

# What is for the annotations only does not belong to an alert's identity. An empty label is none.
_NOT_IDENTITY = ("title", "runbook_url", "runbooks")

# Neither a scrape that fails, nor a restart, nor another cause of the same incident is the end of it: no `for` of an
# incident takes longer to begin anew, nor two rounds a minute apart. Known since Prometheus 2.42.
_KEPT = "5m"


def prometheus_rules(grafana_url: str, labels: Sequence[str]) -> str:
    """The text of a rule file.

    Arguments:
        grafana_url: below it dashboards are found.
        labels: of a domain's configuration, which alerts about it carry.
    """
    groups = [
        {"name": "statuscode-recording", "rules": [{"record": one.name, "expr": one.expr} for one in RECORDINGS]},
        {"name": "statuscode-domains", "rules": [_rule(one, grafana_url, labels) for one in OF_DOMAINS]},
        {"name": "statuscode-exporter", "rules": [_rule(one, grafana_url, labels) for one in OF_EXPORTERS]},
    ]
    return document(_HEAD, {"groups": groups})


def _rule(alert: Alert, grafana_url: str, labels: Sequence[str]) -> Mapping[str, object]:
    return {
        "alert": alert.name,
        "expr": alert.asked(labels),
        "for": alert.lasts,
        "keep_firing_for": _KEPT,
        "labels": dict(_labels(alert)),
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": alert.runbook,
            "dashboard_url": f"{grafana_url}/d/{alert.board.uid}/?viewPanel={alert.panel}"
            f"&var-{alert.whose}={{{{ $labels.{alert.whose} | urlquery }}}}",
        },
    }


def _labels(alert: Alert) -> Iterator[tuple[str, str]]:
    if alert.severity != FROM_CAUSE:
        yield "severity", alert.severity
    for name in _NOT_IDENTITY:
        if name in alert.expr:
            yield name, ""
