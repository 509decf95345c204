"""What is stored is what was seen, without secrets."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.latest import Latest
from exporter.model import Failure, Incident, Observation, Phase, Response, Round, Secret, Severity
from exporter.records import MAX_BODY_BYTES
from exporter.store.records import (
    UnreadableError,
    packed_incident,
    packed_round,
    unpacked_incident,
    unpacked_round,
)
from tests.factories import finding, observation, probe, response, round_, target
from tests.store.kept import incident

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RESPONSES = st.builds(
    Response,
    status=st.integers(100, 999),
    reason=TEXT,
    headers=st.lists(st.tuples(TEXT, TEXT)).map(tuple),
    body=st.binary(),
)
FAILURES = st.builds(Failure, phase=st.sampled_from(Phase), kind=TEXT, detail=TEXT)
OBSERVATIONS = st.builds(
    lambda response, failure: observation(probe(), response=response, failure=failure),
    st.none() | RESPONSES,
    st.none() | FAILURES,
)


@given(st.lists(OBSERVATIONS, min_size=1, max_size=3), TEXT)
@settings(deadline=None)
def test_a_round_comes_back_as_it_went(observations, summary):
    seen = round_(*observations, findings=(finding(summary=summary, code=None),))

    assert unpacked_round(packed_round(seen)) == seen


@given(TEXT, st.sampled_from(Severity), st.floats(0, 1))
@settings(deadline=None)
def test_an_incident_comes_back_as_it_went(summary, severity, confidence):
    one = incident("1", "a.test", "b.test", summary=summary, severity=severity, confidence=confidence)

    assert unpacked_incident(packed_incident(one)) == one


@pytest.mark.parametrize("secret", ["hunter2", 'with "quotes" \\ and é', "a/b+c=="])
def test_a_secret_is_nowhere_even_if_the_server_says_it_again(secret):
    about = target(headers=(("Authorization", Secret(secret, "file token")), ("Accept", "text/html")))
    answer = response(
        500, reason=f"no {secret}", headers=(("x-echo", f"<{secret}>"),), body=b"you sent " + secret.encode("latin-1")
    )
    failure = Failure(Phase.PROCESSING, "odd", f"because of {secret}")
    seen = round_(
        observation(response=answer, failure=failure), of=about, findings=(finding(summary=f"says {secret}"),)
    )

    back = unpacked_round(packed_round(seen))

    assert back.target.headers == (("Authorization", Secret("<secret>", "file token")), ("Accept", "text/html"))
    assert back.observations[0].response.body == b"you sent <secret>"
    assert back.observations[0].response.headers == (("x-echo", "<<secret>>"),)
    assert back.findings[0].summary == "says <secret>"
    assert secret not in repr(back)


def test_half_a_character_that_a_server_sent_becomes_a_question_mark():
    seen = round_(observation(response=response(500, headers=(("x", "a\ud800b"),))))

    assert unpacked_round(packed_round(seen)).observations[0].response.headers == (("x", "a?b"),)


def test_bodies_are_bounded_together():
    half = b"x" * (MAX_BODY_BYTES // 2)
    seen = round_(*(observation(response=response(500, body=half)) for _ in range(3)))

    back = unpacked_round(packed_round(seen))

    assert [len(one.response.body) for one in back.observations] == [len(half), len(half), 0]


@pytest.mark.parametrize(
    "data", [b"", b"no gzip", gzip.compress(b"no JSON"), gzip.compress(b"{}"), packed_incident(incident())[:40]]
)
def test_what_cannot_be_read_is_said_to_be_unreadable(data):
    for unpack in (unpacked_round, unpacked_incident):
        with pytest.raises(UnreadableError):
            unpack(data)


def test_what_an_older_version_did_not_store_has_its_default():
    data = gzip.compress(gzip.decompress(packed_round(round_())).replace(b'"trials": [], ', b""))

    assert unpacked_round(data) == round_()


def test_the_types_are_those_of_the_model():
    assert isinstance(unpacked_incident(packed_incident(incident())), Incident)
    assert isinstance(unpacked_round(packed_round(round_())), Round)
    assert isinstance(unpacked_round(packed_round(round_())).observations[0], Observation)


def test_a_round_as_the_exporter_keeps_it_can_be_stored():
    """Its expected observations are slim: they have no times, in a mapping that cannot be changed."""
    seen = round_(observation(), observation(probe(sni=None)))
    latest = Latest()
    latest.put(seen)
    kept = latest.get(seen.target.domain)

    assert unpacked_round(packed_round(kept)) == kept
