"""What stands at the head of the dashboard about incidents over time: how many, how long, and who would meet them."""

from __future__ import annotations

from dashboards.queries import in_view, within_range
from dashboards.values import GREEN, ORANGE, RED, Panel, now

CODE = 'code=~"$code"'
ACTIVE = in_view("statuscode_incident_active", CODE)
EXPOSED = in_view("statuscode_coalescing_exposed")
_WRONG = in_view("combination_expected:statuscode_misdirected_responses:rate5m", 'expected="false"')
_OPENED = in_view("statuscode_incidents_total", CODE)
_SUM = in_view("statuscode_incident_duration_seconds_sum", CODE)
_COUNT = in_view("statuscode_incident_duration_seconds_count", CODE)

_NOW = Panel(
    id=1,
    kind="stat",
    title="Open now",
    description="Open incidents of the chosen status: one for each domain and cause.",
    width=4,
    height=4,
    queries=(now(f"count(max by (domain, cause) ({ACTIVE})) or vector(0)"),),
    thresholds=((None, GREEN), (1, RED)),
)
_IN_RANGE = Panel(
    id=2,
    kind="stat",
    title="Opened in range",
    description="Incidents of the chosen status that were opened within the time range.",
    width=4,
    height=4,
    decimals=0,
    queries=(now(f"sum({within_range(_OPENED)}) or vector(0)"),),
    thresholds=((None, GREEN), (1, ORANGE)),
)
_MEAN = Panel(
    id=3,
    kind="stat",
    title="Time to resolve",
    description="The mean of the incidents of the chosen status that ended within the time range.",
    width=4,
    height=4,
    unit="dtdurations",
    queries=(now(f"sum({within_range(_SUM)}) / (sum({within_range(_COUNT)}) > 0)"),),
    no_value="none ended",
    thresholds=((None, GREEN),),
)
_WRONG_421 = Panel(
    id=4,
    kind="stat",
    title="Wrong 421",
    description="Answers with 421 in this range that are an outage, to the minute, over all domains and whatever "
    "status is chosen.",
    width=4,
    height=4,
    decimals=0,
    queries=(now(f"sum(sum_over_time({_WRONG}[$__range:1m])) * 60 or vector(0)"),),
    thresholds=((None, GREEN), (1, RED)),
)
_NAMES = Panel(
    id=5,
    kind="stat",
    title="Names on shared connections",
    description="Domains that some browser would ask for on a sibling's connection: who would meet a misrouting.",
    width=8,
    height=4,
    queries=(now(f"count(count by (domain) ({EXPOSED})) or vector(0)"),),
    thresholds=((None, GREEN),),
)

FIGURES = (_NOW, _IN_RANGE, _MEAN, _WRONG_421, _NAMES)
