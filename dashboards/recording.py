"""Recording rules: what dashboards and alerts would otherwise add up over every domain again and again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recording:
    """One rule.

    Attributes:
        name: level:metric:operation, as Prometheus' documentation has it; job and instance are always kept.
        labels: what it keeps beside those.
    """

    name: str
    labels: frozenset[str]
    expr: str


def _rate(name: str, metric: str, *labels: str) -> Recording:
    kept = ", ".join(("job", "instance", *labels))
    return Recording(f"{name}:rate5m", frozenset(labels), f"sum by ({kept}) (rate({metric}[5m]))")


def _each(name: str, operation: str, value: str, *labels: str) -> Recording:
    kept = ", ".join(("job", "instance", *labels))
    return Recording(name, frozenset(labels), f"{operation} by ({kept}) ({value})")


CAUSE = ("cause", "title", "severity", "runbook_url")

LEADING = Recording(
    "domain:statuscode_cause:leading",
    frozenset(("domain", "cause_id", *CAUSE)),
    'count_values by (job, instance, domain) ("cause_id",\n'
    "    max by (job, instance, domain) (statuscode_domain_cause > 0)\n"
    "  )\n"
    f"  * on (job, cause_id) group_left ({', '.join(CAUSE)}) topk by (job, cause_id) (1, statuscode_cause_info)",
)
"""1 for the leading cause of each domain where something is wrong, by name."""

ADDRESS = _each(
    "domain_address:statuscode_probe_success:min",
    "min",
    'statuscode_probe_success{combination="matched"}',
    "domain",
    "address",
)
"""0 where any matched probe at an address is not as expected."""

SLOWEST = _each(
    "domain:statuscode_probe_duration_seconds:max",
    "max",
    "sum without (phase) (statuscode_probe_duration_seconds)",
    "domain",
)
"""All phases together, of the slowest address and protocol."""

WRONG = _each("domain:statuscode_domain_cause:wrong", "max", "statuscode_domain_cause > 0", "domain")
"""The number of the leading cause, only where something is wrong: a graph of a day need not read every domain."""

EXPOSED = _each("client:statuscode_coalescing_exposed:count", "count", "statuscode_coalescing_exposed", "client")

LONGEST_ROUND = _each("instance:statuscode_round_duration_seconds:max", "max", "statuscode_round_duration_seconds")
MEDIAN_ROUND = Recording(
    "instance:statuscode_round_duration_seconds:median",
    frozenset(),
    "quantile by (job, instance) (0.5, statuscode_round_duration_seconds)",
)

RECORDINGS = (
    _rate("combination_code:statuscode_http_responses", "statuscode_http_responses_total", "combination", "code"),
    _rate(
        "combination_expected:statuscode_misdirected_responses",
        "statuscode_misdirected_responses_total",
        "combination",
        "expected",
    ),
    _rate("phase_kind:statuscode_probe_failures", "statuscode_probe_failures_total", "phase", "kind"),
    LEADING,
    ADDRESS,
    SLOWEST,
    WRONG,
    EXPOSED,
    LONGEST_ROUND,
    MEDIAN_ROUND,
)
