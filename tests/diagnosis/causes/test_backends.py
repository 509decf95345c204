"""Several answers to one question."""

from __future__ import annotations

import pytest

from exporter.model import Experiment, Phase, Variation
from tests.diagnosis.cases import apache, causes, failed, nginx, response, seen, told, trial

GOOD = seen()


@pytest.mark.parametrize("bad", [seen(502), seen(apache(404)), failed(Phase.PROCESSING, "closed")])
def test_a_share_of_the_answers_that_is_wrong_now_and_then_is_a_backend_s(bad):
    (finding, *_) = told(GOOD, bad, GOOD, bad, GOOD, GOOD)

    assert (finding.cause, finding.severity) == ("one-backend-misconfigured", "warning")
    assert finding.noticed_by == ("about 33 % of requests, whoever sends them",)


@pytest.mark.parametrize(
    "observations",
    [
        [GOOD, GOOD, GOOD, seen(502), seen(502), seen(502)],
        [seen(502), seen(502), seen(502), GOOD, GOOD, GOOD],
        [GOOD, seen(503), GOOD, seen(503), GOOD, GOOD],
        [GOOD, failed(Phase.PROCESSING, "timeout"), GOOD, failed(Phase.PROCESSING, "timeout")],
    ],
)
def test_a_change_in_time_a_load_or_a_wait_is_no_backend_s(observations):
    assert "one-backend-misconfigured" not in [cause for cause, *_ in causes(*observations)]


def test_a_backend_that_hangs_is_told_from_load_by_the_others_being_quick():
    quick, slow = {Phase.PROCESSING: 0.1}, {Phase.PROCESSING: 3.0}
    late = seen(nginx(504), seconds=slow)

    assert causes(seen(seconds=quick), late, seen(seconds=quick), late)[0][0] == "one-backend-misconfigured"
    assert causes(seen(seconds=slow), late, seen(seconds=slow), late)[0][0] == "upstream-too-slow"


@pytest.mark.parametrize(
    "fields",
    [
        {"age": "3600"},
        {"x_cache": "HIT from proxy"},
        {"x_cache_status": "HIT"},
        {"cf_cache_status": "HIT"},
        {"x_varnish": "32770 3"},
    ],
)
def test_an_error_out_of_a_cache_shows_it_in_its_fields(fields):
    old = seen(response(502, "gateway", **fields))
    healed = trial(Experiment.OTHER_PATH, (Variation.NEW_QUERY, seen()))
    not_healed = trial(Experiment.OTHER_PATH, (Variation.NEW_QUERY, seen(502)))

    assert causes(old)[0] == ("cached-error", "critical", 502)
    assert told(old, trials=[healed])[0].confidence == 0.95
    assert "cached-error" not in [cause for cause, *_ in causes(old, trials=[not_healed])]


@pytest.mark.parametrize(
    "fields",
    [{"age": "0"}, {"age": "soon"}, {"age": "-1"}, {"x_cache": "MISS"}, {"x_varnish": "32770"}, {"x_varnish": "a b"}],
)
def test_an_error_that_is_fresh_is_nobody_s_cache(fields):
    assert "cached-error" not in [cause for cause, *_ in causes(seen(response(502, "gateway", **fields)))]


def test_an_answer_that_was_waited_for_is_no_cache_s_whatever_it_calls_itself():
    late = seen(response(503, "late", x_varnish="65538 32771"), seconds={Phase.PROCESSING: 1.1})

    assert "cached-error" not in [cause for cause, *_ in causes(late)]


def test_where_the_origin_itself_still_says_it_the_cache_is_not_the_fault():
    miss, hit = seen(response(502, "gateway", x_cache="MISS")), seen(response(502, "gateway", x_cache="HIT"))
    healed = trial(Experiment.OTHER_PATH, (Variation.NEW_QUERY, seen()))

    assert "cached-error" not in [cause for cause, *_ in causes(hit, miss)]
    assert causes(hit, miss, trials=[healed])[0][0] == "cached-error"
