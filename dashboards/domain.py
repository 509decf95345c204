"""One domain: what each client gets, at which address, since when, and what is behind it."""

from __future__ import annotations

from dashboards.domain_figures import FIGURES
from dashboards.legend import ANSWERS, ANSWERS_IN_BRIEF, OF_ANSWERS, OF_FAILURES, OF_REFUSALS, WRONG
from dashboards.queries import OPEN, age, of_domain, with_cause, with_page
from dashboards.shared import (
    AGE_COLUMN,
    CODE_COLUMN,
    DOMAIN,
    DOMAIN_WIDTH,
    EVIDENCE_COLUMN,
    INSTANCE,
    JOB,
    ONE_DOMAIN,
    RUNBOOK_COLUMN,
    SEVERITY_COLUMN,
    TITLE_COLUMN,
    layers,
    others,
)
from dashboards.values import BLUE, RED, Board, Column, Panel, Query, table_of
from exporter.config import UNKNOWN_HOST

_START = of_domain("statuscode_incident_start_timestamp_seconds")


def _answers(*matchers: str) -> str:
    """Codes, of answers that are not as expected a thousand more."""
    code = of_domain("statuscode_probe_http_status_code", *matchers)
    return f"{code} + {WRONG} * (1 - {of_domain('statuscode_probe_success', *matchers)})"


def _named(expr: str, *words: tuple[str, str, str]) -> str:
    """The worst answer of each pair of SNI and Host. Each of `words`: a label, what is said, and for which names."""
    for label, text, name in words:
        expr = f'label_replace({expr}, "{label}", "{text}", "{label}", "{name}")'
    return f"max by (sni, host) ({expr})"


_NO_NAMES = (("sni", "no SNI", ""), ("host", "unknown host", UNKNOWN_HOST))
_OWN_NAMES = (("sni", "own SNI", "$domain"), ("host", "own Host", "$domain"))


# Names are left as they are, and so are codes that nobody registered; where those are wrong, they are red.
_UNMAPPED = ((None, "transparent"), (WRONG, RED))

_MATCHED = 'combination="matched"'

