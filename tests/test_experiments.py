"""Each experiment is a few dials, planned as data."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from exporter.experiments import MOST_PROBES, UNKNOWN_NAME, Subject, plan
from exporter.model import Connection, Experiment, Method, Protocol, Secret, Target, Transport

TARGET = Target("a.test", "g", port=8443, headers=(("Authorization", Secret("s3cret", "env T")),), path="/x")
NEIGHBOUR = Target("b.test", "g", port=8443)
SUBJECT = Subject(TARGET, "127.0.0.1", Protocol.H2, NEIGHBOUR)
ALONE = Subject(TARGET, "127.0.0.1", Protocol.HTTP11)


def dials(experiment, subject=SUBJECT):
    return [step.dial for step in plan(experiment, subject)]


def cells(experiment, subject=SUBJECT):
    return [[(dial.sni, ask.probe.host) for ask in dial.asks] for dial in dials(experiment, subject)]


@pytest.mark.parametrize(
    ("experiment", "asked"),
    [
        (Experiment.REPEAT, [[("a.test", "a.test")]] * 5),
        (Experiment.NO_SNI, [[(None, "a.test")]]),
        (Experiment.SIBLING_SNI, [[("b.test", "a.test")]]),
        (Experiment.REVERSE, [[("a.test", "b.test")]]),
        (Experiment.UNKNOWN_NAME, [[(UNKNOWN_NAME, UNKNOWN_NAME)]]),
        (Experiment.UNKNOWN_HOST, [[("a.test", UNKNOWN_NAME)]]),
        (Experiment.SAME_CONNECTION, [[("a.test", host) for host in ("a.test", "a.test", "b.test", "a.test")]]),
    ],
)
def test_what_is_asked_and_under_which_name(experiment, asked):
    assert cells(experiment) == asked


def test_host_shapes_differ_in_spelling_only():
    shapes = dials(Experiment.HOST_SHAPE)

    assert [(dial.sni, dial.asks[0].request.authority) for dial in shapes] == [
        ("a.test", "a.test."),
        ("a.test", "A.TEST"),
        ("a.test", "a.test:8443"),
        ("a.test", "a.test"),
        ("a.test", "a.test:443"),
        ("a.test.", "a.test:8443"),
    ]


def test_interleaving_lets_each_name_follow_itself_and_the_other():
    (hosts,) = [[ask.probe.host for dial in dials(Experiment.INTERLEAVED) for ask in dial.asks]]

    followed = list(pairwise(hosts))
    assert len(hosts) == 12
    for first in ("a.test", "b.test"):
        for second in ("a.test", "b.test"):
            assert followed.count((first, second)) >= 2
    assert all(len(dial.asks) == 1 for dial in dials(Experiment.INTERLEAVED)), "each on a new connection"


def test_other_path_and_method():
    requests = [dial.asks[0].request for dial in dials(Experiment.OTHER_PATH)]

    assert [(request.method, request.path) for request in requests] == [
        (Method.GET, "/statuscode-exporter-no-such-path"),
        (Method.GET, "/"),
        (Method.GET, "/x?statuscode-exporter=1"),
        (Method.HEAD, "/x"),
    ]


def test_resumed_sessions_come_from_the_name_itself_and_from_the_neighbour():
    assert [(dial.sni, dial.resumes) for dial in dials(Experiment.RESUMED)] == [
        ("a.test", "a.test"),
        ("a.test", "b.test"),
    ]


def test_plain_http_has_no_tls_and_no_secrets():
    (dial,) = dials(Experiment.PLAIN_HTTP)

    assert (dial.port, dial.transport, dial.sni, dial.protocol) == (80, Transport.PLAIN, None, Protocol.HTTP11)
    assert (dial.asks[0].request.authority, dial.asks[0].request.has_secrets) == ("a.test", False)


def test_a_redirect_is_followed_within_the_site_only_where_its_path_is_given():
    (dial,) = dials(Experiment.FOLLOWED, replace(SUBJECT, path="/login?next=/x"))

    assert (dial.sni, dial.asks[0].request.authority, dial.asks[0].request.path) == (
        "a.test",
        "a.test:8443",
        "/login?next=/x",
    )
    assert plan(Experiment.FOLLOWED, SUBJECT) == ()


def test_without_the_configured_fields():
    (dial,) = dials(Experiment.FIELDS)

    assert [name for name, _ in dial.asks[0].request.headers] == ["User-Agent", "Accept"]
    assert plan(Experiment.FIELDS, replace(SUBJECT, target=NEIGHBOUR)) == ()


def test_tls_and_http_versions():
    assert [dial.transport for dial in dials(Experiment.TLS12)] == [Transport.TLS12] * 2
    assert [dial.protocol for dial in dials(Experiment.HTTP11)] == [Protocol.HTTP11]


@pytest.mark.parametrize("experiment", Experiment)
@pytest.mark.parametrize("subject", [SUBJECT, ALONE])
def test_every_experiment_is_bounded_and_begins_each_connection_with_a_fresh_probe(experiment, subject):
    steps = plan(experiment, subject)

    assert sum(len(step.dial.asks) for step in steps) <= MOST_PROBES
    for step in steps:
        dial = step.dial
        assert len(step.variations) == len(dial.asks)
        first, *others = dial.asks
        assert first.probe.connection is Connection.FRESH
        assert all(ask.probe.connection is Connection.REUSED for ask in others)
        assert {ask.probe.address for ask in dial.asks} == {"127.0.0.1"}


def test_what_needs_a_neighbour_plans_nothing_without_one():
    for experiment in (Experiment.SIBLING_SNI, Experiment.REVERSE, Experiment.INTERLEAVED):
        assert plan(experiment, ALONE) == ()
