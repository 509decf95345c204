"""Alerts about what clients of a domain get. Every expression is above zero where it fires, as Grafana asks for."""

from __future__ import annotations

from dashboards import domain
from dashboards.alert import FROM_CAUSE, Alert
from dashboards.queries import everywhere, with_cause
from dashboards.recording import ADDRESS, LEADING, SLOWEST

# Of a domain whose matched probes were at times not as expected, clients get the fault on connections of their own.
_FAILS = f"on (job, instance, domain) min_over_time({everywhere('statuscode_domain_up')}[10m]) == 0"


def _incidents(matcher: str, operator: str = "and") -> str:
    """Open incidents by code; once, however many exporters see them."""
    active = f"{everywhere('statuscode_incident_active', matcher) if matcher else 'statuscode_incident_active'}"
    # Whose severity is fixed is one alert, however severe exporters hold it for.
    severity = ", severity" if operator == "and" else ""
    return with_cause(f"max by (job, domain, code, cause{severity}) (\n  {active} {operator} {_FAILS}\n)")


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
    return with_cause(
        "max by (job, domain, cause) (\n"
        f"  ({value}) * on (job, instance, domain) group_left (cause) {leading}\n"
        f"  or on (job, instance, domain)\n"
        f"  {_named(value, 'unknown')}\n"
        ")"
    )


def _with_fixed_cause(value: str, cause: str, worst: str = "max") -> str:
    return with_cause(f"{worst} by (job, domain, cause) (\n  {_named(value, cause)}\n)")


def _named(value: str, cause: str) -> str:
    return f'label_replace({value}, "cause", "{cause}", "", "")'


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
        _with_fixed_cause(_ENDS, "cert-expired", "min"),
        "15m",
        "warning",
        "A certificate ends within two weeks.",
        "The certificate of {{ $labels.domain }} ends in {{ $value | humanizeDuration }}.",
        panel=4,
    ),
)
