from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.cause_metrics import METRICS as CAUSE_METRICS
from exporter.exposition import Format
from exporter.health import Health
from exporter.incident_metrics import METRICS as INCIDENT_METRICS
from exporter.metrics import DURATION_BUCKETS, MAX_UNREGISTERED_CODES, METRICS, Metrics
from exporter.model import Client, Connection, Exposure, Failure, Phase, Response, Verdict
from tests.factories import (
    AS_EXPECTED,
    NOON,
    certificate,
    observation,
    probe,
    response,
    round_,
    target,
    tls,
)
from tests.programs import program

PARSERS = {Format.TEXT: parse_text, Format.OPENMETRICS: parse_openmetrics}
UNEXPECTED = Verdict(expected=False, reason="not as expected")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1")


class House:
    """Metrics and the health that they tell."""

    def __init__(self, max_series=100_000):
        self.health = Health()
        self.metrics = Metrics(self.health, max_series)

    def document(self, form=Format.TEXT):
        return b"".join(self.metrics.chunks(form)) + self.health.text(form) + form.ending

    def samples(self, name, form=Format.TEXT):
        """The samples of one name as {label set as (name, value) pairs: value}; a label set seen twice fails."""
        families = list(PARSERS[form](self.document(form).decode()))
        found = [sample for family in families for sample in family.samples if sample.name == f"statuscode_{name}"]
        values = {tuple(sample.labels.items()): sample.value for sample in found}
        assert len(values) == len(found)
        return values

    def values(self, name, *labels, form=Format.TEXT):
        """The same by the values of `labels` alone."""
        return {
            tuple(dict(pairs)[label] for label in labels): value for pairs, value in self.samples(name, form).items()
        }


def recorded(*rounds, **settings):
    house = House(**settings)
    for each in rounds:
        house.metrics.record(each)
    return house


def coalesced(about, over, **settings):
    """Asked about `about` on a connection that was opened for `over`."""
    return observation(probe(about, sni=over, connection=Connection.REUSED), **settings)


