"""From evidence to findings: consequences are left out, the worst comes first, many names are one fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.diagnosis import Evidence, diagnose, joined, leading, together, undiagnosed
from exporter.diagnosis.cause import confidence
from exporter.model import Excluded, Phase, Severity
from tests.diagnosis.cases import (
    API,
    SHOP,
    TWO,
    causes,
    evidence,
    failed,
    neighbour,
    nginx,
    response,
    round_,
    seen,
    told,
)
from tests.factories import finding, target

TEAPOT = seen(response(418, "short and stout"))


def test_a_healthy_domain_has_no_findings():
    assert told(seen(), seen(sni=None), siblings=neighbour()) == ()


def test_what_no_cause_fits_is_unknown_with_the_evidence_and_no_guess():
    (one,) = told(TEAPOT)

    assert (one.cause, one.severity, one.code, one.confidence) == ("unknown", "critical", 418, 0.3)
    assert one.evidence == (f"SNI={SHOP} Host={SHOP} at 192.0.2.1 over http/1.1: 418",)
    assert one.would_confirm == "the log of the server that answered"
    assert one.reproduce


def test_unknown_in_a_part_of_the_answers_is_a_warning():
    assert causes(seen(), replace(TEAPOT, probe=replace(TEAPOT.probe, address=TWO))) == [("unknown", "warning", 418)]


def test_a_remark_does_not_stand_for_what_is_wrong():
    """A domain with a finding of no weight and a wrong answer still has an unknown fault."""
    found = evidence(TEAPOT, seen(nginx(421), sni=None))

    assert leading(diagnose(found)).cause == "unknown"


def test_consequences_are_named_as_excluded_by_their_cause():
    (one, *_) = told(
        seen(nginx(404)), seen(nginx(404), host="nobody.invalid", connection="reused"), siblings=neighbour()
    )

    assert one.cause == "vhost-missing"
    assert "content-missing" not in causes(seen(nginx(404)), siblings=neighbour())
    assert all(isinstance(other, Excluded) and other.why for other in one.excluded)


def test_the_worst_comes_first_then_the_surest_then_the_lower_number():
    found = told(failed(Phase.PROCESSING, "closed"), failed(Phase.PROCESSING, "reset"))

    ranks = [(list(Severity).index(one.severity), -one.confidence) for one in found]
    assert ranks == sorted(ranks)


def test_fixes_are_for_the_servers_that_were_seen():
    (one, *_) = told(
        seen(nginx(404)), seen(nginx(404), host="nobody.invalid", connection="reused"), siblings=neighbour()
    )

    assert one.fix == ("Add a server block with this server_name (and its certificate); reload.",)


@pytest.mark.parametrize(
    ("known", "sure"),
    [
        ({}, 0.4),
        ({"text": True}, 0.6),
        ({"experiment": True}, 0.8),
        ({"text": True, "experiment": True}, 0.95),
        ({"text": True, "disagreement": True}, 0.48),
    ],
)
def test_confidence_is_by_what_was_seen(known, sure):
    assert confidence(**known) == sure


def test_a_page_that_anybody_may_write_is_at_most_six_tenths_sure():
    worded = [response(421, "Misdirected"), nginx(421), response(400, "Invalid host header"), nginx(502)]

    assert max(one.confidence for page in worded for one in told(seen(page))) <= 0.6


def test_names_of_a_group_that_fail_alike_are_one_fault():
    ours, theirs = finding("upstream-down"), finding("upstream-down", API)
    other, remark = finding("dns-failure", "a.test"), finding("upstream-down", "b.test", severity=Severity.INFO)

    assert joined([ours], [theirs, other, remark]) == (replace(ours, domains=(SHOP, API)),)
    assert joined([remark], [theirs]) == (remark,)


def test_only_names_of_one_group_are_taken_together():
    rounds = [
        round_(seen(domain=name), of=target(name, group=group), findings=(finding("upstream-down", name),))
        for name, group in (("a.test", "one"), ("b.test", "one"), ("c.test", "two"))
    ]

    assert [one.findings[0].domains for one in together(rounds)] == [
        ("a.test", "b.test"),
        ("b.test", "a.test"),
        ("c.test",),
    ]


def test_one_fault_at_many_codes_is_told_apart():
    assert joined([finding(code=502)], [finding("upstream-down", API, code=503)])[0].domains == (SHOP,)


def test_where_our_own_fault_broke_the_diagnosis_what_is_wrong_is_unknown():
    (one,) = undiagnosed(round_(seen(nginx(502)), seen()))

    assert (one.cause, one.code, one.severity) == ("unknown", 502, "critical")
    assert "a fault of the exporter" in one.summary
    assert len(one.evidence) == len(one.reproduce) == 1
    assert undiagnosed(round_(seen())) == ()


def test_evidence_is_about_the_newest_round_s_target():
    assert Evidence([round_(seen(404)), round_(seen())], {}).round.observations[0].response.status == 200
