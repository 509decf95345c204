"""Alerts about the exporter itself. Every expression is above zero where it fires, as Grafana asks for."""

from __future__ import annotations

from dashboards import health
from dashboards.alert import Alert
from dashboards.queries import everywhere, one_by

_PAGES = everywhere("statuscode_exporter_pages_info")
_ONE_PAGE = one_by("job, instance", _PAGES)
# A dead exporter says nothing: where it was, is in what it said within a week: it may be down over a weekend.
_PAGES_LATELY = one_by("job, instance", f"last_over_time({_PAGES}[7d])")


def _own(name: str, value: str, lasts: str, severity: str, summary: str, panel: int, pages: str = _ONE_PAGE) -> Alert:  # noqa: PLR0917  # the columns of a table
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


_DUE = f"{everywhere('statuscode_round_timestamp_seconds')} + {everywhere('statuscode_round_interval_seconds')}"
_LATE = f"max by (job, instance) (time() - ({_DUE}))"
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
        f"{_LATE} > 900",
        "5m",
        "critical",
        "The exporter is a quarter of an hour late with rounds of some domains.",
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