DOMAIN = (("domain", "shop.test"),)
UNAVAILABLE = observation(status=503)
REFUSED = observation(failure=Failure(Phase.CONNECT, "refused"), seconds={Phase.CONNECT: 0.001})


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize(
    ("told", "name", "samples"),
    [
        (round_(), "domain_up", {DOMAIN: 1}),
        (round_(verdicts=(UNEXPECTED,)), "domain_up", {DOMAIN: 0}),
        (round_(observation(probe(sni=None))), "domain_up", {DOMAIN: 0}),
        (round_(), "domain_info", {(*DOMAIN, ("group", "shop")): 1}),
        (
            round_(of=target(labels=(("team", 'the "A"\n team'), ("group", "mine")))),
            "domain_info",
            {(("team", 'the "A"\n team'), ("group", "shop"), *DOMAIN): 1},
        ),
        (round_(addresses=ADDRESSES), "domain_addresses", {DOMAIN: 3}),
        (round_(started_at=NOON, duration_seconds=0.25), "round_timestamp_seconds", {DOMAIN: NOON + 0.25}),
        (round_(duration_seconds=0.25), "round_duration_seconds", {DOMAIN: 0.25}),
        (round_(of=target(interval_seconds=3600.0)), "round_interval_seconds", {DOMAIN: 3600}),
        (
            round_(UNAVAILABLE),
            "http_responses_total",
            {(*DOMAIN, ("combination", "matched"), ("protocol", "http/1.1"), ("code", "503")): 1},
        ),
        (
            round_(UNAVAILABLE, observation(probe(address="127.0.0.2"), status=503)),
            "http_responses_total",
            {(*DOMAIN, ("combination", "matched"), ("protocol", "http/1.1"), ("code", "503")): 2},
        ),
        (round_(REFUSED), "http_responses_total", {}),
        (
            round_(),
            "misdirected_responses_total",
            {(*DOMAIN, ("combination", "matched"), ("expected", "false")): 0},
        ),
        (
            round_(observation(status=421), verdicts=(UNEXPECTED,)),
            "misdirected_responses_total",
            {(*DOMAIN, ("combination", "matched"), ("expected", "false")): 1},
        ),
        (
            round_(observation(probe(sni=None), status=421)),
            "misdirected_responses_total",
            {(*DOMAIN, ("combination", "no_sni"), ("expected", "true")): 1},
        ),
        (round_(REFUSED), "probe_failures_total", {(*DOMAIN, ("phase", "connect"), ("kind", "refused")): 1}),
        (
            round_(observation(failure=Failure(Phase.TRANSFER, "truncated"), response=response(200))),
            "probe_failures_total",
            {(*DOMAIN, ("phase", "transfer"), ("kind", "truncated")): 1},
        ),
        (
            round_(observation(seconds={Phase.TLS: 0.25, Phase.TRANSFER: 0.5})),
            "probe_duration_seconds",
            {
                (*DOMAIN, ("address", "127.0.0.1"), ("protocol", "http/1.1"), ("phase", "tls")): 0.25,
                (*DOMAIN, ("address", "127.0.0.1"), ("protocol", "http/1.1"), ("phase", "transfer")): 0.5,
            },
        ),
        (round_(observation(probe(sni="b.test"))), "probe_duration_seconds", {}),
        (
            round_(
                observation(tls=tls(chain=(certificate(not_after=NOON + 5), certificate(not_after=NOON + 3)))),
                observation(probe(address="::1"), tls=tls(chain=(certificate(not_after=NOON + 4),))),
                observation(probe(sni=None), tls=tls(chain=(certificate(not_after=NOON),))),
            ),
            "tls_certificate_not_after_timestamp_seconds",
            {DOMAIN: NOON + 3},
        ),
        (round_(REFUSED), "tls_certificate_not_after_timestamp_seconds", {}),
        (round_(observation(tls=tls(chain=()))), "tls_certificate_not_after_timestamp_seconds", {}),
        (round_(), "tls_certificate_trusted", {DOMAIN: 1}),
        (
            round_(observation(), observation(probe(address="::1"), tls=tls(faults=("expired",)))),
            "tls_certificate_trusted",
            {DOMAIN: 0},
        ),
        (
            round_(observation(), observation(probe(sni=None), tls=tls(faults=("wrong-name",)))),
            "tls_certificate_trusted",
            {DOMAIN: 1},
        ),
        (round_(REFUSED), "tls_certificate_trusted", {}),
    ],
)
def test_a_round_is_told_as(told, name, samples, form):
    assert recorded(told).samples(name, form) == samples


CELL = ("combination", "sni", "host", "address", "protocol", "connection")


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize(
    ("seen", "verdict", "cell", "status"),
    [
        (
            observation(),
            AS_EXPECTED,
            ("matched", "shop.test", "shop.test", "127.0.0.1", "http/1.1", "fresh"),
            200,
        ),
        (REFUSED, UNEXPECTED, ("matched", "shop.test", "shop.test", "127.0.0.1", "http/1.1", "fresh"), 0),
        (
            observation(probe(address=None), failure=Failure(Phase.RESOLVE, "no-such-name")),
            UNEXPECTED,
            ("matched", "shop.test", "shop.test", "", "http/1.1", "fresh"),
            0,
        ),
        (
            observation(probe(sni=None), status=421),
            AS_EXPECTED,
            ("no_sni", "", "shop.test", "127.0.0.1", "http/1.1", "fresh"),
            421,
        ),
        (
            observation(probe(sni="b.test", address="::1"), status=404),
            UNEXPECTED,
            ("other_sni", "b.test", "shop.test", "::1", "http/1.1", "fresh"),
            404,
        ),
        (
            coalesced("shop.test", over="b.test"),
            AS_EXPECTED,
            ("coalesced", "b.test", "shop.test", "127.0.0.1", "http/1.1", "reused"),
            200,
        ),
        (
            observation(probe(host="unknown.invalid"), status=200),
            UNEXPECTED,
            ("unknown_host", "shop.test", "unknown.invalid", "127.0.0.1", "http/1.1", "fresh"),
            200,
        ),
    ],
)
def test_each_cell_of_the_matrix_tells_how_it_was_asked_and_what_came(seen, verdict, cell, status, form):
    house = recorded(round_(seen, verdicts=(verdict,)))

    assert house.values("probe_success", "domain", *CELL, form=form) == {("shop.test", *cell): verdict.expected}
    assert house.values("probe_http_status_code", "domain", *CELL, form=form) == {("shop.test", *cell): status}


