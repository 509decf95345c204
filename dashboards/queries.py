"""PromQL by name: series are looked up in the exporter's tables, and narrowed by the variables of a dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.names import of_exporter
from dashboards.recording import RECORDINGS

PLACE = ('job=~"$job"', 'instance=~"$instance"')

CAUSE = "title, severity, runbook_url"
OPEN = "domain, code, cause"


def everywhere(name: str, *matchers: str) -> str:
    """A series without variables, for rules."""
    labels_of(name)
    inner = ",".join(matchers)
    return f"{name}{{{inner}}}" if inner else name


def of_instances(name: str, *matchers: str) -> str:
    """A series of the exporters that are chosen."""
    return everywhere(name, *PLACE, *matchers)


def in_view(name: str, *matchers: str) -> str:
    """A series of the exporters and, where it is about domains, of the domains that are chosen."""
    about_domains = ('domain=~"$domain"',) if "domain" in labels_of(name) else ()
    return everywhere(name, *PLACE, *about_domains, *matchers)


def of_domain(name: str, *matchers: str) -> str:
    """A series of the one domain that a dashboard is about. Not by a pattern, in which a dot is any character."""
    return everywhere(name, *PLACE, 'domain="$domain"', *matchers)


def labels_of(name: str) -> frozenset[str]:
    """KeyError: there is no such series."""
    recorded = {one.name: one.labels for one in RECORDINGS}
    return recorded[name] if name in recorded else of_exporter()[name]


def one_by(labels: str, info: str) -> str:
    """One of each, to join with. Two would break the whole query, and a scraper's labels may make two of one."""
    return f"topk by ({labels}) (1, {info})"


def with_cause(expression: str) -> str:
    """Where `expression` is about causes: with their title and runbook. The severity is that of the incident.

    Exporters of several versions, or with pages of their own, word it differently: the words of one do for all.
    """
    for_view = "$job" in expression
    info = everywhere("statuscode_cause_info", *PLACE) if for_view else everywhere("statuscode_cause_info")
    shared = "cause" if for_view else "job, cause"
    return f"({expression})\n  * on ({shared}) group_left (title, runbook_url) {one_by(shared, info)}"


def with_page(expression: str) -> str:
    """With the URL of the exporter's pages."""
    pages = one_by("job, instance", of_instances("statuscode_exporter_pages_info"))
    return f"({expression})\n  * on (job, instance) group_left (url) {pages}"


def with_labels_of_domain(expression: str, labels: Sequence[str]) -> str:
    """With those labels that the configuration gives the domain: `group`, and whatever stands in its `labels`.

    A domain that is in two groups, as it is being moved or as two exporters have it, gets the labels of one.
    """
    lately = f"last_over_time({everywhere('statuscode_domain_info')}[10m])"  # a scrape may have failed
    return f"({expression})\n  * on (job, domain) group_left ({', '.join(labels)}) {one_by('job, domain', lately)}"


def unless_empty(expression: str, zero: str, label: str, text: str) -> str:
    """`expression`; where it is empty, `zero`, named: Grafana has no other words there."""
    return f'({expression}) or on () label_replace({zero}, "{label}", "{text}", "", "")'


ROWS = 12
"""Of a timeline with names beside it, which Grafana before 11.3 shows all at once, however low the panel is."""


def newest(states: str, *, among: str) -> str:
    """Of states by domain those of the domains that are newest in `among`, the same in the whole time range."""
    lasting = f"max by (domain) (count_over_time({among}[$__range] @ end()))"
    return f"max by (domain) ({states}) and on (domain) bottomk({ROWS}, {lasting})"


def age(start: str) -> str:
    """In whole seconds."""
    return f"floor(time() - {start})"


def within_range(counter: str) -> str:
    """How much a counter grew in the time range. One that was born in it is taken whole: the first event made it."""
    return f"(({counter} unless {counter} offset $__range) or increase({counter}[$__range]))"
