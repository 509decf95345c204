"""The observations about one domain, narrowed and compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.model import Connection, Experiment, Phase, Protocol, Variation
from tests.diagnosis.cases import (
    API,
    ONE,
    SHOP,
    TWO,
    apache,
    evidence,
    failed,
    neighbour,
    nginx,
    response,
    round_,
    seen,
    stranger,
    target,
    trial,
)
from tests.factories import NOON

H2 = Protocol.H2
REPEAT = Experiment.REPEAT


@pytest.mark.parametrize(
    ("observations", "split", "share"),
    [
        ([seen(), seen(protocol=H2)], Split.NOWHERE, (0, 0)),
        ([seen(404), seen(404, protocol=H2)], Split.EVERYWHERE, (2, 2)),
        ([seen(), seen(404, address=TWO)], Split.ADDRESSES, (1, 1)),
        ([seen(), seen(421, protocol=H2)], Split.PROTOCOLS, (1, 2)),
        ([seen(), seen(502), seen()], Split.SOMETIMES, (1, 3)),
        ([seen(), seen(502), seen(502, address=TWO)], Split.SOMETIMES, (2, 3)),
        ([seen(), seen(421, protocol=H2), seen(421, address=TWO)], Split.PROTOCOLS, (2, 3)),
    ],
)
def test_how_wrong_answers_are_spread(observations, split, share):
    spread = evidence(*observations)

    assert (spread.split, spread.share) == (split, share)


def test_repeats_count_among_the_answers_and_the_neighbour_s_do_not():
    repeats = trial(REPEAT, seen(502), seen(), seen(502, domain=API))
    interleaved = trial(Experiment.INTERLEAVED, seen(502), seen(502, domain=API), neighbour=API)
    other = trial(Experiment.OTHER_PATH, seen(404))

    assert evidence(seen(), trials=[repeats, interleaved, other]).share == (2, 4)


def test_what_was_not_asked_or_not_spoken_says_nothing():
    unspoken = failed(Phase.TLS, "alpn", "the server selected none", protocol=H2)

    assert evidence(seen(), unspoken).split is Split.NOWHERE
    assert evidence(failed(Phase.PROCESSING, "not-asked")).own == ()


def test_the_worst_is_of_the_commonest_answer_over_http_1_1_with_a_body():
    rare, http2, bare, full = seen(500), seen(404, protocol=H2), seen(response(404, b"")), seen(404)

    assert evidence(rare, http2, bare, full).worst.seen is full


@pytest.mark.parametrize(
    ("one", "code", "failure"),
    [(seen(404), 404, None), (failed(Phase.CONNECT, "refused"), None, "refused"), (seen(), None, None)],
)
def test_code_or_failure_of_the_worst(one, code, failure):
    found = evidence(one)

    assert (found.code, found.failure and found.failure.kind) == (code, failure)


def at(number, *observations):
    """A round, of so many minutes past noon."""
    shown = [replace(one, started_at=NOON + 60 * number) for one in observations]
    return round_(*shown, started_at=NOON + 60 * number)


def test_what_was_wrong_in_earlier_rounds_is_over_once_enough_right_answers_came():
    wrong, fine = at(0, seen(502)), at(1, *[seen()] * 6)

    assert Evidence([wrong, fine], {}).split is Split.NOWHERE
    assert Evidence([wrong, at(1, *[seen()] * 5)], {}).split is Split.SOMETIMES
    assert Evidence([fine, at(2, *[seen()] * 5, seen(502))], {}).split is Split.SOMETIMES


def test_companions_live_at_an_address_and_port_of_the_domain():
    there = neighbour()
    elsewhere = neighbour(addresses=(TWO,))
    other_port = neighbour(of=target(API, port=8443))

    assert [list(evidence(seen(404), siblings=each).companions) for each in (there, elsewhere, other_port)] == [
        [API],
        [],
        [],
    ]


def test_companions_are_served_or_fail_alike_where_the_domain_fails():
    served, alike, otherwise = neighbour(), neighbour(seen(404, domain=API)), neighbour(seen(502, domain=API))
    unasked = neighbour(seen(domain=API, address=TWO))

    assert [evidence(seen(404), siblings=each).served for each in (served, alike, unasked)] == [(API,), (), ()]
    assert [evidence(seen(404), siblings=each).failing for each in (served, alike, otherwise)] == [(), (API,), ()]


def on_apis(answer, **settings):
    """What the shop was answered on the connection of api."""
    return seen(answer, **{"sni": API, "connection": Connection.REUSED, "protocol": H2, **settings})


def sibling_round(*observations):
    return {API: round_(seen(domain=API, protocol=H2), *observations, of=target(API), exposed=[SHOP])}


def test_refusals_on_a_sibling_s_connection_count_where_a_browser_would_ask_there():
    (shared,) = evidence(seen(protocol=H2), siblings=sibling_round(on_apis(421))).shared
    unexposed = {API: round_(on_apis(421), of=target(API))}

    assert (shared.opener, shared.is_refused, {str(one) for one in shared.clients}) == (API, True, {"chromium"})
    assert evidence(seen(protocol=H2), siblings=unexposed).shared == ()


def test_a_page_that_differs_from_itself_is_not_misrouted_because_it_differs():
    restless = [seen(response(body=f"<title>{word}</title>".encode()), protocol=H2) for word in ("rose", "lily")]
    third = on_apis(response(404, b"<title>tulip</title>"))
    same_kind = replace(third, response=replace(third.response, status=200), page=replace(third.page, status=200))
    sibling = sibling_round(third)

    judged_wrong = {API: replace(sibling[API], observations=(sibling[API].observations[0], same_kind))}
    assert evidence(*restless, siblings=judged_wrong).shared == ()
    assert len(evidence(*restless, siblings=sibling).shared) == 1


def test_symptoms_are_the_same_from_round_to_round_while_nothing_changes():
    first = evidence(seen(502), seen(502, protocol=H2))
    later = Evidence([at(5, seen(502), seen(502, protocol=H2))], {})

    assert first.symptoms == later.symptoms == {f"{ONE} http/1.1 502", f"{ONE} h2 502"}
    assert evidence(seen(503)).symptoms != evidence(seen(502)).symptoms
    assert evidence(seen()).symptoms == frozenset()


def test_a_name_that_nobody_owns_is_taken_where_the_domain_fails():
    here, there = stranger(404), stranger(200, address=TWO)

    assert evidence(seen(404, address=TWO), seen(), here, there).unknown_host is there
    assert evidence(seen(404), stranger(404, connection=Connection.REUSED, address=TWO)).unknown_host is None


@pytest.mark.parametrize(
    ("answer", "survived", "expected"),
    [
        (nginx(404), None, False),
        (apache(421, server="nginx"), None, True),
        (apache(421), True, None),  # a rule of Apache's own says so without ending the connection
        (apache(421, server=""), True, True),
        (response(404), None, None),
    ],
)
def test_whether_the_answer_came_from_behind_the_edge(answer, survived, expected):
    assert evidence(seen(answer, connection_survived=survived)).is_relayed is expected


@pytest.mark.parametrize(
    ("answers", "differ"),
    [
        ({Variation.NO_SUCH_PATH: seen(404)}, True),
        ({Variation.NO_SUCH_PATH: seen(421)}, False),
        ({Variation.NO_SUCH_PATH: seen(421), Variation.ROOT_PATH: seen()}, True),
        ({Variation.NO_SUCH_PATH: failed(Phase.CONNECT, "timeout")}, False),
        ({Variation.HEAD: seen(404)}, False),
        ({}, False),
    ],
)
def test_whether_other_paths_are_answered_otherwise(answers, differ):
    tried = trial(Experiment.OTHER_PATH, *answers.items())

    assert evidence(seen(421), trials=[tried]).paths_differ is differ


def test_the_newest_answer_of_an_experiment_counts():
    first, second = (trial(Experiment.UNKNOWN_NAME, seen(status)) for status in (404, 421))

    assert evidence(seen(421), trials=[first, second]).unknown_name.response.status == 421


def test_handshakes_by_name_address_and_protocol():
    found = evidence(seen(), seen(address=TWO, protocol=H2), siblings=neighbour())

    assert found.tls(SHOP, TWO) is not None
    assert found.tls(SHOP, TWO, Protocol.HTTP11) is None
    assert found.tls(API) is not None
    assert found.tls("nobody.test") is None


def test_a_retry_after_of_varnish_is_nobody_s_announcement():
    guru = "<title>503 Backend fetch failed</title><h3>Guru Meditation:</h3>"

    assert evidence(seen(response(503, guru, retry_after="5"))).retry_after is None
    assert evidence(seen(response(503, "soon", retry_after="5"))).retry_after == "5"
    assert evidence(seen()).retry_after is None
