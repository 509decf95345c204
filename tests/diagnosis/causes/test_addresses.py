"""Which server is reached at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.diagnosis.causes.addresses import _DNS
from exporter.expectation import Comparison, judge
from exporter.model import Client, Connection, Exposure, Phase, Protocol
from exporter.pages import page_of
from tests.diagnosis.cases import (
    API,
    FOREIGN,
    ONE,
    SHOP,
    TWO,
    causes,
    failed,
    neighbour,
    nginx,
    response,
    round_,
    seen,
    stranger,
    target,
    told,
)


@pytest.mark.parametrize(("kind", "words"), [*_DNS.items(), ("strange", "strange")])
def test_a_name_that_does_not_resolve_says_how(kind, words):
    (finding,) = told(failed(Phase.RESOLVE, kind, "by 192.0.2.53", address=None), addresses=())

    assert (finding.cause, finding.severity) == ("dns-failure", "critical")
    assert f"{words} (by 192.0.2.53)" in finding.summary
    assert finding.reproduce == ("dig +short A shop.test; dig +short AAAA shop.test",)


def test_an_address_that_answers_as_to_any_name_belongs_to_somebody_else():
    strange = nginx(404)
    found = causes(seen(), seen(strange, address=TWO), stranger(strange, address=TWO), addresses=(ONE, TWO))

    assert found == [("address-serves-other-hosts", "warning", 404)]


def test_every_address_with_a_certificate_for_others_belongs_to_somebody_else():
    assert causes(seen(nginx(404), tls=FOREIGN))[0][0] == "address-serves-other-hosts"
    assert causes(seen(nginx(404), tls=FOREIGN), siblings=neighbour())[0][0] != "address-serves-other-hosts"


def test_an_advertised_alternative_is_judged_by_what_answers_there():
    wrong, dead = seen(421, port=8443), failed(Phase.CONNECT, "timeout", port=8443)

    assert causes(seen(), wrong) == [("alt-svc-wrong-server", "warning", 421)]
    assert causes(seen(), dead) == [("alt-svc-dead", "warning", None)]
    assert causes(seen(), seen(response(), port=8443), dead) == []


CLAIM = ("https://shop.test",)


@pytest.mark.parametrize(
    ("answer", "asks_again"), [(421, True), (nginx(404), False), (response(body=b"<title>Somebody</title>"), False)]
)
def test_a_server_that_claims_a_name_and_does_not_serve_it_is_told(answer, asks_again):
    claims = seen(answer, address=TWO, sni=API, protocol=Protocol.H2, connection=Connection.REUSED, origins=CLAIM)
    (finding,) = told(seen(), siblings=api_at(TWO, claims))

    assert (finding.cause, finding.severity) == ("origin-frame-too-wide", "warning")
    assert finding.summary.startswith(f"the server of {API} at {TWO} claims {SHOP} in its ORIGIN frame, and answers ")
    assert ("asks again" in finding.noticed_by[0]) is asks_again


@pytest.mark.parametrize("origins", [None, (), ("https://shop.test:8443",)])
def test_nobody_is_told_to_claim_what_no_frame_of_the_connection_has(origins):
    unclaimed = seen(421, address=TWO, sni=API, protocol=Protocol.H2, connection=Connection.REUSED, origins=origins)

    assert "origin-frame-too-wide" not in {one.cause for one in told(seen(), siblings=api_at(TWO, unclaimed))}


def api_at(address, *observations):
    """The round of `api.test`, which lives there, with what was answered on its connections; Firefox would share."""
    own = seen(domain=API, address=address, protocol=Protocol.H2)
    about = round_(own, *observations, of=target(API), addresses=(address,), fresh=page_of(response()))
    exposure = Exposure(SHOP, API, Client.FIREFOX, address)
    compared = Comparison(page_of(response()), frozenset({Client.FIREFOX}))
    verdicts = tuple(judge(about.target, one, compared) for one in about.observations)
    return {API: replace(about, exposures=(exposure,), verdicts=verdicts)}
