from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.model import Connection, Failure, Phase, Protocol, Verdict
from exporter.web.overview import Row, Status, row
from exporter.web.state import State, is_stale, state_of
from exporter.web.survey import Standing
from tests.factories import AS_EXPECTED, NOON, certificate, observation, probe, round_, target, tls

DAY = 86_400
TARGET = target()
REFUSED = observation(failure=Failure(Phase.CONNECT, "refused"))


def bad(reason="500 instead of 200-399"):
    return Verdict(expected=False, reason=reason)


def told(*observations, verdicts=None, now=NOON + 1, **settings):
    chosen = {} if verdicts is None else {"verdicts": verdicts}
    done = round_(*observations, duration_seconds=1.0, **chosen, **settings)
    return row(Standing(TARGET, done, state_of(done), is_stale(TARGET, done, now)), now)


def test_a_domain_without_a_round_is_not_yet_probed():
    assert row(Standing(TARGET, None, state_of(None), is_stale=False), NOON) == Row(
        "shop.test", "shop", State.NOT_YET_PROBED
    )


def test_a_good_domain_has_its_status_age_and_days_and_no_reason():
    assert told(now=NOON + 13) == Row(
        domain="shop.test",
        group="shop",
        state=State.UP,
        statuses=(Status("127.0.0.1", "200", expected=True, protocols=("http/1.1",)),),
        ended_at=NOON + 1,
        certificate="89 d left",
    )


OTHER = observation(probe(sni=None))
SECOND = observation(probe(address="::1"), status=421)


@pytest.mark.parametrize(
    ("seen", "verdicts", "state", "reason"),
    [
        ((observation(), SECOND), (AS_EXPECTED, AS_EXPECTED), State.UP, ""),
        ((observation(), SECOND), (AS_EXPECTED, bad("421")), State.PARTLY_DOWN, "421"),
        ((observation(), SECOND), (bad("first"), bad("second")), State.DOWN, "first"),
        ((OTHER, observation()), (bad("200"), AS_EXPECTED), State.ODD, "no_sni: 200"),
        ((OTHER, observation()), (bad("200"), bad("503")), State.DOWN, "503"),
        ((OTHER,), (AS_EXPECTED,), State.DOWN, ""),
        ((REFUSED,), (bad("x" * 999),), State.DOWN, "x" * 199 + "…"),
    ],
)
def test_the_state_and_the_worst_reason_come_from_the_verdicts(seen, verdicts, state, reason):
    found = told(*seen, verdicts=verdicts)

    assert (found.state, found.reason) == (state, reason)


def test_what_is_unexpected_comes_first_among_the_answers_and_only_six_are_shown():
    addresses = [f"127.0.0.{number}" for number in range(1, 9)]
    seen = [observation(probe(address=address)) for address in addresses[:-1]]
    last = observation(probe(address="127.0.0.8"), failure=Failure(Phase.TLS, "alert"))

    found = told(*seen, last, verdicts=(*(AS_EXPECTED for _ in seen), bad()))

    assert found.statuses == (
        Status("127.0.0.8", "tls: alert", expected=False, protocols=("http/1.1",)),
        *(Status(address, "200", expected=True, protocols=("http/1.1",)) for address in addresses[:5]),
    )
    assert found.statuses_left_out == 2


def test_a_domain_that_does_not_resolve_says_so():
    found = told(observation(probe(address=None), failure=Failure(Phase.RESOLVE, "no-such-name")), verdicts=(bad(),))

    assert found.statuses == (Status("no address", "resolve: no-such-name", expected=False, protocols=("http/1.1",)),)


@pytest.mark.parametrize(("seconds", "is_stale"), [(-5, False), (180, False), (181, True), (2 * 3600, True)])
def test_a_round_is_marked_as_stale_after_three_intervals(seconds, is_stale):
    assert told(now=NOON + 1 + seconds).is_stale is is_stale


@pytest.mark.parametrize(
    ("seconds", "certificate_said", "expires_soon"),
    [
        (90 * DAY, "90 d left", False),
        (14 * DAY, "14 d left", False),
        (14 * DAY - 1, "13 d left", True),
        (3600, "1 h left", True),
        (0, "expired 0 s ago", True),
        (-3 * DAY, "expired 3 d ago", True),
    ],
)
def test_what_is_left_of_a_certificate_is_told_and_marked_under_two_weeks(seconds, certificate_said, expires_soon):
    found = told(observation(tls=tls(chain=(certificate(not_after=NOON + 1 + seconds),))))

    assert (found.certificate, found.expires_soon) == (certificate_said, expires_soon)


def test_states_are_ranked_from_bad_to_good():
    ranked = sorted(State, key=lambda state: state.rank)

    assert [state.total for state in ranked] == ["bad", "bad", "pending", "odd", "good"]


def test_protocols_that_are_answered_alike_stand_together_and_what_is_not_spoken_is_left_out():
    over_h2 = observation(replace(probe(), protocol=Protocol.H2))
    silent = replace(observation(probe(sni="shop.test")), response=None, failure=Failure(Phase.TLS, "alpn"))

    both = told(observation(), over_h2)
    one = told(observation(), silent, verdicts=(AS_EXPECTED, replace(AS_EXPECTED, conclusive=False)))

    assert [status.protocols for status in both.statuses] == [("http/1.1", "h2")]
    assert [status.protocols for status in one.statuses] == [("http/1.1",)]


def test_what_is_wrong_on_a_sibling_s_connection_is_told_with_both_names():
    misrouted = observation(probe("help.test", sni="shop.test", connection=Connection.REUSED), status=404)

    found = told(observation(), misrouted, verdicts=(AS_EXPECTED, bad()))

    assert (found.state, found.reason.split(":")[0]) == (State.ODD, "help.test on the connection of shop.test")
