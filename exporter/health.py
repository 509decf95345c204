"""How the exporter itself is: its own metrics, on a registry of their own. The home of prometheus_client."""

from __future__ import annotations

import platform
import ssl
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    exposition,
)
from prometheus_client.openmetrics import exposition as openmetrics

from exporter import __version__
from exporter.exposition import Format

# From a loop that is idle to one that starts rounds a whole timeout late.
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# From a solid-state disk that is idle to one that does little else than wait.
WRITE_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.5, 10.0)

# `_created` would double the number of counter series for what process_start_time_seconds says already;
# prometheus_client has one switch for all registries.
disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it so


class Health:
    """What the other rooms tell about their work.

    Each round is `round_started` once and `round_ended` once; a fault of ours in between is `round_failed` besides.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        build = Info("statuscode_exporter_build", "What is running.", registry=registry)
        build.info(
            {
                "version": __version__,
                "python_version": platform.python_version(),
                "openssl_version": ssl.OPENSSL_VERSION,
            }
        )
        self._pages = Info(
            "statuscode_exporter_pages",
            "Where people find this exporter's pages and its runbooks, for links in dashboards and alerts.",
            registry=registry,
        )
        self.found_at("", "")
        self._rounds_in_flight = Gauge("statuscode_exporter_rounds_in_flight", "Rounds running now.", registry=registry)
        self._connections_in_flight = Gauge(
            "statuscode_exporter_connections_in_flight", "Connections to probed domains open now.", registry=registry
        )
        self._round_lag = Histogram(
            "statuscode_exporter_round_lag_seconds",
            "How late rounds start after they were due.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._rounds = Counter("statuscode_exporter_rounds_total", "Rounds that ended.", registry=registry)
        self._rounds_missed = Counter(
            "statuscode_exporter_rounds_missed_total",
            "Rounds left out because the last one of their target was still running when they were due.",
            registry=registry,
        )
        self._round_errors = Counter(
            "statuscode_exporter_round_errors_total",
            "Rounds that a fault of the exporter itself broke off.",
            registry=registry,
        )
        self._event_loop_lag = Gauge(
            "statuscode_exporter_event_loop_lag_seconds",
            "Longest time for which the event loop stood still in the last measuring interval.",
            registry=registry,
        )
        self._series = Gauge(
            "statuscode_exporter_series",
            "Series that max_series bounds (the matrix and the counters of probed domains) in the last answer.",
            registry=registry,
        )
        self._series_dropped = Counter(
            "statuscode_exporter_series_dropped_total",
            "Series left out of answers because of max_series, summed over all answers.",
            registry=registry,
        )
        self._reload_successful = Gauge(
            "statuscode_exporter_config_last_reload_successful",
            "Whether the last attempt to load the configuration succeeded: 1, else 0.",
            registry=registry,
        )
        self._reload_timestamp = Gauge(
            "statuscode_exporter_config_last_reload_success_timestamp_seconds",
            "Unix time of the last successful load of the configuration.",
            registry=registry,
        )
        self._targets = Gauge("statuscode_exporter_targets", "Domains in the configuration.", registry=registry)
        self._store_up = Gauge(
            "statuscode_exporter_store_up", "Whether the store took the last write: 1, else 0.", registry=registry
        )
        self._store_errors = Counter(
            "statuscode_exporter_store_errors_total", "Writes that the store's disk did not take.", registry=registry
        )
        self._store_dropped = Counter(
            "statuscode_exporter_store_dropped_total",
            "Rounds and incidents that were given up while the disk did not take them.",
            registry=registry,
        )
        self._store_queue = Gauge(
            "statuscode_exporter_store_queue_length",
            "Rounds and incidents that are not on the disk yet.",
            registry=registry,
        )
        self._store_success = Gauge(
            "statuscode_exporter_store_last_success_timestamp_seconds",
            "Unix time of the last write that the store's disk took; 0: there was none.",
            registry=registry,
        )
        self._store_write = Histogram(
            "statuscode_exporter_store_write_duration_seconds",
            "How long writes to the store take.",
            buckets=WRITE_BUCKETS,
            registry=registry,
        )
        self._store_size = Gauge(
            "statuscode_exporter_store_size_bytes",
            "Size of the store's database, without what is free in it.",
            registry=registry,
        )
        self._grafana_pushes = Counter(
            "statuscode_exporter_grafana_pushes_total",
            "Annotations by what became of them: written, refused, forbidden (a wrong token), failed (tried again).",
            labelnames=("result",),
            registry=registry,
        )
        for result in ("written", "refused", "forbidden", "failed"):
            self._grafana_pushes.labels(result)
        self._grafana_outbox = Gauge(
            "statuscode_exporter_grafana_outbox_length",
            "Incidents of which Grafana is still to be told.",
            registry=registry,
        )

    def found_at(self, pages: str, runbooks: str) -> None:
        """`pages`, `runbooks`: URLs without a slash at the end; empty: nobody said."""
        self._pages.info({"url": pages, "runbooks": runbooks})

    def round_started(self, lag_seconds: float) -> None:
        self._rounds_in_flight.inc()
        self._round_lag.observe(lag_seconds)

    def round_ended(self) -> None:
        self._rounds_in_flight.dec()
        self._rounds.inc()

    def round_missed(self) -> None:
        self._rounds_missed.inc()

    def round_failed(self) -> None:
        self._round_errors.inc()

    def connection_opened(self) -> None:
        self._connections_in_flight.inc()

    def connection_closed(self) -> None:
        self._connections_in_flight.dec()

    def loop_lag(self, seconds: float) -> None:
        """`seconds`: the largest of the last measuring interval."""
        self._event_loop_lag.set(seconds)

    def series(self, shown: int, dropped: int) -> None:
        """How many series one answer shows, and how many it leaves out."""
        self._series.set(shown)
        self._series_dropped.inc(dropped)

    def reloaded(self, ok: bool, now: float) -> None:
        """`now`: Unix time in seconds. The first load counts as a reload too."""
        self._reload_successful.set(ok)
        if ok:
            self._reload_timestamp.set(now)

    def targets(self, number: int) -> None:
        self._targets.set(number)

    def grafana_told(self, result: str) -> None:
        self._grafana_pushes.labels(result).inc()

    def grafana_waiting(self, number: int) -> None:
        self._grafana_outbox.set(number)

    def store_wrote(self, seconds: float, now: float) -> None:
        """`now`: Unix time in seconds."""
        self._store_up.set(1)
        self._store_success.set(now)
        self._store_write.observe(seconds)

    def store_failed(self) -> None:
        self._store_up.set(0)
        self._store_errors.inc()

    def store_waiting(self, number: int) -> None:
        self._store_queue.set(number)

    def store_dropped(self, number: int) -> None:
        self._store_dropped.inc(number)

    def store_used(self, size_bytes: int) -> None:
        self._store_size.set(size_bytes)

    def values(self, *names: str) -> dict[str, float]:
        """What these metrics without labels show now: pages say what the metrics say."""
        families = self._registry.restricted_registry(names).collect()
        return {sample.name: sample.value for family in families for sample in family.samples if sample.name in names}

    def text(self, form: Format) -> bytes:
        """All of it, without the format's ending, so that it can stand in one document with other families."""
        return _WRITERS[form](self._registry).removesuffix(form.ending)


_WRITERS: dict[Format, Callable[[CollectorRegistry], bytes]] = {
    Format.TEXT: exposition.generate_latest,
    Format.OPENMETRICS: openmetrics.generate_latest,
}