def test_phases_of_all_probes_are_counted_in_one_histogram():
    house = recorded(
        round_(
            observation(seconds={Phase.TLS: 0.005, Phase.TRANSFER: 0.3}),
            observation(probe("b.test", sni=None), seconds={Phase.TLS: 99.0}),
        )
    )
    buckets = house.values("request_duration_seconds_bucket", "protocol", "phase", "le")

    assert {le: count for (_, phase, le), count in buckets.items() if phase == "tls"} == {
        **{str(bound): 1 for bound in DURATION_BUCKETS},
        "+Inf": 2,
    }
    assert house.values("request_duration_seconds_count", "protocol", "phase") == {
        ("http/1.1", "tls"): 2,
        ("http/1.1", "transfer"): 1,
    }
    assert house.values("request_duration_seconds_sum", "phase") == {("tls",): 99.005, ("transfer",): 0.3}


def test_state_is_replaced_by_the_next_round_and_counters_go_on():
    both = (observation(probe(address="127.0.0.1")), observation(probe(address="127.0.0.2")))
    house = recorded(round_(*both), round_(observation(probe(address="127.0.0.1"), status=500)))

    assert house.values("probe_http_status_code", "address") == {("127.0.0.1",): 500}
    assert set(house.values("probe_duration_seconds", "address")) == {("127.0.0.1",)}
    assert house.values("http_responses_total", "code") == {("200",): 2, ("500",): 1}


def test_an_answer_is_consistent_though_rounds_are_recorded_while_it_is_written():
    house = recorded(round_())
    expected = b"".join(house.metrics.chunks(Format.TEXT))
    answer = house.metrics.chunks(Format.TEXT)
    first = next(answer)
    house.metrics.record(round_(observation(status=500)))
    house.metrics.record(round_(of=target("b.test")))
    house.metrics.forget("shop.test")

    assert first + b"".join(answer) == expected


def test_registered_codes_are_never_lost_among_the_many_that_a_hostile_server_makes_up():
    made_up = [observation(status=code) for code in range(600, 1000)]
    house = recorded(round_(*made_up), round_(observation(status=421)), round_(observation(status=601)))

    codes = house.values("http_responses_total", "code")

    first = {(str(code),): 1 for code in range(600, 600 + MAX_UNREGISTERED_CODES)}
    assert codes == {**first, ("601",): 2, ("other",): 400 - MAX_UNREGISTERED_CODES, ("421",): 1}


def test_made_up_codes_are_bounded_for_each_combination_by_itself():
    house = recorded(
        round_(*(observation(status=code) for code in range(600, 1000))),
        round_(observation(probe(sni=None), status=999)),
    )

    assert house.values("http_responses_total", "combination", "code")["no_sni", "999"] == 1


SIBLINGS = (
    round_(
        observation(probe("a.test")),
        observation(probe("a.test", sni="b.test")),
        coalesced("b.test", over="a.test", status=421),
        of=target("a.test"),
    ),
    round_(
        observation(probe("b.test")),
        coalesced("a.test", over="b.test", status=421),
        of=target("b.test"),
    ),
)


