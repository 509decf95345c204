"""What all dashboards share: their uids, variables, layers of annotations, and links that keep time and choices."""

from __future__ import annotations

from collections.abc import Callable

from dashboards.legend import SEVERITIES
from dashboards.queries import everywhere, with_cause
from dashboards.values import BLUE, ORANGE, PURPLE, Annotation, Column, Link, Variable

FLEET, DOMAIN, TIMELINE, HEALTH = "statuscode-fleet", "statuscode-domain", "statuscode-421", "statuscode-exporter"

_CHOSEN = ('job=~"$job"', 'instance=~"$instance"')

Series = Callable[..., str]
"""One of `queries.of_instances`, `in_view` and `of_domain`."""


def _values(name: str, label: str, *matchers: str) -> str:
    return f"label_values({everywhere(name, *matchers)}, {label})"


JOB = Variable("job", "Job", _values("statuscode_exporter_build_info", "job"))
INSTANCE = Variable("instance", "Exporter", _values("statuscode_exporter_build_info", "instance", _CHOSEN[0]))
DOMAINS = Variable("domain", "Domain", _values("statuscode_domain_up", "domain", *_CHOSEN))
ONE_DOMAIN = Variable("domain", "Domain", DOMAINS.query, multi=False)
CODES = Variable("code", "Status", _values("statuscode_incident_active", "code", *_CHOSEN))
CODES_421 = Variable("code", "Status", CODES.query, default="421")
RUNBOOKS = Variable(
    "runbooks",
    "Runbooks",
    _values("statuscode_exporter_pages_info", "runbooks", *_CHOSEN),
    multi=False,
    hidden=True,
)

_PLACE = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
TIME = f"${{__url_time_range}}&{_PLACE}"


def to_domain(name: str = "${__value.raw}") -> Link:
    return Link("What the domain shows", f"/d/{DOMAIN}/?var-domain={name}&{TIME}")


TO_TIMELINE = Link(
    "Incidents of this status over time",
    f"/d/{TIMELINE}/?var-domain=${{__data.fields.domain}}&var-code=${{__value.raw}}&{TIME}",
)
TO_HEALTH = Link("Is the exporter well?", f"/d/{HEALTH}/?{TIME}")
TO_FLEET = Link("All domains", f"/d/{FLEET}/?{TIME}")

_BOARDS = {FLEET: "Fleet", DOMAIN: "Domain", TIMELINE: "Incidents", HEALTH: "Exporter"}


def others(own: str, **carried: str) -> tuple[Link, ...]:
    """Links to the other dashboards, which keep the time and the exporters.

    Not the domains: on the dashboard about one, all of them would be none, and the fleet is not one of them.

    Args:
        carried: what else a link carries along, by the first word of its title.
    """
    return tuple(
        Link(title, f"/d/{uid}/?{'&'.join((_PLACE, *filter(None, (carried.get(title.lower(), ''),))))}")
        for uid, title in _BOARDS.items()
        if uid != own
    )


# The columns of a table of incidents; `Value` is its own.
DOMAIN_COLUMN = Column("domain", "Domain", link=to_domain())
AGE_COLUMN = Column("Value", "Open for", unit="dtdhms", width=120, left=True)
DOMAIN_WIDTH = 280
"""Where it is a column among many: the cause has the rest."""
CODE_COLUMN = Column("code", "Status", width=70, link=TO_TIMELINE)
SEVERITY_COLUMN = Column("severity", "Severity", width=95, colors=SEVERITIES)
TITLE_COLUMN = Column("title", "Cause")
RUNBOOK_COLUMN = Column(
    "runbook_url", "Runbook", width=100, link=Link("Runbook", "${__value.raw}", new_tab=True), says="what to do"
)
EVIDENCE_COLUMN = Column(
    "url",
    "Evidence",
    width=140,
    link=Link("What was asked and answered", "${__value.raw}/domains/${__data.fields.domain}", new_tab=True),
    says="what was seen",
)


def layers(series: Series, *, shown: bool = True, not_on: tuple[int, ...] = ()) -> tuple[Annotation, ...]:
    """The layers of a dashboard.

    Args:
        shown: whether causes are, until somebody says otherwise.
        not_on: ids of graphs that regions of many incidents, one over the other, would hide.
    """
    return _causes(series, shown=shown, not_on=not_on), _alerts(series), _reloads()


def _causes(series: Series, *, shown: bool, not_on: tuple[int, ...]) -> Annotation:
    """Of one domain: each incident. Of many: each cause, or two hundred regions would lie on one another."""
    # A series that ended within the step counts too, so that no incident is too short for a wide view.
    active = series("statuscode_incident_active")
    lately = f"{active} or max_over_time({active}[$__interval])"
    return Annotation(
        name="Causes",
        expr=f"max by (code, cause, title, severity, runbook_url) (\n{with_cause(lately)}\n)",
        title="{{code}} {{title}}",
        text='<a href="{{runbook_url}}" target="_blank">Runbook: what to do</a>',
        tags=("code", "cause", "severity"),
        color=PURPLE,
        shown=shown,
        not_on=not_on,
    )


def _alerts(series: Series) -> Annotation:
    firing = 'alertstate="firing",alertname=~"StatusCode.+",job=~"$job"'
    # An alert about the exporter has no domain; a label that is missing would show as its own name.
    named = f'label_replace(ALERTS{{{firing}}}, "domain", "exporter", "domain", "")'
    one = f'ALERTS{{{firing},domain="$domain"}}'
    about_one = series("statuscode_domain_up").endswith('domain="$domain"}')
    return Annotation(
        name="Alerts",
        expr=f"max by (alertname, domain, severity) ({one if about_one else named})",
        title="{{alertname}} - {{domain}}",
        text="{{severity}}",
        tags=("alertname", "severity"),
        color=ORANGE,
    )


def _reloads() -> Annotation:
    loaded = everywhere("statuscode_exporter_config_last_reload_success_timestamp_seconds", *_CHOSEN)
    return Annotation(
        name="Reloads",
        expr=f"{loaded} * 1000",
        title="Configuration loaded",
        text="{{instance}}",
        tags=("instance",),
        color=BLUE,
        times=True,
    )
