"""Incidents over time, 421 first: causes, right and wrong refusals, and who would meet the misrouting."""

from __future__ import annotations

from dataclasses import replace

from dashboards.legend import CAUSES_SHOWN, OF_REFUSALS
from dashboards.queries import in_view, newest, unless_empty, with_cause, within_range
from dashboards.shared import (
    AGE_COLUMN,
    CODES_421,
    DOMAIN_COLUMN,
    DOMAINS,
    INSTANCE,
    JOB,
    RUNBOOK_COLUMN,
    RUNBOOKS,
    SEVERITY_COLUMN,
    TIMELINE,
    TITLE_COLUMN,
    layers,
    others,
    to_domain,
)
from dashboards.timeline_figures import ACTIVE, CODE, EXPOSED, FIGURES
from dashboards.values import GREEN, ORANGE, Board, Column, Panel, Query, Shown, table_of
from exporter import runbooks
from exporter.incident_metrics import DURATION_BUCKETS

_BY_CAUSE = f"max by (domain, title) ({with_cause(ACTIVE)})"
_CAUSE = in_view("domain:statuscode_domain_cause:wrong")
_MISDIRECTED = in_view("combination_expected:statuscode_misdirected_responses:rate5m")
_PAIRS = in_view("client:statuscode_coalescing_exposed:count")
_COALESCED = in_view("statuscode_probe_success", 'combination="coalesced"')
_BUCKET = in_view("statuscode_incident_duration_seconds_bucket", CODE)

# As Grafana's data source shows them, which takes this label for a number.
_BOUNDS = ("a minute", "5 minutes", "15 minutes", "an hour", "4 hours", "a day", "a week")
_LENGTHS_SHOWN = (
    *((f"{seconds:g}", text) for seconds, text in zip(DURATION_BUCKETS, _BOUNDS, strict=True)),
    ("Infinity", "any time"),
)

# What a page of the index says of each cause that can be behind a 421.
_FIRST_LOOKS = (
    "vhost-tls-params-differ",
    "vhost-client-cert-differs",
    "sni-policy-forbids-connection-reuse",
    "vhost-certs-overlap",
    "sni-router-with-shared-cert",
    "vhost-missing",
    "application-answers-421",
    "rewrite-rule-421",
    "address-serves-other-hosts",
    "proxy-forwards-client-sni",
    "proxy-reuses-upstream-connection",
    "unknown",
)


def _pages() -> str:
    """Links to the runbooks, relative to the exporter that the hidden variable names."""
    titles = runbooks.titles()
    lines = [f"- [{titles[id_]}](${{runbooks}}/{id_})" for id_ in _FIRST_LOOKS]
    intro = (
        "421 on a new connection of the domain's own is an outage. On a connection that was opened for a sibling "
        "it is right: browsers ask again; many other clients do not. [All about 421](${runbooks}/421)"
    )
    return "\n".join((intro, "", *lines))


