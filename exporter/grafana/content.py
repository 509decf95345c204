"""What an annotation says of an incident. Pure."""

from __future__ import annotations

from html import escape
from typing import Any

from exporter.config import Grafana
from exporter.model import Incident

_MOST_DOMAINS, _MOST_EVIDENCE, _LONGEST_LINE = 20, 10, 300


def tag(incident: Incident) -> str:
    return f"incident:{incident.id}"


def content(incident: Incident, settings: Grafana, external_url: str) -> dict[str, Any]:
    """What the annotation is to say; times in milliseconds."""
    code = "none" if incident.code is None else str(incident.code)
    said: dict[str, Any] = {
        "time": round(incident.since * 1000),
        "tags": [*settings.tags, tag(incident), f"cause:{incident.cause}", f"code:{code}"],
        "text": _text(incident, external_url),
    }
    if incident.until is not None:
        said["timeEnd"] = round(max(incident.until, incident.since) * 1000)
    if settings.dashboard_uid is not None:
        said["dashboardUID"] = settings.dashboard_uid
    return said


def _text(incident: Incident, external_url: str) -> str:
    """HTML, which Grafana cleans again before it shows it."""
    finding, domains = incident.finding, incident.domains
    more = f" and {len(domains) - _MOST_DOMAINS} more" if len(domains) > _MOST_DOMAINS else ""
    lines = [
        f"<b>{_html(finding.summary)}</b>",
        f"{_html(incident.cause)} at {', '.join(map(_html, domains[:_MOST_DOMAINS]))}{more}",
        *(f"- {_html(line)}" for line in finding.evidence[:_MOST_EVIDENCE]),
    ]
    if external_url:
        links = (("Incident", f"incidents/{incident.id}"), ("Runbook", f"runbooks/{incident.cause}"))
        lines.append(" · ".join(f'<a href="{_html(f"{external_url}/{path}")}">{name}</a>' for name, path in links))
    return "<br>".join(lines)


def _html(text: str) -> str:
    return escape(line(text))


def line(text: str) -> str:
    """On one line, printable, and bounded."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_LONGEST_LINE]
