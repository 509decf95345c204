"""What Prometheus reads about probed domains: one table of rows, true counters, and what each last round showed."""

from exporter.metrics.counters import MAX_UNREGISTERED_CODES
from exporter.metrics.recording import DURATION_BUCKETS, MAX_SERIES, Metrics
from exporter.metrics.standing import certificate_not_after
from exporter.metrics.table import METRICS

__all__ = [
    "DURATION_BUCKETS",
    "MAX_SERIES",
    "MAX_UNREGISTERED_CODES",
    "METRICS",
    "Metrics",
    "certificate_not_after",
]