_STATES = Panel(
    id=6,
    kind="state-timeline",
    title="Causes over time",
    description="Domains while they had an incident of the chosen status, the twelve newest, and their leading cause.",
    width=24,
    height=10,
    queries=(
        Query(
            unless_empty(
                newest(f"{_CAUSE} and on (job, instance, domain) {ACTIVE}", among=ACTIVE),
                f"0 * max({in_view('statuscode_exporter_build_info')})",
                "domain",
                "all domains",
            ),
            "{{domain}}",
        ),
    ),
    no_value="no exporter answers",
    shown=(Shown(0, "none", GREEN), *CAUSES_SHOWN[1:]),
    max_data_points=300,
    links=(to_domain("${__field.labels.domain}"),),
)
_RIGHT_AND_WRONG = Panel(
    id=7,
    kind="timeseries:bars",
    title="421: right and wrong",
    description="All 421 answers per second, whatever status is chosen. expected=true: the server was right to refuse.",
    width=12,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(Query(f"sum by (expected, combination) ({_MISDIRECTED})", "expected={{expected}}, {{combination}}"),),
    paints=OF_REFUSALS,
    no_value="no 421",
)
_EXPOSURE = Panel(
    id=8,
    kind="timeseries",
    title="Pairs that browsers would share connections for",
    description="(domain, sibling) pairs by browser. A step up after a deployment: a certificate covers more names "
    "now, or names moved to one address.",
    width=12,
    height=8,
    minimum=0,
    queries=(Query(f"max by (client) ({_PAIRS})", "{{client}}"),),
    no_value="no browser would share a connection",
)
_MINUTES = Panel(
    id=9,
    kind="table",
    title="Minutes by cause",
    description="Minutes of incidents of the chosen status in this range, added up over domains.",
    width=8,
    height=9,
    queries=(table_of(f"sort_desc(sum by (title) (sum_over_time(({_BY_CAUSE})[$__range:1m])))"),),
    no_value="no incident of this status",
    columns=(
        TITLE_COLUMN,
        Column("Value", "Minutes", unit="none", decimals=0, thresholds=((None, ORANGE),), width=100),
    ),
)
_TABLE = Panel(
    id=10,
    kind="table",
    title="Incidents in this range",
    description="Incidents of the chosen status that were open within the range, and for how long of it, to the "
    "minute.",
    width=16,
    height=9,
    queries=(
        table_of(
            "sort_desc(max by (domain, code, cause, title, severity, runbook_url) ("
            f"{with_cause(f'60 * sum_over_time({ACTIVE}[$__range:1m])')}))"
        ),
    ),
    no_value="no incident of this status",
    columns=(
        SEVERITY_COLUMN,
        AGE_COLUMN,
        replace(DOMAIN_COLUMN, width=220),
        Column("code", "Status", width=70),
        TITLE_COLUMN,
        RUNBOOK_COLUMN,
    ),
)
_MISROUTED = Panel(
    id=11,
    kind="table",
    title="Misrouted on shared connections now",
    description="Domains that are answered wrongly on a sibling's connection, not with a 421 that would send clients "
    "back, and the browsers that meet it.",
    width=8,
    height=10,
    queries=(
        table_of(
            f"max by (domain, sibling, client) ({EXPOSED}) and on (domain, sibling)\n"
            f'  label_replace(min by (domain, sni) ({_COALESCED}) == 0, "sibling", "$1", "sni", "(.+)")'
        ),
    ),
    no_value="nothing is misrouted",
    columns=(DOMAIN_COLUMN, Column("sibling", "On the connection of"), Column("client", "Browser")),
)
_LENGTHS = Panel(
    id=12,
    kind="table",
    title="How long incidents lasted",
    description="How many of the incidents that ended in this range had been open for at most so long.",
    width=6,
    height=10,
    queries=(table_of(f"sort(sum by (le) ({within_range(_BUCKET)}) > 0)"),),
    no_value="none ended",
    columns=(
        Column("le", "At most", texts=_LENGTHS_SHOWN, left=True),
        Column("Value", "Incidents", decimals=0, thresholds=((None, ORANGE),), width=90),
    ),
    sorted_by=("At most",),
)
_TEXT = Panel(
    id=13,
    kind="text",
    title="What can be behind a 421",
    description="Runbooks, commonest first.",
    width=10,
    height=10,
    text=_pages(),
)

BOARD = Board(
    uid=TIMELINE,
    title="HTTP status: incidents",
    description="Causes over time, right and wrong 421, and who would meet misrouting on shared connections.",
    links=others(TIMELINE, fleet="${domain:queryparam}"),
    variables=(JOB, INSTANCE, DOMAINS, CODES_421, RUNBOOKS),
    annotations=layers(in_view, not_on=(_RIGHT_AND_WRONG.id, _EXPOSURE.id)),
    rows=(
        FIGURES,
        (_STATES,),
        (_RIGHT_AND_WRONG, _EXPOSURE),
        (_MINUTES, _TABLE),
        (_MISROUTED, _LENGTHS, _TEXT),
    ),
    since="now-24h",
)
