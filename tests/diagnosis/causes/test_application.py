"""The right server is reached, and what it says is its own."""

from __future__ import annotations

import pytest

from exporter.diagnosis.causes.application import _HOST_REJECTED
from exporter.model import Expect, Experiment, Protocol, Variation
from tests.diagnosis.cases import (
    API,
    apache,
    causes,
    neighbour,
    nginx,
    response,
    seen,
    stranger,
    target,
    told,
    trial,
)

WANTED = target(expect=Expect(body_regex="Welcome to shop"))
OTHER = response(body="<title>Sale</title>")


def test_a_page_that_is_not_what_the_configuration_expects_is_told_with_the_pattern():
    (finding,) = told(seen(OTHER), of=WANTED)

    assert (finding.cause, finding.severity, finding.code) == ("answer-not-as-expected", "critical", 200)
    assert "'Welcome to shop'" in finding.summary


def test_a_part_of_the_pages_is_a_warning_and_the_wanted_one_is_none():
    assert causes(seen(), of=WANTED) == []
    assert causes(seen(), seen(OTHER, protocol=Protocol.H2), of=WANTED) == [("answer-not-as-expected", "warning", 200)]


def test_a_field_that_is_missing_is_told_too():
    strict = target(expect=Expect(header_regex=(("strict-transport-security", "max-age"),)))

    assert causes(seen(), of=strict) == [("answer-not-as-expected", "critical", 200)]


def test_a_wrong_status_is_not_also_an_unexpected_page():
    assert "answer-not-as-expected" not in [cause for cause, *_ in causes(seen(nginx(404)), of=WANTED)]


@pytest.mark.parametrize("text", _HOST_REJECTED)
@pytest.mark.parametrize("status", [400, 403])
def test_frameworks_that_reject_a_host_say_so(text, status):
    page = response(status, text, content_type="text/plain")

    assert causes(seen(page), stranger(page))[0] == ("application-rejects-host", "critical", status)


def test_an_application_s_own_421_does_not_depend_on_sni():
    page = response(421, "unknown account", content_type="text/plain")
    found = causes(seen(page), seen(page, sni=API), seen(page, sni=None), siblings=neighbour())

    assert found[0] == ("application-answers-421", "critical", 421)


def test_a_rule_for_one_path_is_known_by_the_others():
    other = trial(Experiment.OTHER_PATH, (Variation.ROOT_PATH, seen()), (Variation.NO_SUCH_PATH, seen(404)))
    (finding,) = told(seen(apache(421)), of=target(path="/old"), trials=[other])

    assert (finding.cause, finding.confidence) == ("rewrite-rule-421", 0.95)


@pytest.mark.parametrize("status", [500, 501, 505, 506, 508])
def test_a_failing_application(status):
    assert causes(seen(status)) == [("application-error", "critical", status)]


@pytest.mark.parametrize(
    ("page", "others", "expected"),
    [
        (response(404, "nothing here"), [stranger(421)], "content-missing"),
        (nginx(410), [], "content-missing"),
        (response(403, "<Code>AccessDenied</Code>"), [], "content-missing"),
        (response(404, "NoSuchKey"), [], "content-missing"),
    ],
)
def test_a_page_that_is_not_there(page, others, expected):
    found = [cause for cause, *_ in causes(seen(page), *others)]

    assert expected in found
