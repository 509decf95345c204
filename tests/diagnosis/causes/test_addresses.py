"""Which server is reached at all."""

from __future__ import annotations

import pytest

from exporter.diagnosis.causes.addresses import _DNS
from exporter.model import Phase
from tests.diagnosis.cases import FOREIGN, ONE, TWO, causes, failed, neighbour, nginx, response, seen, stranger, told


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
