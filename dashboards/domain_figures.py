"""What stands at the head of the dashboard about one domain: is it well, why not, since when."""

from __future__ import annotations

from dashboards.legend import CAUSES_SHOWN, YES_NO
from dashboards.queries import age, of_domain
from dashboards.shared import TIME, TIMELINE, TO_HEALTH
from dashboards.values import GREEN, GREY, LONG_AGO, ORANGE, RED, Link, Panel, now

_START = of_domain("statuscode_incident_start_timestamp_seconds")
_ROUND = of_domain("statuscode_round_timestamp_seconds")
_CERTIFICATE = of_domain("statuscode_tls_certificate_not_after_timestamp_seconds")

_UP = Panel(
    id=1,
    kind="stat",
    title="Up",
    description="Whether every matched probe of the last round (SNI and Host are the domain, a new connection) was so.",
    width=3,
    height=4,
    queries=(now(f"min({of_domain('statuscode_domain_up')})"),),
    no_value="not probed",
    shown=YES_NO,
)
_CAUSE = Panel(
    id=2,
    kind="stat:words",
    title="Leading cause",
    description="What is wrong, in a few words; the table below has the runbook.",
    width=6,
    height=4,
    queries=(now(f"max({of_domain('statuscode_domain_cause')})"),),
    no_value="not probed",
    shown=CAUSES_SHOWN,
    links=(Link("Its incidents over time", f"/d/{TIMELINE}/?var-domain=${{domain}}&var-code=$__all&{TIME}"),),
)
_SINCE = Panel(
    id=3,
    kind="stat",
    title="Open for",
    description="Age of the domain's oldest open incident.",
    width=4,
    height=4,
    unit="dtdhms",
    queries=(now(f"max({age(_START)})"),),
    no_value="nothing is open",
    thresholds=((None, GREY), (0, ORANGE), (3600, RED)),
)
_ENDS = Panel(
    id=4,
    kind="stat",
    title="Certificate left",
    description="The first certificate of the chains that matched probes were shown.",
    width=4,
    height=4,
    unit="dtdurations",
    queries=(now(f"min({_CERTIFICATE}) - time()"),),
    no_value="none was shown",
    thresholds=((None, GREY), (LONG_AGO, RED), (3 * 86400, ORANGE), (21 * 86400, GREEN)),
)
_TRUSTED = Panel(
    id=5,
    kind="stat",
    title="Trusted",
    description="Whether every matched probe was shown a certificate that is trusted, valid now and for the domain.",
    width=4,
    height=4,
    queries=(now(f"min({of_domain('statuscode_tls_certificate_trusted')})"),),
    no_value="none was shown",
    shown=YES_NO,
)
_AGE = Panel(
    id=6,
    kind="stat",
    title="Last round",
    description="How long ago the domain was probed.",
    width=3,
    height=4,
    unit="s",
    decimals=0,
    queries=(now(f"max(time() - {_ROUND})"),),
    no_value="not probed",
    thresholds=((None, GREY), (LONG_AGO, GREEN), (300, ORANGE), (900, RED)),
    links=(TO_HEALTH,),
)

FIGURES = (_UP, _CAUSE, _SINCE, _ENDS, _TRUSTED, _AGE)