def test_what_a_round_sees_of_a_sibling_is_told_of_the_sibling():
    house = recorded(*SIBLINGS)

    assert house.values("probe_http_status_code", "domain", "combination", "sni") == {
        ("a.test", "matched", "a.test"): 200,
        ("a.test", "other_sni", "b.test"): 200,
        ("a.test", "coalesced", "b.test"): 421,
        ("b.test", "matched", "b.test"): 200,
        ("b.test", "coalesced", "a.test"): 421,
    }
    assert house.values("misdirected_responses_total", "domain", "combination") == {
        ("a.test", "matched"): 0,
        ("a.test", "coalesced"): 1,
        ("b.test", "matched"): 0,
        ("b.test", "coalesced"): 1,
    }
    assert house.values("domain_up", "domain") == {("a.test",): 1, ("b.test",): 1}


def test_no_series_is_left_of_a_domain_that_is_forgotten():
    house = recorded(*SIBLINGS)
    house.metrics.forget("b.test")

    assert b'domain="b.test"' not in house.document()
    assert house.values("domain_up", "domain") == {("a.test",): 1}
    # A round of a.test that was planned before goes on to speak of b.test.
    house.metrics.record(SIBLINGS[0])
    assert b'domain="b.test"' not in house.document()


def test_a_forgotten_domain_that_comes_back_starts_from_nothing():
    house = recorded(*SIBLINGS, SIBLINGS[1])
    house.metrics.forget("b.test")
    house.metrics.record(SIBLINGS[1])
    house.metrics.record(SIBLINGS[0])

    assert house.values("http_responses_total", "domain", "combination", "code") == {
        ("a.test", "matched", "200"): 2,
        ("a.test", "other_sni", "200"): 2,
        ("a.test", "coalesced", "421"): 3,
        ("b.test", "matched", "200"): 1,
        ("b.test", "coalesced", "421"): 1,
    }


def test_forgetting_all_leaves_nothing_but_the_histogram():
    house = recorded(*SIBLINGS)
    house.metrics.forget("a.test")
    house.metrics.forget("b.test")
    house.metrics.forget("never-seen.test")

    assert b'domain="' not in house.document()
    assert sum(house.values("request_duration_seconds_count", "phase").values()) == 5 * 5


def test_a_probe_that_two_rounds_hold_or_one_holds_twice_makes_one_series():
    shared = coalesced("b.test", over="c.test")
    house = recorded(
        round_(shared, shared, of=target("a.test")),
        round_(shared, of=target("c.test")),
        round_(shared, of=target("b.test")),
        round_(observation(), observation(status=500)),
        round_(observation(), of=target("d.test")),
    )

    assert len(house.values("probe_success", "domain", "sni", "combination")) == 2
    assert len(house.values("probe_duration_seconds", "domain", "phase")) == 5


FOUR = round_(
    observation(probe(sni=None)),
    observation(probe(address="127.0.0.1"), seconds={Phase.TLS: 1.0}),
    observation(probe(address="127.0.0.2"), seconds={Phase.TLS: 1.0}),
    observation(probe(sni="b.test")),
)


@pytest.mark.parametrize(
    ("max_series", "matched", "counters", "durations", "others", "dropped"),
    [
        # 2 x 2 series of matched cells, 3 + 1 counters, 2 durations, 2 x 2 series of other cells.
        (14, 2, 4, 2, 2, 0),
        (13, 2, 4, 2, 1, 2),
        (10, 2, 4, 2, 0, 4),
        (9, 2, 4, 1, 0, 5),
        (8, 2, 4, 0, 0, 6),
        (5, 2, 1, 0, 0, 9),
        (4, 2, 0, 0, 0, 10),
        (2, 1, 0, 0, 0, 12),
        (0, 0, 0, 0, 0, 14),
    ],
)
def test_max_series_keeps_matched_cells_first_and_counts_what_it_drops(
    max_series, matched, counters, durations, others, dropped
):
    house = recorded(FOUR, max_series=max_series)
    success = house.values("probe_success", "combination", "address", "sni")

    assert [combination for combination, *_ in success].count("matched") == matched
    assert len(success) == matched + others
    assert success.keys() == house.values("probe_http_status_code", "combination", "address", "sni").keys()
    assert len(house.values("probe_duration_seconds", "address")) == durations
    responses = house.values("http_responses_total", "combination", "code")
    assert len(responses) + len(house.values("misdirected_responses_total", "combination")) == counters
    # Six answers were made, the first five before the one that is read here.
    shown = 2 * len(success) + durations + counters
    assert house.values("exporter_series") == {(): shown}
    assert house.values("exporter_series_dropped_total") == {(): 7 * dropped}


