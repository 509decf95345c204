"""Whether the exporter itself is well: if it is not, the other dashboards cannot be trusted."""

from __future__ import annotations

from dashboards.health_figures import FIGURES, KNOWN, own
from dashboards.queries import of_instances
from dashboards.shared import HEALTH, INSTANCE, JOB, layers, others
from dashboards.values import Board, Panel, Query


def _rate(name: str, *matchers: str) -> str:
    return f"sum by (instance) (rate({own(name, *matchers)}[$__rate_interval]))"


def _quantile(share: float, name: str) -> str:
    return f"histogram_quantile({share}, sum by (instance, le) (rate({own(name)}[$__rate_interval])))"


_ROUNDS = Panel(
    id=9,
    kind="timeseries",
    title="Rounds",
    description="Per second: ended, left out because the one before still ran, broken off by a fault of ours.",
    width=8,
    height=8,
    unit="ops",
    minimum=0,
    queries=(
        Query(_rate("rounds_total"), "{{instance}} ended"),
        Query(_rate("rounds_missed_total"), "{{instance}} missed"),
        Query(_rate("round_errors_total"), "{{instance}} broken off"),
    ),
    no_value="none runs",
)
_LAG = Panel(
    id=10,
    kind="timeseries",
    title="Lateness",
    description="How late rounds start (99 of 100 at most so much), and the longest standstill of the event loop. "
    "What is late measures too much.",
    width=8,
    height=8,
    unit="s",
    minimum=0,
    queries=(
        Query(_quantile(0.99, "round_lag_seconds_bucket"), "{{instance}} rounds"),
        Query(f"max by (instance) ({own('event_loop_lag_seconds')})", "{{instance}} event loop"),
    ),
    no_value="none runs",
)
_IN_FLIGHT = Panel(
    id=11,
    kind="timeseries",
    title="In flight",
    description="Rounds and connections to probed domains that are under way; max_in_flight bounds the connections.",
    width=8,
    height=8,
    minimum=0,
    queries=(
        Query(f"max by (instance) ({own('rounds_in_flight')})", "{{instance}} rounds"),
        Query(f"max by (instance) ({own('connections_in_flight')})", "{{instance}} connections"),
    ),
    no_value="none runs",
)
_ROUND_TIME = Panel(
    id=12,
    kind="timeseries",
    title="How long rounds take",
    description="The slowest domain's, and the middle one's. Near the interval, rounds will be missed.",
    width=8,
    height=8,
    unit="s",
    minimum=0,
    queries=(
        Query(
            f"max by (instance) ({of_instances('instance:statuscode_round_duration_seconds:max')})",
            "{{instance}} slowest",
        ),
        Query(
            f"max by (instance) ({of_instances('instance:statuscode_round_duration_seconds:median')})",
            "{{instance}} median",
        ),
    ),
    no_value="nothing is probed",
)
_SERIES = Panel(
    id=13,
    kind="timeseries",
    title="Series",
    description="Shown in the last answer, of those that max_series bounds, and left out for lack of room.",
    width=8,
    height=8,
    minimum=0,
    queries=(
        Query(f"max by (instance) ({own('series')})", "{{instance}} shown"),
        Query(
            f"sum by (instance) (increase({own('series_dropped_total')}[$__rate_interval]))", "{{instance}} left out"
        ),
    ),
    no_value="none runs",
)
_SCRAPE = Panel(
    id=14,
    kind="timeseries",
    title="Scrapes",
    description="How long Prometheus waits for an answer.",
    width=8,
    height=8,
    unit="s",
    minimum=0,
    queries=(
        Query(
            'max by (instance) (scrape_duration_seconds{job=~"$job",instance=~"$instance"} and on (job, instance) '
            f"{KNOWN})",
            "{{instance}}",
        ),
    ),
    no_value="none runs",
)
_STORE = Panel(
    id=15,
    kind="timeseries",
    title="Store: waiting and lost",
    description="What is not on the disk yet; what was given up and writes that failed, per second.",
    width=8,
    height=8,
    minimum=0,
    queries=(
        Query(f"max by (instance) ({own('store_queue_length')})", "{{instance}} waiting"),
        Query(_rate("store_dropped_total"), "{{instance}} given up per second"),
        Query(_rate("store_errors_total"), "{{instance}} failed per second"),
    ),
    no_value="none runs",
)
_WRITES = Panel(
    id=16,
    kind="timeseries",
    title="Store: writes",
    description="How long they take: 99 of 100 at most so much.",
    width=4,
    height=8,
    unit="s",
    minimum=0,
    queries=(Query(_quantile(0.99, "store_write_duration_seconds_bucket"), "{{instance}}"),),
    no_value="nothing was written",
)
_SIZE = Panel(
    id=17,
    kind="timeseries",
    title="Store: size",
    description="Of the database, without what is free in it.",
    width=4,
    height=8,
    unit="bytes",
    minimum=0,
    queries=(Query(f"max by (instance) ({own('store_size_bytes')})", "{{instance}}"),),
    no_value="none runs",
)
_GRAFANA = Panel(
    id=18,
    kind="timeseries",
    title="Annotations to Grafana",
    description="Incidents that Grafana is still to be told of, and pushes per second by what became of them; "
    "only where `grafana` is configured.",
    width=8,
    height=8,
    minimum=0,
    queries=(
        Query(f"max by (instance) ({own('grafana_outbox_length')})", "{{instance}} waiting"),
        Query(
            f"sum by (instance, result) (rate({own('grafana_pushes_total')}[$__rate_interval]))",
            "{{instance}} {{result}} per second",
        ),
    ),
    no_value="none runs",
)
_MEMORY = Panel(
    id=19,
    kind="timeseries",
    title="Memory",
    description="Resident memory of the process.",
    width=8,
    height=8,
    unit="bytes",
    minimum=0,
    queries=(Query(f"max by (instance) ({of_instances('process_resident_memory_bytes')})", "{{instance}}"),),
    no_value="none runs",
)
_CPU = Panel(
    id=20,
    kind="timeseries",
    title="Processor",
    description="Seconds of one core per second: at 1, rounds start late.",
    width=8,
    height=8,
    unit="percentunit",
    minimum=0,
    queries=(
        Query(
            f"sum by (instance) (rate({of_instances('process_cpu_seconds_total')}[$__rate_interval]))", "{{instance}}"
        ),
    ),
    no_value="none runs",
)
_FILES = Panel(
    id=21,
    kind="timeseries",
    title="File descriptors",
    description="Open ones, beside how many the process may have.",
    width=8,
    height=8,
    minimum=0,
    queries=(
        Query(f"max by (instance) ({of_instances('process_open_fds')})", "{{instance}} open"),
        Query(f"max by (instance) ({of_instances('process_max_fds')})", "{{instance}} limit"),
    ),
    no_value="none runs",
)

BOARD = Board(
    uid=HEALTH,
    title="HTTP status: exporter",
    description="Whether the exporter is well: if it is not, do not trust the other dashboards.",
    links=others(HEALTH),
    variables=(JOB, INSTANCE),
    annotations=layers(of_instances, shown=False),
    rows=(
        FIGURES,
        (_ROUNDS, _LAG, _IN_FLIGHT),
        (_ROUND_TIME, _SERIES, _SCRAPE),
        (_STORE, _WRITES, _SIZE, _GRAFANA),
        (_MEMORY, _CPU, _FILES),
    ),
)
