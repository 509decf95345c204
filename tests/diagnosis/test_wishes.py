"""Which experiment comes next: few, in order, and none where it would be a nuisance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.diagnosis.wishes import MOST_PROBES, PROBES, next_wish
from exporter.experiments import Subject, plan
from exporter.model import Connection, Experiment, Phase, Protocol
from tests.diagnosis.cases import (
    API,
    ONE,
    SHOP,
    TWO,
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

H2 = Protocol.H2


def wishes(*observations, thorough=False, **settings):
    """The wishes that come one after the other while experiments show nothing new, as one probe each."""
    asked = []
    for _ in range(30):
        wish = next_wish(evidence(*observations, trials=[made(one) for one in asked], **settings), thorough=thorough)
        if wish is None:
            return asked
        asked.append(wish)
    raise AssertionError(asked)


def made(wish):
    """The experiment, without answers: it shows nothing."""
    return replace(
        trial(wish.experiment, neighbour=wish.neighbour, path=wish.path), address=wish.address, protocol=wish.protocol
    )


def names(*observations, **settings):
    return [wish.experiment.value for wish in wishes(*observations, **settings)]


@pytest.mark.parametrize(
    ("observations", "siblings", "expected"),
    [
        ([seen(421)], {}, ["other-path", "unknown-name", "repeat", "host-shape"]),
        ([seen(421)], neighbour(), ["other-path", "unknown-name", "interleaved", "host-shape"]),
        ([seen(404)], {}, ["fields", "other-path", "unknown-name", "host-shape", "repeat"]),
        ([seen(502)], {}, ["other-path", "repeat"]),
        ([seen(), seen(502), seen()], {}, ["repeat", "other-path"]),
        ([seen(), seen(421, protocol=H2)], {}, ["repeat", "other-path", "unknown-name", "host-shape"]),
        ([seen(401)], {}, []),
        ([seen(301)], {}, []),
        ([failed(Phase.TLS, "alert", "unrecognized_name")], {}, ["unknown-name", "no-sni"]),
        ([failed(Phase.PROCESSING, "closed")], {}, ["repeat"]),
        ([failed(Phase.CONNECT, "refused")], {}, ["repeat"]),
        ([failed(Phase.CONNECT, "timeout")], {}, []),
        ([failed(Phase.CONNECT, "unreachable")], {}, []),
        ([failed(Phase.RESOLVE, "nxdomain", address=None)], {}, []),
        ([seen()], {}, []),
        ([seen(), stranger(404)], neighbour(), []),
    ],
)
def test_each_symptom_has_its_experiments_in_order(observations, siblings, expected):
    assert names(*observations, siblings=siblings) == expected


def test_experiments_are_made_where_it_is_wrong():
    wish = next_wish(evidence(seen(), seen(502, address=TWO, protocol=H2)))

    assert (wish.address, wish.protocol) == (TWO, H2)


def test_a_neighbour_that_is_served_there_is_preferred():
    failing = round_(seen(421, domain="a.test"), of=target("a.test"))
    siblings = {"a.test": failing, **neighbour()}

    (wish,) = [one for one in wishes(seen(421), siblings=siblings) if one.experiment is Experiment.INTERLEAVED]

    assert wish.neighbour == API


@pytest.mark.parametrize("where", ["own", "stranger", "earlier experiment"])
def test_nobody_is_asked_more_who_says_that_it_is_too_much(where):
    own = seen(429) if where == "own" else seen(502)
    others = [stranger(429)] if where == "stranger" else []
    trials = [trial(Experiment.OTHER_PATH, seen(429))] if where == "earlier experiment" else []

    assert next_wish(evidence(own, *others, trials=trials), thorough=True) is None


def test_no_experiment_begins_that_would_ask_for_more_than_twenty():
    def after(probes):
        return next_wish(evidence(seen(421), trials=[trial(Experiment.OTHER_PATH, *[seen(421)] * probes)]))

    assert [wish and wish.experiment.value for wish in map(after, (14, 15, 19, 20, 23))] == [
        "unknown-name",
        "unknown-name",
        "unknown-name",
        None,
        None,
    ]
    assert MOST_PROBES == 20


def sizes(experiment):
    """Of plans with everything that can make them long."""
    paths = ("/", "/a?b")
    subjects = [Subject(target(path=path, headers=(("Cookie", "x"),)), ONE, H2, target(API), path) for path in paths]
    return [sum(len(step.dial.asks) for step in plan(experiment, one)) for one in subjects]


@pytest.mark.parametrize("experiment", PROBES)
def test_each_experiment_takes_as_many_probes_as_is_reckoned_with(experiment):
    assert max(sizes(experiment)) == PROBES[experiment]


@pytest.mark.parametrize(
    ("observations", "settings", "expected"),
    [
        ([seen(421)], {}, ["other-path", "unknown-name", "interleaved"]),
        ([seen(421)], {"of": target(port=8443)}, ["other-path", "unknown-name", "host-shape"]),
        ([seen(421), seen()], {"of": target(port=8443)}, ["repeat", "interleaved", "unknown-name"]),
        ([seen(), seen(421, protocol=H2)], {}, ["repeat", "other-path", "unknown-name", "host-shape"]),
    ],
)
def test_with_a_neighbour_there_is_room_for_the_order_or_for_the_port(observations, settings, expected):
    port = settings.get("of", target()).port
    failing = neighbour(seen(421, domain=API), of=target(API, port=port))

    def answered(wish):
        answers = [seen(421, protocol=wish.protocol)] * PROBES[wish.experiment]
        return replace(trial(wish.experiment, *answers, neighbour=wish.neighbour), protocol=wish.protocol)

    made = []
    while wish := next_wish(evidence(*observations, siblings=failing, trials=map(answered, made), **settings)):
        made.append(wish)

    assert [one.experiment.value for one in made] == expected


@pytest.mark.parametrize("status", [404, 421, 502])
def test_a_slow_server_is_not_asked_again_for_what_is_wrong_always(status):
    slow = seen(status, seconds={Phase.PROCESSING: 1.5})

    assert names(slow) == []
    assert names(seen(), slow) == ["repeat"], "how often it is wrong is worth the wait"


def on_apis(answer):
    return seen(answer, sni=API, connection=Connection.REUSED, protocol=H2)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (421, ["unknown-name", "sibling-sni", "tls1.2"]),
        (404, ["repeat", "unknown-name", "sibling-sni", "tls1.2"]),
    ],
)
def test_a_name_refused_on_a_sibling_s_connection_is_asked_for_on_that_handshake_without_reuse(answer, expected):
    opened = round_(seen(domain=API, protocol=H2), on_apis(answer), of=target(API), exposed=[SHOP])
    found = wishes(seen(protocol=H2), siblings={API: opened})

    assert [one.experiment.value for one in found] == expected
    assert {one.neighbour for one in found} == {"", API}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/login", [(Experiment.FOLLOWED, "/login")]),
        ("http://shop.test/", [(Experiment.PLAIN_HTTP, "")]),
        ("https://elsewhere.test/", []),
        ("/", []),
        ("https://shop.test:8443/", []),
    ],
)
def test_redirects_are_followed_within_the_name_only(location, expected):
    redirect = seen(nginx(302, location=location))

    assert [(one.experiment, one.path) for one in wishes(redirect)] == expected


def test_what_every_name_gets_is_worth_a_look_at_the_default_site():
    page = response(body="<title>Welcome</title>")

    assert names(seen(page), stranger(page), siblings=neighbour()) == ["unknown-name"]


def test_who_asks_once_has_healthy_names_looked_at_too():
    assert names(seen(), thorough=True) == ["repeat", "host-shape", "resumed"]
    assert names(seen(), siblings=neighbour(), thorough=True) == ["interleaved", "host-shape", "resumed"]
    assert {one.address for one in wishes(seen(), thorough=True)} == {ONE}