def test_the_matched_cells_of_the_last_domain_go_before_the_others_of_the_first():
    first, second = (
        round_(observation(probe(domain, sni=None)), observation(probe(domain)), of=target(domain))
        for domain in ("a.test", "b.test")
    )
    house = recorded(first, second, max_series=4)

    assert house.values("probe_success", "domain", "combination").keys() == {
        ("a.test", "matched"),
        ("b.test", "matched"),
    }


def test_the_same_cells_are_dropped_in_every_answer_whoever_is_probed_last():
    rounds = [
        round_(observation(probe(domain, sni=None), status=421), of=target(domain)) for domain in ("a.test", "b.test")
    ]
    house = recorded(*rounds, max_series=6)  # 4 counters leave room for one cell
    before = house.values("probe_success", "domain")
    house.metrics.record(rounds[0])

    assert before == house.values("probe_success", "domain") == {("a.test",): 1}


def test_a_larger_bound_holds_from_the_next_answer_on():
    house = recorded(FOUR, max_series=0)
    house.metrics.max_series = 14

    assert len(house.samples("probe_success")) == 4


hostile = st.text(max_size=8)


@pytest.mark.parametrize("form", Format)
@given(name=hostile, kind=hostile, status=st.integers())
def test_nothing_that_a_server_or_a_user_controls_breaks_the_document(form, name, kind, status):
    about = target(labels=(("team", name),), group=name)
    seen = (
        observation(probe(host=name), response=Response(status)),
        observation(failure=Failure(Phase.TLS, kind)),
    )

    document = recorded(round_(*seen, of=about)).document(form).decode()

    assert {family.name for family in PARSERS[form](document)} >= {"statuscode_domain_up"}


@pytest.mark.parametrize("form", Format)
def test_no_family_stands_twice_in_the_document(form):
    families = [family.name for family in PARSERS[form](recorded(*SIBLINGS, FOUR).document(form).decode())]

    assert len(families) == len(set(families))


def test_promtool_finds_nothing_wrong():
    promtool = program("promtool")

    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=recorded(*SIBLINGS, FOUR, round_(REFUSED)).document(),
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def own_rows():
    """README's rows of the exporter's own metrics, from what it exports."""
    health = Health()
    for family in parse_openmetrics((health.text(Format.OPENMETRICS) + Format.OPENMETRICS.ending).decode()):
        if family.name.startswith("statuscode_"):
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            yield row(name, family.type, sorted(labels, reverse=True), family.documentation)


def row(name, kind, labels, text):
    return f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"


def test_readmes_table_says_what_the_code_exports():
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    section = readme.split("<!-- metrics -->")[1].split("<!-- /metrics -->")[0]
    rows = [
        row(metric.name, metric.kind, metric.labels, metric.help)
        for metric in (*METRICS, *CAUSE_METRICS, *INCIDENT_METRICS)
    ]

    assert [line for line in section.splitlines() if line.startswith("| `")] == [*rows, *own_rows()]


def test_every_metric_has_the_labels_that_its_row_says():
    exposed = replace(FOUR, exposures=(Exposure("b.test", "a.test", Client.CHROMIUM, "127.0.0.1"),))
    house = recorded(*SIBLINGS, exposed, round_(REFUSED, of=target("c.test")))
    families = {family.name: family for family in parse_text(house.document().decode())}

    for metric in METRICS:
        family = families[metric.name.removesuffix("_total")]
        said = set(metric.labels) - {"..."}  # which stands for the labels of the configuration
        assert {frozenset(sample.labels) - {"le"} for sample in family.samples} == {frozenset(said)}, metric.name
