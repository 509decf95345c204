from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition import (
    SAMPLES_PER_CHUNK,
    Family,
    Format,
    Kind,
    Preference,
    chunks,
    labels,
    negotiate,
    number,
    preferences,
)

HELP = 'Backslash \\ quote " and\nline feed.'
TAILS = (
    (labels(("domain", "a.test"), ("sni", "")), 0),
    (labels(("domain", 'quo"te'), ("sni", "back\\slash")), 1_700_000_000),
    (labels(("domain", "line\nfeed"), ("sni", "\\n")), number(0.25)),
)
LABELS = (
    {"domain": "a.test", "sni": ""},
    {"domain": 'quo"te', "sni": "back\\slash"},
    {"domain": "line\nfeed", "sni": "\\n"},
)
VALUES = (0.0, 1_700_000_000.0, 0.25)


def written(family, samples, form):
    return (b"".join(chunks([(family, samples)], form)) + form.ending).decode()


def family_of(kind, name, sample_name, values=VALUES):
    """What prometheus_client makes of the samples above."""
    family = Metric(name, HELP, kind)
    for label_set, value in zip(LABELS, values, strict=True):
        family.add_sample(sample_name, label_set, value)
    return family


@pytest.mark.parametrize(
    ("kind", "name", "parsed"),
    [
        (Kind.GAUGE, "up", family_of("gauge", "up", "up")),
        # The parser names a counter's family without _total, in either format.
        (Kind.COUNTER, "events_total", family_of("counter", "events", "events_total")),
        (Kind.INFO, "domain_info", family_of("gauge", "domain_info", "domain_info")),
    ],
)
def test_prometheus_clients_parser_reads_from_text_what_was_written(kind, name, parsed):
    document = written(Family(name, kind, HELP), TAILS, Format.TEXT)

    assert list(parse_text(document)) == [parsed]


@pytest.mark.parametrize(
    ("kind", "name", "values", "parsed"),
    [
        (Kind.GAUGE, "up", VALUES, family_of("gauge", "up", "up")),
        (Kind.COUNTER, "events_total", VALUES, family_of("counter", "events", "events_total")),
        (Kind.INFO, "domain_info", (1, 1, 1), family_of("info", "domain", "domain_info", (1.0, 1.0, 1.0))),
    ],
)
def test_prometheus_clients_parser_reads_from_openmetrics_what_was_written(kind, name, values, parsed):
    samples = [(tail, value) for (tail, _), value in zip(TAILS, map(number, values), strict=True)]

    assert list(parse_openmetrics(written(Family(name, kind, HELP), samples, Format.OPENMETRICS))) == [parsed]


def test_both_formats_name_families_and_end_as_their_standards_say():
    samples = [(labels(("code", "421")), 2)]
    family = Family("responses_total", Kind.COUNTER, 'A "right" one.')

    assert written(family, samples, Format.TEXT) == (
        '# HELP responses_total A "right" one.\n# TYPE responses_total counter\nresponses_total{code="421"} 2\n'
    )
    assert written(family, samples, Format.OPENMETRICS) == (
        '# HELP responses A \\"right\\" one.\n# TYPE responses counter\nresponses_total{code="421"} 2\n# EOF\n'
    )


@given(st.dictionaries(st.sampled_from(["domain", "sni", "host"]), st.text()))
def test_no_label_value_can_break_out_of_its_quotes(label_set):
    # The parser splits at what Python takes for the end of a line, the formats only at a line feed; so read one line.
    line = f"up{labels(*label_set.items())} 1\n"
    expected = {name: value.encode("utf-8", "replace").decode() for name, value in label_set.items()}

    (family,) = parse_openmetrics(line.encode("utf-8", "replace").decode() + "# EOF\n")

    assert family.samples[0].labels == expected
    assert line.count("\n") == 1


def test_a_lone_surrogate_is_written_as_a_question_mark():
    document = b"".join(chunks([(Family("up", Kind.GAUGE, ""), [(labels(("a", "x\udc80")), 1)])], Format.TEXT))

    assert document.endswith(b'up{a="x?"} 1\n')


@given(st.floats(allow_nan=False))
def test_numbers_are_written_at_full_precision(value):
    assert float(number(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (10**15, "1000000000000000"), (0.1, "0.1"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)
def test_numbers_are_written_as_both_formats_read_them(value, text):
    assert number(value) == text


def test_no_labels_are_written_as_nothing():
    assert labels() == ""


def test_chunks_hold_a_bounded_number_of_samples_in_order_and_families_without_samples_keep_their_head():
    samples = [(labels(("n", str(n))), n) for n in range(2 * SAMPLES_PER_CHUNK + 1)]
    family, empty = Family("many", Kind.GAUGE, "m"), Family("none", Kind.GAUGE, "n")

    parts = list(chunks([(family, samples), (empty, ())], Format.TEXT))

    assert [part.count(b"\n") for part in parts] == [2, SAMPLES_PER_CHUNK, SAMPLES_PER_CHUNK, 1, 2]
    (read, _) = parse_text(b"".join(parts).decode())
    assert [sample.value for sample in read.samples] == list(range(len(samples)))


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"', Format.OPENMETRICS),
        ("application/openmetrics-text; version=0.0.1, text/plain;version=0.0.4;q=0.5, */*;q=0.1", Format.TEXT),
        ("application/openmetrics-text; version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.3", Format.TEXT),
        ("application/openmetrics-text;q=0.3, text/plain;q=0.3", Format.TEXT),
        ("application/*, text/*;q=0.5", Format.OPENMETRICS),
        ("text/plain;q=0, */*;q=0.1", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0, */*", Format.TEXT),
        ("application/openmetrics-text;q=1.5, text/plain;q=0.1", Format.TEXT),
        ("application/openmetrics-text;q=nan, text/plain;q=0.1", Format.TEXT),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", Format.TEXT),
        ("image/png", Format.TEXT),
        (";;,=,q=1,/", Format.TEXT),
    ],
)
def test_the_format_is_the_one_that_the_client_likes_best_of_those_we_have(accept, form):
    assert negotiate(accept) is form


@given(st.text())
def test_no_accept_header_breaks_the_choice(accept):
    assert negotiate(accept) in Format


def test_preferences_are_read_with_parameters_and_weights():
    assert tuple(preferences("gzip;q=0.5, Text/Plain; Version=0.0.4, br;q=0")) == (
        Preference("gzip", (), 0.5),
        Preference("text/plain", (("version", "0.0.4"),), 1.0),
        Preference("br", (), 0.0),
    )


def test_content_types_are_the_ones_that_prometheus_knows():
    assert Format.TEXT.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert Format.OPENMETRICS.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
