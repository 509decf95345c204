"""What stands at the head of the first dashboard: how much is wrong, how long, and whether that can be trusted."""

from __future__ import annotations

from dashboards.queries import CAUSE, OPEN, age, in_view, unless_empty, with_cause
from dashboards.shared import TO_HEALTH
from dashboards.values import GREEN, GREY, LONG_AGO, ORANGE, RED, Panel, now

CODE = 'code=~"$code"'
ACTIVE = in_view("statuscode_incident_active", CODE)
START = in_view("statuscode_incident_start_timestamp_seconds", CODE)
BY_CAUSE = f"max by (domain, {CAUSE}) ({with_cause(ACTIVE)})"
UP = f"min by (domain) ({in_view('statuscode_domain_up')})"
_INCIDENTS = f"max by ({OPEN}) ({ACTIVE})"
_ROUNDS = in_view("statuscode_round_timestamp_seconds")

_ANY_IS_BAD = ((None, GREY), (0, GREEN), (1, RED))
_NONE = f"0 * max({in_view('statuscode_exporter_build_info')})"

_OPEN_INCIDENTS = Panel(
    id=1,
    kind="stat",
    title="Open incidents",
    description="Incidents that are open now: one for each domain, status and cause. Zero is well.",
    width=4,
    height=4,
    queries=(now(f"count({_INCIDENTS}) or {_NONE}"),),
    no_value="no exporter answers",
    thresholds=_ANY_IS_BAD,
)
_AFFECTED = Panel(
    id=2,
    kind="stat",
    title="Domains affected",
    description="Domains with an open incident, also those that are only concerned by a neighbour's.",
    width=4,
    height=4,
    queries=(now(f"count(max by (domain) ({ACTIVE})) or {_NONE}"),),
    no_value="no exporter answers",
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
    queries=(now(f"avg({UP})"),),
    no_value="no domain is probed",
    thresholds=((None, GREY), (0, RED), (0.95, ORANGE), (1, GREEN)),
)
_DOMINANT = Panel(
    id=4,
    kind="stat:name",
    title="Commonest cause",
    description="The cause with the most affected domains. One cause over many domains: look for one shared thing.",
    width=5,
    height=4,
    queries=(
        now(
            unless_empty(f"topk(1, count by (title) ({BY_CAUSE}))", _NONE, "title", "nothing is open"),
            "{{title}}",
        ),
    ),
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
    unit="dtdhms",
    queries=(now(f"max({age(START)})"),),
    no_value="nothing is open",
    thresholds=((None, GREY), (0, ORANGE), (3600, RED)),
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
    thresholds=((None, RED), (LONG_AGO, GREEN), (300, ORANGE), (900, RED)),
    links=(TO_HEALTH,),
)

FIGURES = (_OPEN_INCIDENTS, _AFFECTED, _UP_SHARE, _DOMINANT, _LONGEST, _FRESH)
