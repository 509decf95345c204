from __future__ import annotations

import platform
import ssl

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter import __version__
from exporter.exposition import Format
from exporter.health import LAG_BUCKETS, Health

PARSERS = {Format.TEXT: parse_text, Format.OPENMETRICS: parse_openmetrics}


def samples(health, form=Format.TEXT):
    """Our own samples by name (and bucket)."""
    document = (health.text(form) + form.ending).decode()
    return {
        (sample.name.removeprefix("statuscode_exporter_"), *sample.labels.values()): sample.value
        for family in PARSERS[form](document)
        for sample in family.samples
        if sample.name.startswith("statuscode_exporter_") and not sample.name.endswith("_info")
    }


@pytest.fixture
def health():
    return Health()


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        (lambda health: health.round_missed(), {"rounds_missed_total": 1}),
        (lambda health: health.round_failed(), {"round_errors_total": 1}),
        (lambda health: health.connection_opened(), {"connections_in_flight": 1}),
        (lambda health: (health.connection_opened(), health.connection_closed()), {}),
        (lambda health: health.loop_lag(0.25), {"event_loop_lag_seconds": 0.25}),
        (lambda health: health.targets(5000), {"targets": 5000}),
        (lambda health: health.series(90, 10), {"series": 90, "series_dropped_total": 10}),
        (
            lambda health: (health.series(90, 10), health.series(100, 5)),
            {"series": 100, "series_dropped_total": 15},
        ),
        (
            lambda health: health.reloaded(ok=True, now=1_700_000_000.5),
            {
                "config_last_reload_successful": 1,
                "config_last_reload_success_timestamp_seconds": 1_700_000_000.5,
            },
        ),
        (
            lambda health: (health.reloaded(ok=True, now=7.0), health.reloaded(ok=False, now=8.0)),
            {"config_last_reload_success_timestamp_seconds": 7.0},
        ),
    ],
)
@pytest.mark.parametrize("form", Format)
def test_what_is_told_shows_in_both_formats_and_nothing_else_changes(health, told, changed, form):
    before = samples(health, form)
    told(health)

    assert samples(health, form) == before | {(name,): value for name, value in changed.items()}


def test_a_round_is_in_flight_from_start_to_end(health):
    health.round_started(0.002)
    running = samples(health)
    health.round_ended()
    ended = samples(health)

    assert (running["rounds_in_flight",], running["rounds_total",]) == (1, 0)
    assert (ended["rounds_in_flight",], ended["rounds_total",]) == (0, 1)


def test_lag_is_counted_in_buckets_from_a_millisecond_to_ten_seconds(health):
    for lag in (0.0005, 0.02, 11.0):
        health.round_started(lag)
    seen = samples(health)

    assert seen["round_lag_seconds_count",] == 3
    assert [seen["round_lag_seconds_bucket", str(bound)] for bound in LAG_BUCKETS] == [1] * 3 + [2] * 9
    assert (min(LAG_BUCKETS), max(LAG_BUCKETS)) == (0.001, 10.0)


def test_build_info_tells_the_versions_that_matter(health):
    (build,) = [
        family for family in parse_text(health.text(Format.TEXT).decode()) if family.name.endswith("build_info")
    ]

    assert build.samples[0].labels == {
        "version": __version__,
        "python_version": platform.python_version(),
        "openssl_version": ssl.OPENSSL_VERSION,
    }


def test_links_can_be_made_of_where_the_pages_are(health):
    health.found_at("https://status.example", "https://runbooks.example")

    assert (
        'statuscode_exporter_pages_info{runbooks="https://runbooks.example",url="https://status.example"} 1.0\n'
        in health.text(Format.TEXT).decode()
    )


def test_two_healths_share_nothing(health):
    Health().round_missed()

    assert samples(health)["rounds_missed_total",] == 0


def test_the_process_and_the_interpreter_are_told_too_and_no_series_says_only_when_it_was_created(health):
    text = health.text(Format.OPENMETRICS).decode()

    assert "process_resident_memory_bytes " in text
    assert "python_gc_collections_total" in text
    assert "_created" not in text


def test_the_text_leaves_the_ending_to_the_document(health):
    assert b"# EOF" not in health.text(Format.OPENMETRICS)
