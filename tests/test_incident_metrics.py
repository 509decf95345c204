"""What Prometheus reads about incidents, by the clock that the test holds."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition import Format
from exporter.incident_metrics import METRICS, IncidentMetrics
from exporter.model import Change, ChangeKind, Severity, Stage
from tests.factories import NOON
from tests.store.kept import incident

PARSERS = {Format.TEXT: parse_text, Format.OPENMETRICS: parse_openmetrics}


class Reader:
    """Incidents told of, and what a scrape then shows."""

    def __init__(self):
        self.now = NOON
        self.metrics = IncidentMetrics(lambda: self.now)
        self._open = {}

    def tell(self, kind, one):
        self._open[one.id] = one
        if kind is ChangeKind.RESOLVED:
            del self._open[one.id]
        self.metrics.tell([Change(kind, one, self.now, "")], self._open)

    def samples(self, name, form=Format.TEXT):
        document = b"".join(self.metrics.chunks(form)) + form.ending
        found = [sample for family in PARSERS[form](document.decode()) for sample in family.samples]
        values = {
            tuple(sample.labels.values()): sample.value for sample in found if sample.name == f"statuscode_{name}"
        }
        assert len(values) == sum(sample.name == f"statuscode_{name}" for sample in found)
        return values


@pytest.fixture
def reader():
    return Reader()


A = ("a.test", "502", "upstream-down", "critical")
B = ("b.test", "502", "upstream-down", "critical")
OPENED, UPDATED, RESOLVED = ChangeKind


@pytest.mark.parametrize("form", Format)
def test_an_open_incident_is_one_series_per_domain_with_its_start(reader, form):
    reader.tell(OPENED, incident("1", "a.test", "b.test", since=NOON - 30))

    assert reader.samples("incident_active", form) == {A: 1, B: 1}
    assert reader.samples("incident_start_timestamp_seconds", form) == {A: NOON - 30, B: NOON - 30}
    assert reader.samples("incidents_total", form) == {("502", "upstream-down"): 1}


def test_no_status_is_none(reader):
    reader.tell(OPENED, incident("1", "a.test", code=None))

    assert reader.samples("incident_active") == {("a.test", "none", "upstream-down", "critical"): 1}


def test_it_disappears_when_it_is_over(reader):
    reader.tell(OPENED, incident("1", "a.test"))
    reader.now += 3600
    reader.tell(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED, until=reader.now))

    assert reader.samples("incident_active") == {}
    assert reader.samples("incident_start_timestamp_seconds") == {}
    assert reader.samples("incident_duration_seconds_sum") == {("502",): 3600}
    assert reader.samples("incident_duration_seconds_bucket")["502", "3600.0"] == 1
    assert reader.samples("incident_duration_seconds_bucket")["502", "900.0"] == 0


def test_a_short_one_is_shown_for_two_scrapes(reader):
    reader.tell(OPENED, incident("1", "a.test"))
    reader.now += 5
    reader.tell(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED, until=reader.now))

    reader.now = NOON + 119
    assert reader.samples("incident_active") == {A: 1}
    reader.now = NOON + 120
    assert reader.samples("incident_active") == {}


def test_how_often_prometheus_asks_can_be_said(reader):
    reader.metrics.scrape_interval_seconds = 1
    reader.tell(OPENED, incident("1", "a.test"))
    reader.tell(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED))
    reader.now += 2

    assert reader.samples("incident_active") == {}


def test_one_that_opens_while_the_last_is_still_shown_is_the_same_series_with_a_new_start(reader):
    reader.tell(OPENED, incident("1", "a.test"))
    reader.tell(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED))
    reader.now += 30
    reader.tell(OPENED, incident("2", "a.test", since=NOON + 20))

    assert reader.samples("incident_active") == {A: 1}
    assert reader.samples("incident_start_timestamp_seconds") == {A: NOON + 20}
    reader.now += 3600
    assert reader.samples("incident_active") == {A: 1}


def test_another_cause_is_another_series_in_place_of_the_first(reader):
    reader.tell(OPENED, incident("1", "a.test", "b.test"))
    reader.now += 3600
    reader.tell(UPDATED, incident("1", "a.test", code=504))

    assert reader.samples("incident_active") == {("a.test", "504", "upstream-down", "critical"): 1}
    assert reader.samples("incidents_total") == {("502", "upstream-down"): 1}


def test_the_severity_is_the_findings_and_not_the_causes_usual_one(reader):
    reader.tell(OPENED, incident("1", "a.test", severity=Severity.WARNING))

    assert reader.samples("incident_active") == {("a.test", "502", "upstream-down", "warning"): 1}


def test_what_was_open_before_the_start_is_shown_and_not_counted(reader):
    reader.metrics.restore([incident("1", "a.test", since=NOON - 9000), incident("2", "b.test", stage=Stage.PENDING)])

    assert reader.samples("incident_active") == {A: 1}
    assert reader.samples("incident_start_timestamp_seconds") == {A: NOON - 9000}
    assert reader.samples("incidents_total") == {}


def test_one_that_was_over_before_it_could_be_told_is_shown_for_two_scrapes_too(reader):
    reader.metrics.tell([Change(OPENED, incident("1", "a.test"), NOON, "")], {})
    reader.metrics.tell([Change(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED), NOON, "")], {})

    assert reader.samples("incident_active") == {A: 1}


def test_what_became_a_part_of_another_has_no_duration(reader):
    from dataclasses import replace

    part = replace(incident("2", "a.test", stage=Stage.RESOLVED), merged_into="1")
    reader.tell(OPENED, incident("1", "a.test", "b.test"))
    reader.metrics.tell([Change(RESOLVED, part, NOON, "")], {})

    assert reader.samples("incident_duration_seconds_count") == {}
    assert reader.samples("incident_active") == {A: 1, B: 1}


def test_a_scrape_shows_its_own_moment(reader):
    chunks = reader.metrics.chunks(Format.TEXT)
    reader.tell(OPENED, incident("1", "a.test"))

    assert b"a.test" not in b"".join(chunks)


def test_every_metric_has_the_labels_that_its_row_says(reader):
    reader.tell(OPENED, incident("1", "a.test"))
    reader.tell(RESOLVED, incident("1", "a.test", stage=Stage.RESOLVED))
    families = {family.name: family for family in parse_text(b"".join(reader.metrics.chunks(Format.TEXT)).decode())}

    for metric in METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert {frozenset(sample.labels) - {"le"} for sample in family.samples} == {frozenset(metric.labels)}
