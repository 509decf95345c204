"""The first dashboard: what is wrong now, since when, why, and where the runbook is."""

from __future__ import annotations

from dataclasses import replace

from dashboards.fleet_figures import BY_CAUSE, CODE, FIGURES, START, UP
from dashboards.legend import CAUSES_SHOWN, OF_CODES, OF_FAILURES, OF_SEVERITIES
from dashboards.queries import CAUSE, OPEN, age, in_view, newest, unless_empty, with_cause, with_page
from dashboards.shared import (
    AGE_COLUMN,
    CODE_COLUMN,
    CODES,
    DOMAIN_COLUMN,
    DOMAIN_WIDTH,
    DOMAINS,
    EVIDENCE_COLUMN,
    FLEET,
    INSTANCE,
    JOB,
    RUNBOOK_COLUMN,
    SEVERITY_COLUMN,
    TITLE_COLUMN,
    layers,
    others,
    to_domain,
)
from dashboards.values import ORANGE, RED, Board, Column, Form, Panel, Query, table_of

_AGE_BY_CAUSE = f"max by ({CAUSE}) ({with_cause(age(START))})"
_WRONG = in_view("domain:statuscode_domain_cause:wrong")
_LEADING = in_view("domain:statuscode_cause:leading")
_INFO = in_view("statuscode_domain_info")
_PROCESSING = in_view("statuscode_request_duration_seconds_bucket", 'phase="processing"')
_OTHER_CODES = in_view(
    "combination_code:statuscode_http_responses:rate5m", 'combination="matched"', 'code!~"[23].."', CODE
)
_CERTIFICATES = in_view("statuscode_tls_certificate_not_after_timestamp_seconds")

_TABLE = Panel(
    id=7,
    kind="table",
    title="What is wrong now",
    description="Every open incident with its age, cause, runbook and evidence: the critical ones first, of these the "
    "newest. A domain leads to what it shows, a status to its incidents over time.",
    width=24,
    height=10,
    queries=(
        table_of(
            f"sort(topk by ({OPEN}, severity) (1, max by ({OPEN}, title, severity, runbook_url, url) ("
            f"{with_page(with_cause(age(START)))})))"
        ),
    ),
    no_value="no open incident",
    columns=(
        SEVERITY_COLUMN,
        AGE_COLUMN,
        replace(DOMAIN_COLUMN, width=DOMAIN_WIDTH),
        CODE_COLUMN,
        TITLE_COLUMN,
        RUNBOOK_COLUMN,
        EVIDENCE_COLUMN,
    ),
    sorted_by=("Severity",),
)
_CAUSES = Panel(
    id=14,
    kind="table",
    title="What is wrong now, by cause",
    description="How many domains each cause concerns, and since when. One cause of many domains: look for the one "
    "thing that they share.",
    width=14,
    height=7,
    queries=(
        table_of(f"sort_desc(count by ({CAUSE}) ({BY_CAUSE}))"),
        table_of(_AGE_BY_CAUSE),
    ),
    no_value="no open incident",
    columns=(
        SEVERITY_COLUMN,
        replace(AGE_COLUMN, name="Value #B"),
        Column("Value #A", "Domains", width=80, left=True),
        TITLE_COLUMN,
        RUNBOOK_COLUMN,
    ),
    sorted_by=("Severity",),
)
_DOMAINS_BY_CAUSE = Panel(
    id=15,
    kind="timeseries:area",
    title="Domains with something wrong, by leading cause",
    description="A step is one change that many share; a slope is something that spreads.",
    width=10,
    height=7,
    minimum=0,
    decimals=0,
    queries=(
        Query(f"count by (severity, title) (max by (domain, severity, title) ({_LEADING}))", "{{severity}}: {{title}}"),
    ),
    paints=OF_SEVERITIES,
    no_value="nothing was wrong",
)
_TIMELINE = Panel(
    id=8,
    kind="state-timeline",
    title="Leading cause by domain",
    description="Domains with something wrong, the twelve newest, and what; while nothing is, all in one. Many that "
    "begin in one moment share a change.",
    width=24,
    height=9,
    queries=(
        Query(
            unless_empty(
                newest(_WRONG, among=_WRONG),
                f"0 * max({in_view('statuscode_exporter_build_info')})",
                "domain",
                "all domains",
            ),
            "{{domain}}",
        ),
    ),
    no_value="no exporter answers",
    shown=CAUSES_SHOWN,
    max_data_points=300,
    links=(to_domain("${__field.labels.domain}"),),
)
_CODES_OVER_TIME = Panel(
    id=9,
    kind="timeseries:bars",
    title="Answers other than 2xx and 3xx",
    description="Answers to matched probes of all domains, by status: what every client gets.",
    width=8,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(Query(f"sum by (code) ({_OTHER_CODES})", "{{code}}"),),
    paints=OF_CODES,
    no_value="every answer was 2xx or 3xx",
)
_FAILURES = Panel(
    id=10,
    kind="timeseries:bars",
    title="Probes without an answer",
    description="By the phase that failed and how, over all domains and combinations.",
    width=8,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(
        Query(
            f"sum by (phase, kind) ({in_view('phase_kind:statuscode_probe_failures:rate5m')})", "{{phase}}: {{kind}}"
        ),
    ),
    paints=OF_FAILURES,
    no_value="every probe was answered",
)
_DURATIONS = Panel(
    id=11,
    kind="heatmap",
    title="Time to the first byte, all probes",
    description="How long servers took to answer once they were asked (phase processing), over all domains.",
    width=14,
    height=8,
    unit="s",
    queries=(Query(f"sum by (le) (increase({_PROCESSING}[$__rate_interval]))", "{{le}}", form=Form.HEATMAP),),
    no_value="no probe was answered",
)
_GROUPS = Panel(
    id=12,
    kind="table",
    title="Groups with domains down",
    description="Domains whose last round was not as expected, by the group of the configuration.",
    width=8,
    height=8,
    queries=(
        table_of(
            f"sort_desc(count by (group) (({UP} == 0) * on (domain) group_left (group) topk by (domain) (1, {_INFO})))"
        ),
    ),
    no_value="every group is up",
    columns=(
        Column("group", "Group"),
        Column("Value", "Domains", thresholds=((None, RED),), width=90),
    ),
)
_ENDING = Panel(
    id=13,
    kind="table",
    title="Certificates that end within 21 days",
    description="The twenty that end first. Below zero: it has ended.",
    width=10,
    height=8,
    queries=(table_of(f"sort(bottomk(20, (min by (domain) ({_CERTIFICATES}) - time()) < 21 * 86400))"),),
    no_value="none ends within 21 days",
    columns=(
        DOMAIN_COLUMN,
        Column("Value", "Ends in", unit="dtdurations", thresholds=((None, RED), (7 * 86400, ORANGE))),
    ),
)

BOARD = Board(
    uid=FLEET,
    title="HTTP status: fleet",
    description="What is wrong now, since when, why, and what to do, over all domains that statuscode-exporter probes.",
    links=others(FLEET, incidents="${domain:queryparam}&${code:queryparam}"),
    variables=(JOB, INSTANCE, DOMAINS, CODES),
    annotations=layers(in_view, not_on=(_CODES_OVER_TIME.id, _FAILURES.id, _DOMAINS_BY_CAUSE.id)),
    rows=(
        FIGURES,
        (_TABLE,),
        (_CAUSES, _DOMAINS_BY_CAUSE),
        (_TIMELINE,),
        (_CODES_OVER_TIME, _FAILURES, _GROUPS),
        (_DURATIONS, _ENDING),
    ),
)
