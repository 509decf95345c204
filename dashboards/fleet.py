"""The first dashboard: what is wrong now, since when, why, and where the runbook is."""

from __future__ import annotations

from dataclasses import replace

from dashboards.legend import CAUSES_SHOWN, OF_CODES, OF_FAILURES
from dashboards.queries import CAUSE, OPEN, in_view, with_cause
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
    TO_HEALTH,
    layers,
    to_domain,
)
from dashboards.values import GREEN, ORANGE, RED, Board, Column, Form, Panel, Query, now, table_of

_CODE = 'code=~"$code"'
_ACTIVE = in_view("statuscode_incident_active", _CODE)
_START = in_view("statuscode_incident_start_timestamp_seconds", _CODE)
_INCIDENTS = f"max by ({OPEN}) ({_ACTIVE})"
_BY_CAUSE = f"max by (domain, {CAUSE}) ({with_cause(_ACTIVE)})"
_AGE_BY_CAUSE = f"max by ({CAUSE}) ({with_cause(f'time() - {_START}')})"
_UP = f"min by (domain) ({in_view('statuscode_domain_up')})"
_PAGES = in_view("statuscode_exporter_pages_info")
_ROUNDS = in_view("statuscode_round_timestamp_seconds")
_INFO = in_view("statuscode_domain_info")
_PROCESSING = in_view("statuscode_request_duration_seconds_bucket", 'phase="processing"')
_OTHER_CODES = in_view(
    "combination_code:statuscode_http_responses:rate5m", 'combination="matched"', 'code!~"[23].."', _CODE
)
_CERTIFICATES = in_view("statuscode_tls_certificate_not_after_timestamp_seconds")

_ANY_IS_BAD = ((None, GREEN), (1, RED))

_OPEN_INCIDENTS = Panel(
    id=1,
    kind="stat",
    title="Open incidents",
    description="Incidents that are open now: one for each domain, status and cause. Zero is well.",
    width=4,
    height=4,
    queries=(now(f"count({_INCIDENTS}) or vector(0)"),),
    thresholds=_ANY_IS_BAD,
)
_AFFECTED = Panel(
    id=2,
    kind="stat",
    title="Domains affected",
    description="Domains with an open incident, also those that are only concerned by a neighbour's.",
    width=4,
    height=4,
    queries=(now(f"count(max by (domain) ({_ACTIVE})) or vector(0)"),),
    thresholds=_ANY_IS_BAD,
)
_UP_SHARE = Panel(
    id=3,
    kind="stat",
    title="Domains up",
    description="Share of the domains whose matched probes all answered as expected in their last round.",
    width=4,
    height=4,
    unit="percentunit",
    decimals=1,
    queries=(now(f"avg({_UP})"),),
    no_value="no domain is probed",
    thresholds=((None, RED), (0.95, ORANGE), (1, GREEN)),
)
_DOMINANT = Panel(
    id=4,
    kind="stat:name",
    title="Commonest cause",
    description="The cause with the most affected domains. One cause over many domains: look for one shared thing.",
    width=5,
    height=4,
    queries=(now(f"topk(1, count by (title) ({_BY_CAUSE}))", "{{title}}"),),
    no_value="nothing is open",
    thresholds=_ANY_IS_BAD,
)
_LONGEST = Panel(
    id=5,
    kind="stat",
    title="Longest open",
    description="Age of the oldest open incident.",
    width=4,
    height=4,
    unit="dtdurations",
    decimals=1,
    queries=(now(f"max(time() - {_START})"),),
    no_value="nothing is open",
    thresholds=((None, ORANGE), (3600, RED)),
)
_FRESH = Panel(
    id=6,
    kind="stat",
    title="Round age",
    description="How long ago the domain was probed that waits longest. If this is red, do not trust the rest: "
    "look at the exporter.",
    width=3,
    height=4,
    unit="s",
    decimals=0,
    queries=(now(f"max(time() - {_ROUNDS})"),),
    no_value="no exporter answers",
    thresholds=((None, GREEN), (300, ORANGE), (900, RED)),
    links=(TO_HEALTH,),
)
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
            f"sort(max by ({OPEN}, title, severity, runbook_url, url) ("
            f"({with_cause(f'time() - {_START}')})\n  * on (job, instance) group_left (url) {_PAGES}))"
        ),
    ),
    no_value="nothing is wrong",
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
    width=15,
    height=7,
    queries=(
        table_of(f"sort_desc(count by ({CAUSE}) ({_BY_CAUSE}))"),
        table_of(_AGE_BY_CAUSE),
    ),
    no_value="nothing is wrong",
    columns=(
        SEVERITY_COLUMN,
        replace(AGE_COLUMN, name="Value #B"),
        Column("Value #A", "Domains", width=80, left=True),
        TITLE_COLUMN,
        RUNBOOK_COLUMN,
    ),
    sorted_by=("Severity",),
)
_TIMELINE = Panel(
    id=8,
    kind="state-timeline",
    title="Leading cause by domain",
    description="Domains with something wrong, and what: many that begin in one moment share a change.",
    width=24,
    height=9,
    queries=(Query(f"max by (domain) ({in_view('domain:statuscode_domain_cause:wrong')})", "{{domain}}"),),
    no_value="nothing was wrong",
    shown=CAUSES_SHOWN,
    max_data_points=300,
    links=(to_domain("${__field.labels.domain}"),),
)
_CODES_OVER_TIME = Panel(
    id=9,
    kind="timeseries:bars",
    title="Answers other than 2xx and 3xx",
    description="Answers to matched probes of all domains, by status: what every client gets.",
    width=12,
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
    width=12,
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
    width=9,
    height=7,
    queries=(
        table_of(
            "sort_desc(count by (group) "
            f"(({_UP} == 0) * on (domain) group_left (group) max by (domain, group) ({_INFO})))"
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
    variables=(JOB, INSTANCE, DOMAINS, CODES),
    annotations=layers(in_view, not_on=(_CODES_OVER_TIME.id, _FAILURES.id)),
    rows=(
        (_OPEN_INCIDENTS, _AFFECTED, _UP_SHARE, _DOMINANT, _LONGEST, _FRESH),
        (_TABLE,),
        (_CAUSES, _GROUPS),
        (_TIMELINE,),
        (_CODES_OVER_TIME, _FAILURES),
        (_DURATIONS, _ENDING),
    ),
)
