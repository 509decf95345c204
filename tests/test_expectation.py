"""What is right and what is wrong, by the kind of probe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.expectation import Comparison, judge
from exporter.model import (
    Certificate,
    Connection,
    Expect,
    Failure,
    Observation,
    Page,
    Phase,
    Probe,
    Protocol,
    Response,
    StatusRange,
    Target,
    TlsSession,
    Verdict,
)

MATCHED = Probe("a.test", "a.test", "a.test", "127.0.0.4")
NO_SNI = Probe("a.test", None, "a.test", "127.0.0.4")
OTHER_SNI = Probe("a.test", "b.test", "a.test", "127.0.0.4")
COALESCED = Probe("a.test", "b.test", "a.test", "127.0.0.4", connection=Connection.REUSED)
UNKNOWN = Probe("a.test", "a.test", "unknown.invalid", "127.0.0.4")

BOTH = TlsSession("TLSv1.3", "x", None, (Certificate("00", "", "", ("a.test", "b.test"), 2, 0, 1),))


def observation(probe, status=None, failure=None, tls=BOTH, **fields) -> Observation:
    response = Response(status, **fields) if status is not None else None
    return Observation(probe, 0.0, {Phase.CONNECT: 0.2, Phase.PROCESSING: 0.3}, 0, tls, response, failure)


def expected(probe, *arguments, **fields) -> bool:
    return judge(Target("a.test", "g"), observation(probe, *arguments, **fields), Comparison()).expected


@pytest.mark.parametrize(
    ("status", "matched", "foreign", "coalesced"),
    [
        (200, True, True, True),
        (301, True, True, True),
        (421, False, True, True),
        (400, False, True, False),
        (403, False, True, False),
        (404, False, True, False),
        (500, False, False, False),
        (503, False, False, False),
    ],
)
def test_a_status_is_right_or_wrong_by_how_it_was_asked(status, matched, foreign, coalesced):
    assert expected(MATCHED, status) is matched
    assert [expected(probe, status) for probe in (NO_SNI, OTHER_SNI, UNKNOWN)] == [foreign] * 3
    assert expected(COALESCED, status) is coalesced


FRESH = Page(200, "", "nginx", "text/html", "Shop", ("sid",), "d1", "o1")


@pytest.mark.parametrize(
    ("reused", "reason"),
    [
        (FRESH, "served: status 200"),
        (replace(FRESH, digest="d2", cookies=()), "served: status 200"),
        (replace(FRESH, status=404), "misrouted: status 404 instead of 200 as on a connection of its own"),
        (
            replace(FRESH, digest="d2", title="Blog", outline="o2"),
            "misrouted: title 'Blog' instead of 'Shop', structure 'o2' instead of 'o1' as on a connection of its own",
        ),
        (
            replace(FRESH, redirect_host="other.test"),
            "misrouted: redirect to 'other.test' instead of '' as on a connection of its own",
        ),
    ],
)
def test_a_sibling_s_page_on_another_s_connection_must_be_the_one_it_has_on_its_own(reused, reason):
    seen = replace(observation(COALESCED, reused.status), page=reused)

    verdict = judge(Target("a.test", "g"), seen, Comparison(FRESH))

    assert verdict == Verdict(expected=reason.startswith("served"), reason=reason)


def test_a_site_that_is_down_alike_on_its_own_connection_is_not_misrouted():
    broken = replace(FRESH, status=503)
    seen = replace(observation(COALESCED, 503), page=broken)

    assert judge(Target("a.test", "g"), seen, Comparison(broken)).expected


def test_what_no_browser_would_ask_for_there_alarms_nobody():
    over_h2 = replace(COALESCED, protocol=Protocol.H2)
    seen = replace(observation(over_h2, 404), page=replace(FRESH, status=404))

    verdict = judge(Target("a.test", "g"), seen, Comparison(FRESH, frozenset()))

    assert verdict.expected
    assert verdict.reason.endswith("but no browser would ask for it on this connection")


@pytest.mark.parametrize(("code", "right"), [("HTTP_1_1_REQUIRED", True), ("PROTOCOL_ERROR", False)])
def test_a_stream_that_is_reset_is_right_only_where_clients_then_ask_anew(code, right):
    assert expected(COALESCED, failure=Failure(Phase.PROCESSING, "stream-reset", code)) is right


def test_a_protocol_that_is_not_spoken_counts_only_where_it_is_the_only_one():
    seen = observation(replace(MATCHED, protocol=Protocol.H2), failure=Failure(Phase.TLS, "alpn", "the server said no"))

    among_others = judge(Target("a.test", "g"), seen, Comparison())
    alone = judge(Target("a.test", "g", protocols=(Protocol.H2,)), seen, Comparison())

    assert (among_others.expected, among_others.conclusive, alone.expected) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "foreign"),
    [("alert", True), ("closed", True), ("reset", True), ("timeout", False), ("refused", False), ("internal", False)],
)
def test_a_refusal_below_http_is_right_for_foreign_names_only(kind, foreign):
    failure = Failure(Phase.TLS, kind)

    assert not expected(MATCHED, failure=failure)
    assert [expected(probe, failure=failure) for probe in (NO_SNI, OTHER_SNI, UNKNOWN)] == [foreign] * 3
    assert not expected(COALESCED, failure=failure)


@pytest.mark.parametrize("kind", ["not-asked", "not-covered", "not-reused"])
def test_what_could_not_be_asked_is_held_against_nobody_and_shown_nowhere(kind):
    verdict = judge(
        Target("a.test", "g"), observation(COALESCED, failure=Failure(Phase.PROCESSING, kind)), Comparison()
    )

    assert (verdict.expected, verdict.conclusive) == (True, False)


@pytest.mark.parametrize(
    ("expect", "complaint"),
    [
        (Expect(), "status 200"),
        (Expect(status=(StatusRange(401, 401),)), "status 200 instead of 401"),
        (Expect(status=(StatusRange(301, 302), StatusRange(404, 404))), "status 200 instead of 301-302, 404"),
        (Expect(body_regex="hel+o"), "status 200"),
        (Expect(body_regex="good ?bye"), "the body of status 200 has no match for 'good ?bye'"),
        (Expect(header_regex=(("server", "^nginx"),)), "status 200"),
        (Expect(header_regex=(("server", "^Apache"),)), "no server field matches '^Apache'"),
        (Expect(header_regex=(("x-none", "."),)), "no x-none field matches '.'"),
        (Expect(max_seconds=0.5), "status 200"),
        (Expect(max_seconds=0.4), "it took 0.5 s, longer than 0.4 s"),
        (
            Expect(status=(StatusRange(204, 204),), max_seconds=0.1),
            "status 200 instead of 204; it took 0.5 s, longer than 0.1 s",
        ),
    ],
)
def test_a_matched_probe_must_answer_as_configured(expect, complaint):
    seen = observation(MATCHED, 200, body=b"hello", headers=(("server", "caddy"), ("server", "nginx/1")))

    verdict = judge(Target("a.test", "g", expect=expect), seen, Comparison())

    assert verdict == Verdict(expected=complaint == "status 200", reason=complaint)


def test_a_certificate_that_is_not_trusted_is_a_complaint_unless_switched_off():
    bad = TlsSession("TLSv1.3", "x", None, (), ("expired", "wrong-name"), "certificate has expired; it is for b.test")
    seen = observation(MATCHED, 200, tls=bad)

    assert judge(Target("a.test", "g"), seen, Comparison()) == Verdict(
        expected=False, reason="certificate expired and wrong-name: certificate has expired; it is for b.test"
    )
    assert judge(Target("a.test", "g", verify=False), seen, Comparison()).expected


def test_a_status_that_came_before_the_body_broke_does_not_excuse_the_failure():
    seen = observation(MATCHED, 200, failure=Failure(Phase.TRANSFER, "truncated", "it ended early"))

    assert judge(Target("a.test", "g"), seen, Comparison()) == Verdict(
        expected=False, reason="transfer failed: truncated (it ended early)"
    )


def test_a_body_in_any_encoding_is_searched_without_harm():
    seen = observation(MATCHED, 200, body=bytes(range(256)))

    assert not judge(Target("a.test", "g", expect=Expect(body_regex="hello")), seen, Comparison()).expected
