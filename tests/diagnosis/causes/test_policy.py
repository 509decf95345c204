"""Somebody means it: credentials, rules, limits, maintenance."""

from __future__ import annotations

import pytest

from exporter.model import Experiment, Protocol, Variation
from tests.diagnosis.cases import apache, causes, nginx, response, seen, stranger, target, told, trial

H2 = Protocol.H2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response(401, "who?", www_authenticate='Basic realm="shop"'), ("auth-required", "warning", 401)),
        (response(407, "who?", proxy_authenticate="Basic"), ("auth-required", "warning", 407)),
        (response(403, "no"), ("access-denied", "critical", 403)),
        (nginx(405), ("method-not-allowed", "critical", 405)),
        (nginx(414), ("uri-too-long", "critical", 414)),
        (response(451, "no", link='<https://law.test>; rel="blocked-by"'), ("legal-or-geo-block", "warning", 451)),
        (nginx(429), ("rate-limited", "warning", 429)),
        (response(431, "too big"), ("request-headers-too-big", "critical", 431)),
        (response(400, "Request Header Or Cookie Too Large"), ("request-headers-too-big", "critical", 400)),
        (response(503, "We are back soon"), ("maintenance", "critical", 503)),
        (response(503, "Wartung bis 4 Uhr"), ("maintenance", "critical", 503)),
        (response(503, "busy", retry_after="120"), ("maintenance", "critical", 503)),
        (response(503, "Service Unavailable"), ("overloaded", "critical", 503)),
        (nginx(503), ("maintenance", "critical", 503)),
        (apache(503), ("upstream-down", "critical", 503)),
    ],
)
def test_what_each_answer_means(answer, expected):
    assert causes(seen(answer))[0] == expected


def test_a_page_that_is_kept_from_some_countries_is_told_beside_the_403():
    page = response(403, "This content is not available in your country.")

    assert {cause for cause, *_ in causes(seen(page))} == {"legal-or-geo-block", "access-denied"}


def test_apache_speaks_of_maintenance_in_every_503():
    page = apache(503)
    worded = response(
        503, page.body + b"due to\n maintenance downtime", "Apache", content_type="text/html; charset=iso-8859-1"
    )

    assert causes(seen(worded))[0][0] == "upstream-down"


def test_a_limit_that_only_other_probes_met_is_told_while_the_name_is_served():
    assert causes(seen(), stranger(429)) == [("rate-limited", "warning", 429)]


def test_nginx_s_limit_of_requests_serves_the_first_and_refuses_the_later_ones():
    assert causes(seen(), seen(), seen(nginx(503)), seen(nginx(503)))[0][0] == "rate-limited"


def test_a_limit_does_not_hide_a_backend_that_fails():
    assert causes(*[seen(), seen(500)] * 3, seen(429))[0] == ("one-backend-misconfigured", "warning", 500)


def test_a_request_that_is_served_without_its_fields_had_too_many():
    bare = trial(Experiment.FIELDS, (Variation.NO_FIELDS, seen()))
    (finding,) = told(seen(response(431, "big")), trials=[bare], of=target(headers=(("Cookie", "x"),)))

    assert finding.confidence == 0.95
    assert "without the configured fields it is served" in finding.evidence
