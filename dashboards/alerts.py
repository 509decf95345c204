"""The alerts, once: Prometheus' rules and Grafana's are both made of them.

One alert for each symptom; the cause is a label. Every expression is above zero where it fires, as Grafana asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards import domain, fleet, health, timeline
from dashboards.queries import CAUSE, everywhere, with_cause
from dashboards.recording import ADDRESS, LEADING, SLOWEST
from dashboards.values import Board

# Of a domain whose matched probes were at times not as expected, clients get the fault on connections of their own.
_FAILS = f"on (job, instance, domain) min_over_time({everywhere('statuscode_domain_up')}[10m]) == 0"

FROM_CAUSE = "{{ $labels.severity }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert.

    Attributes:
        lasts: how long the expression must hold.
        severity: or the label of the expression, by a template.
        summary: the same for all instances, so that notifications can be grouped by it.
        description, runbook: templates over `$labels` and `$value`.
        board, panel: where it shows.
        whose: the label that the dashboard is opened with.
    """

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    description: str
    runbook: str
    board: Board
    panel: int
    whose: str = "domain"


def _incidents(matcher: str, operator: str = "and") -> str:
    """Open incidents by code; once, however many exporters see them."""
    active = f"{everywhere('statuscode_incident_active', matcher) if matcher else 'statuscode_incident_active'}"
    seen = f"{active} {operator} {_FAILS}"
    return f"max by (job, domain, code, cause, {CAUSE}) (\n{with_cause(seen)}\n)"


def _of_domain(  # noqa: PLR0917  # the columns of a table
    name: str, expr: str, lasts: str, severity: str, summary: str, description: str, panel: int = 7
) -> Alert:
    return Alert(
        name=f"StatusCode{name}",
        expr=expr,
        lasts=lasts,
        severity=severity,
        summary=summary,
        description=description,
        runbook="{{ $labels.runbook_url }}",
        board=domain.BOARD,
        panel=panel,
    )


def _with_leading_cause(value: str, leading: str) -> str:
    """`value` of a domain with the leading cause, or the one for what has none."""
    labels = f"cause, {CAUSE}"
    unknown = everywhere("statuscode_cause_info", 'cause="unknown"')
    return (
        f"max by (job, domain, {labels}) (\n"
        f"  ({value}) * on (job, instance, domain) group_left ({labels}) {leading}\n"
        f"  or on (job, instance, domain)\n"
        f"  ({value}) * on (job, instance) group_left ({labels}) {unknown}\n"
        ")"
    )


def _with_fixed_cause(value: str, cause: str) -> str:
    labels = f"cause, {CAUSE}"
    info = everywhere("statuscode_cause_info", f'cause="{cause}"')
    return f"max by (job, domain, {labels}) (\n  ({value}) * on (job, instance) group_left ({labels}) {info}\n)"


_DIFFERS = f"count by (job, instance, domain) ({ADDRESS.name} == 0) and on (job, instance, domain) {ADDRESS.name} == 1"
_UP = everywhere("statuscode_domain_up")
# Four changes: it failed, came back and failed again within the hour. A single outage is no flapping.
_FLAPS = f"1 - avg_over_time({_UP}[1h]) > 0.05 and changes({_UP}[1h]) >= 4"
_COMMONEST = f"(topk by (job, instance, domain) (1, count_over_time({LEADING.name}[1h])) > bool 0)"
_NOT_AFTER = everywhere("statuscode_tls_certificate_not_after_timestamp_seconds")
_ENDS = f"min by (job, instance, domain) ({_NOT_AFTER}) - time() > 0 < 14 * 86400"
_SLOW = f"avg_over_time({SLOWEST.name}[10m]) > 2"

