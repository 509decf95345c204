"""The name is served on connections of its own, and not on a sibling's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.model import Connection, Experiment, Protocol
from tests.diagnosis.cases import (
    API,
    BOTH_NAMES,
    SHOP,
    apache,
    causes,
    nginx,
    response,
    round_,
    seen,
    target,
    told,
    trial,
)
from tests.factories import certificate, tls

H2 = Protocol.H2
OWN = seen(protocol=H2)
HAPROXY = response(421, "<html><body><h1>421 Misdirected Request</h1>\n", "")
ASKING = replace(BOTH_NAMES, client_certificate_requested=True)
OTHER_LEAF = tls(chain=(certificate(SHOP, API, sha256="22" * 32),))
CATCH_ALL = trial(Experiment.UNKNOWN_NAME, seen(nginx(421), protocol=H2))


def opened_by_api(answer, **settings):
    """The round of api.test, on whose connection the shop gets `answer`."""
    shared = seen(answer, sni=API, connection=Connection.REUSED, protocol=H2)
    return {
        API: round_(seen(domain=API, protocol=H2, **settings), shared, of=target(API), exposed=[SHOP], fresh=OWN.page)
    }


@pytest.mark.parametrize(
    ("answer", "settings", "trials", "cause"),
    [
        (apache(421), {}, [], "vhost-tls-params-differ"),
        (apache(421), {"tls": ASKING}, [], "vhost-client-cert-differs"),
        (apache(421), {"tls": OTHER_LEAF}, [], "vhost-certs-overlap"),
        (HAPROXY, {}, [], "sni-policy-forbids-connection-reuse"),
        (nginx(421), {}, [CATCH_ALL], "sni-router-with-shared-cert"),
        (nginx(404), {}, [], "sni-router-with-shared-cert"),
        (response(body=b"<title>api.test</title><p>Welcome"), {}, [], "sni-router-with-shared-cert"),
    ],
)
def test_what_a_sibling_s_connection_answers_tells_why(answer, settings, trials, cause):
    found = causes(OWN, siblings=opened_by_api(answer, **settings), trials=trials)

    assert [(one, severity) for one, severity, _ in found] == [(cause, "warning")]


def test_what_is_wrong_on_connections_of_its_own_is_the_greater_fault():
    found = causes(seen(apache(421), protocol=H2), siblings=opened_by_api(apache(421)))

    assert not {"vhost-tls-params-differ", "vhost-certs-overlap"} & {cause for cause, *_ in found}


def test_who_notices_is_told_by_whether_clients_ask_again():
    refused = told(OWN, siblings=opened_by_api(apache(421)))[0]
    misrouted = told(OWN, siblings=opened_by_api(nginx(404)))[0]

    assert "ask again on a new connection" in refused.noticed_by[0]
    assert "private window" in misrouted.noticed_by[0]