_TABLE = Panel(
    id=7,
    kind="table",
    title="What is wrong now",
    description="The domain's open incidents with runbook and evidence.",
    width=24,
    height=5,
    queries=(
        table_of(
            f"sort(topk by ({OPEN}, severity) (1, max by ({OPEN}, title, severity, runbook_url, url) ("
            f"{with_page(with_cause(age(_START)))})))"
        ),
    ),
    no_value="no open incident",
    columns=(
        SEVERITY_COLUMN,
        AGE_COLUMN,
        Column("domain", "Domain", width=DOMAIN_WIDTH),
        CODE_COLUMN,
        TITLE_COLUMN,
        RUNBOOK_COLUMN,
        EVIDENCE_COLUMN,
    ),
    sorted_by=("Severity",),
)
_MATRIX = Panel(
    id=8,
    kind="table:matrix",
    title="SNI x Host",
    description="The worst answer of each pair over all addresses, protocols and connections. Blue: a 421 that is "
    "right. Red, orange, violet: not what belongs there; 1499 is a wrong 499. The unknown host is a name that nobody "
    "owns.",
    width=14,
    height=8,
    unit="none",
    queries=(table_of(_named(_answers(), *_NO_NAMES)),),
    no_value="not probed",
    shown=ANSWERS,
    thresholds=_UNMAPPED,
    matrix=("sni", "host"),
    columns=(Column("sni\\host", "SNI \\ Host"),),
)
_ADDRESSES = Panel(
    id=9,
    kind="table:matrix",
    title="Address x protocol",
    description="What matched probes got. One row that differs: that address has another server or configuration.",
    width=10,
    height=8,
    unit="none",
    queries=(table_of(f"max by (address, protocol) ({_answers(_MATCHED)})"),),
    no_value="not probed",
    shown=ANSWERS,
    thresholds=_UNMAPPED,
    matrix=("address", "protocol"),
    columns=(Column("address\\protocol", "Address \\ protocol"),),
)
_HISTORY = Panel(
    id=10,
    kind="status-history",
    title="SNI -> Host over time",
    description="The matrix over time, the worst of each moment.",
    width=24,
    height=9,
    unit="none",
    queries=(Query(_named(_answers(), *_NO_NAMES, *_OWN_NAMES), "{{sni}} -> {{host}}"),),
    no_value="not probed",
    shown=ANSWERS_IN_BRIEF,
    interval="1m",
    max_data_points=100,
)
_PHASES = Panel(
    id=11,
    kind="timeseries:stacked",
    title="Where the time goes",
    description="Mean duration of each phase of matched probes over all addresses and protocols.",
    width=12,
    height=8,
    unit="s",
    minimum=0,
    queries=(Query(f"avg by (phase) ({of_domain('statuscode_probe_duration_seconds')})", "{{phase}}"),),
    no_value="no matched probe was answered",
)
_CODES = Panel(
    id=12,
    kind="timeseries:bars",
    title="Answers by status",
    description="Answers per second to all probes, matched or not.",
    width=12,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(
        Query(
            f"sum by (combination, code) (rate({of_domain('statuscode_http_responses_total')}[$__rate_interval]))",
            "{{combination}} {{code}}",
        ),
    ),
    paints=OF_ANSWERS,
    no_value="no probe was answered",
)
_MISDIRECTED = Panel(
    id=13,
    kind="timeseries:bars",
    title="421: right and wrong",
    description="A server is right to refuse names that it does not serve on that connection (expected=true). "
    "expected=false on a matched probe is an outage.",
    width=8,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(
        Query(
            "sum by (combination, expected) "
            f"(rate({of_domain('statuscode_misdirected_responses_total')}[$__rate_interval]))",
            "{{combination}}, expected={{expected}}",
        ),
    ),
    paints=OF_REFUSALS,
    no_value="no 421",
)
_FAILURES = Panel(
    id=14,
    kind="timeseries:bars",
    title="Probes without an answer",
    description="By the phase that failed and how.",
    width=8,
    height=8,
    unit="reqps",
    minimum=0,
    queries=(
        Query(
            f"sum by (phase, kind) (rate({of_domain('statuscode_probe_failures_total')}[$__rate_interval]))",
            "{{phase}}: {{kind}}",
        ),
    ),
    paints=OF_FAILURES,
    no_value="every probe was answered",
)
_EXPOSED = Panel(
    id=15,
    kind="table",
    title="Who shares connections",
    description="Browsers that would ask for this domain on a connection that they opened for the sibling.",
    width=8,
    height=8,
    queries=(table_of(f"max by (sibling, client) ({of_domain('statuscode_coalescing_exposed')})"),),
    no_value="no browser would",
    columns=(Column("sibling", "Connection of"), Column("client", "Browser")),
)
_ROUNDS = Panel(
    id=16,
    kind="timeseries",
    title="Rounds",
    description="How long rounds take, how many addresses the name has, and how many rounds ask everything once.",
    width=24,
    height=6,
    minimum=0,
    queries=(
        Query(f"max({of_domain('statuscode_round_duration_seconds')})", "seconds"),
        Query(f"max({of_domain('statuscode_domain_addresses')})", "addresses"),
        Query(f"max({of_domain('statuscode_domain_rounds_to_cover')})", "rounds to cover all"),
    ),
    no_value="not probed",
    thresholds=((None, BLUE),),
)

BOARD = Board(
    uid=DOMAIN,
    title="HTTP status: domain",
    description="What each client gets from one domain, at which address, since when, and what is behind it.",
    links=others(DOMAIN, incidents="${domain:queryparam}&var-code=$__all"),
    variables=(JOB, INSTANCE, ONE_DOMAIN),
    annotations=layers(of_domain),
    rows=(
        FIGURES,
        (_TABLE,),
        (_MATRIX, _ADDRESSES),
        (_HISTORY,),
        (_PHASES, _CODES),
        (_MISDIRECTED, _FAILURES, _EXPOSED),
        (_ROUNDS,),
    ),
)