OF_DOMAINS = (
    _of_domain(
        "Misdirected",
        _incidents('code="421"'),
        "2m",
        FROM_CAUSE,
        "A domain is refused with 421 on connections of its own.",
        "{{ $labels.domain }} answers 421 to clients that open a connection for it: {{ $labels.title }}.",
    ),
    _of_domain(
        "ServerError",
        _incidents('code=~"5.."'),
        "2m",
        FROM_CAUSE,
        "A domain answers with a server error.",
        "{{ $labels.domain }} answers {{ $labels.code }}: {{ $labels.title }}.",
    ),
    _of_domain(
        "ClientError",
        _incidents('code=~"4..",code!="421"'),
        "2m",
        FROM_CAUSE,
        "A domain answers good requests with a client error.",
        "{{ $labels.domain }} answers {{ $labels.code }}: {{ $labels.title }}.",
    ),
    _of_domain(
        "NoAnswer",
        _incidents('code="none"'),
        "2m",
        FROM_CAUSE,
        "A domain gives no answer.",
        "{{ $labels.domain }} gives no answer: {{ $labels.title }}.",
    ),
    _of_domain(
        "UnexpectedAnswer",
        _incidents('code!~"4..|5..|none"'),
        "2m",
        FROM_CAUSE,
        "A domain answers, but not as expected.",
        "{{ $labels.domain }} answers {{ $labels.code }}, but not as expected: {{ $labels.title }}.",
    ),
    _of_domain(
        "Misrouted",
        _incidents("", "unless"),
        "5m",
        "warning",
        "A domain is answered wrongly on some connections.",
        "{{ $labels.domain }} is well on connections of its own; others (a sibling's, an old one, an alternative) "
        "get {{ $labels.code }}: {{ $labels.title }}.",
        panel=8,
    ),
    _of_domain(
        "AddressDiffers",
        _with_leading_cause(_DIFFERS, LEADING.name),
        "5m",
        "warning",
        "One address of a domain answers unlike the others.",
        "{{ $labels.domain }}: {{ $value }} of its addresses are not as expected, others are: {{ $labels.title }}.",
        panel=9,
    ),
    _of_domain(
        "Intermittent",
        _with_leading_cause(_FLAPS, _COMMONEST),
        "5m",
        "warning",
        "A domain comes and goes.",
        "{{ $labels.domain }} was not as expected in {{ $value | humanizePercentage }} of the last hour, "
        "and came back in between: {{ $labels.title }}.",
        panel=10,
    ),
    _of_domain(
        "Slow",
        _with_fixed_cause(_SLOW, "response-too-slow"),
        "5m",
        "warning",
        "A domain answers slowly.",
        "{{ $labels.domain }} took {{ $value | humanizeDuration }} over the last ten minutes, at its slowest address.",
        panel=11,
    ),
    _of_domain(
        "CertificateEnds",
        _with_fixed_cause(_ENDS, "cert-expired"),
        "15m",
        "warning",
        "A certificate ends within two weeks.",
        "The certificate of {{ $labels.domain }} ends in {{ $value | humanizeDuration }}.",
        panel=4,
    ),
)

_PAGES = everywhere("statuscode_exporter_pages_info")
# A dead exporter says nothing: where it was, is in what it said within a day. The last of what it said.
_PAGES_LATELY = f"topk by (job, instance) (1, last_over_time({_PAGES}[1d]))"


def _own(name: str, value: str, lasts: str, severity: str, summary: str, panel: int, pages: str = _PAGES) -> Alert:  # noqa: PLR0917  # the columns of a table
    return Alert(
        name=f"StatusCode{name}",
        expr=f"max by (job, instance, runbooks) (\n  ({value}) * on (job, instance) group_left (runbooks) {pages}\n)",
        lasts=lasts,
        severity=severity,
        summary=summary,
        description=f"{{{{ $labels.instance }}}}: {summary[0].lower()}{summary[1:]}",
        runbook="{{ $labels.runbooks }}/exporter-in-trouble",
        board=health.BOARD,
        panel=panel,
        whose="instance",
    )


def _increase(name: str, *matchers: str) -> str:
    return f"sum by (job, instance) (increase({everywhere(f'statuscode_exporter_{name}', *matchers)}[15m]))"


_AGE = f"max by (job, instance) (time() - {everywhere('statuscode_round_timestamp_seconds')})"
_MISSED, _ENDED = _increase("rounds_missed_total"), _increase("rounds_total")
_NOT_WRITTEN = _increase("grafana_pushes_total", 'result!="written"')
_RELOADED = everywhere("statuscode_exporter_config_last_reload_successful")
_STORE = everywhere("statuscode_exporter_store_up")

OF_EXPORTERS = (
    _own(
        "ExporterDown",
        "(up == bool 0) > 0",
        "5m",
        "critical",
        "The exporter cannot be scraped: nothing is known of its domains.",
        1,
        _PAGES_LATELY,
    ),
    _own(
        "RoundsStale",
        f"{_AGE} > 900",
        "5m",
        "critical",
        "The exporter has not probed some domains for a quarter of an hour.",
        6,
    ),
    _own(
        "RoundsMissed",
        f"{_MISSED} / ({_MISSED} + {_ENDED}) > 0.05",
        "15m",
        "warning",
        "The exporter leaves out more than one round of twenty, because the one before still runs.",
        9,
    ),
    _own(
        "RoundErrors",
        f"{_increase('round_errors_total')} > 0",
        "0s",
        "warning",
        "A fault of the exporter itself broke rounds off.",
        9,
    ),
    _own(
        "ReloadFailed",
        f"(1 - {_RELOADED}) > 0",
        "5m",
        "warning",
        "The exporter did not take its new configuration; the old one is in force.",
        3,
    ),
    _own(
        "StoreTrouble",
        f"(1 - {_STORE}) > 0 or {_increase('store_dropped_total')} > 0",
        "10m",
        "warning",
        "The disk of the exporter does not take incidents.",
        15,
    ),
    _own(
        "SeriesDropped",
        f"{_increase('series_dropped_total')} > 0",
        "15m",
        "warning",
        "The exporter leaves series out, because max_series bounds them.",
        13,
    ),
    _own(
        "AnnotationsFail",
        f"{_NOT_WRITTEN} > 0",
        "15m",
        "warning",
        "Grafana does not take the annotations of the exporter.",
        18,
    ),
)

ALERTS = (*OF_DOMAINS, *OF_EXPORTERS)
BOARDS = (fleet.BOARD, domain.BOARD, timeline.BOARD, health.BOARD)
