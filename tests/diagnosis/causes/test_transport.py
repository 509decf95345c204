"""No answer, named by the phase in which it ended."""

from __future__ import annotations

import pytest

from exporter.model import Expect, Phase, Protocol
from tests.diagnosis.cases import BOTH_NAMES, ONE, TWO, causes, failed, response, seen, target, told
from tests.factories import tls

H2, H3 = Protocol.H2, Protocol.H3
CONNECT, TLS, PROCESSING, TRANSFER = Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER
ASKING = tls(chain=BOTH_NAMES.chain, client_certificate_requested=True)


@pytest.mark.parametrize(
    ("phase", "kind", "detail", "cause"),
    [
        (CONNECT, "refused", "", "connection-refused"),
        (CONNECT, "timeout", "", "connection-timeout"),
        (CONNECT, "unreachable", "No route to host", "connection-timeout"),
        (CONNECT, "reset", "", "connection-reset"),
        (TLS, "reset", "", "connection-reset-on-hello"),
        (TLS, "closed", "", "connection-reset-on-hello"),
        (TLS, "timeout", "", "tls-handshake-timeout"),
        (TLS, "alert", "handshake_failure", "tls-handshake-failed"),
        (TLS, "alert", "unrecognized_name", "tls-name-rejected"),
        (TLS, "alert", "certificate_required", "client-cert-required"),
        (TLS, "handshake", "", "tls-handshake-failed"),
        (TLS, "plain-http", "", "port-speaks-plain-http"),
        (TLS, "not-tls", "begins with SSH-2.0", "not-http"),
        (PROCESSING, "reset", "", "connection-reset"),
        (PROCESSING, "closed", "", "closed-without-answer"),
        (PROCESSING, "timeout", "", "response-timeout"),
        (PROCESSING, "slow", "", "response-too-slow"),
        (PROCESSING, "not-http", "", "not-http"),
        (PROCESSING, "headers-too-big", "", "response-headers-too-big"),
        (TRANSFER, "truncated", "", "body-truncated"),
        (TRANSFER, "malformed", "", "body-truncated"),
        (TRANSFER, "timeout", "", "body-never-ends"),
        (PROCESSING, "nobody-knows", "", "unknown"),
    ],
)
def test_each_way_to_fail_has_its_cause(phase, kind, detail, cause):
    (finding, *_) = told(failed(phase, kind, detail))

    assert (finding.cause, finding.severity, finding.code) == (cause, "critical", None)


@pytest.mark.parametrize("kind", ["protocol-error", "stream-reset", "goaway"])
def test_http_2_that_breaks_beside_a_good_http_1_1(kind):
    broken = failed(PROCESSING, kind, "PROTOCOL_ERROR", protocol=H2)

    assert causes(seen(), broken) == [("http2-protocol-error", "warning", None)]


def test_an_upgrade_field_over_http_1_1_explains_it():
    broken = failed(PROCESSING, "protocol-error", "connection-specific header field", protocol=H2)

    assert causes(seen(response(upgrade="h2,h2c")), broken) == [("illegal-upgrade-header-in-h2", "critical", None)]


def test_one_address_that_nobody_answers_at_is_a_warning():
    dead = failed(CONNECT, "timeout", address=TWO)
    (finding,) = told(seen(), dead, addresses=(ONE, TWO))

    assert (finding.cause, finding.severity) == ("address-unreachable", "warning")
    assert f"nobody answers at {TWO} (connect timeout); {ONE} answers" in finding.summary


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (seen(response(400, "No required SSL certificate was sent"), tls=ASKING), 400),
        (seen(response(403, "no"), tls=ASKING), 403),
        (failed(PROCESSING, "closed", tls=ASKING), None),
        (failed(PROCESSING, "alert", "certificate_required", tls=ASKING), None),
    ],
)
def test_a_server_that_asks_for_a_certificate_and_serves_nobody_without(one, code):
    assert causes(one)[0] == ("client-cert-required", "critical", code)


def test_an_answer_later_than_the_configuration_allows_names_the_phase():
    late = seen(seconds={TLS: 0.1, PROCESSING: 2.0})
    (finding,) = told(late, of=target(expect=Expect(max_seconds=1.0)))

    assert (finding.cause, finding.severity, finding.code) == ("response-too-slow", "warning", 200)
    assert "most of it in phase processing" in finding.summary


def test_quic_that_nobody_speaks_is_a_failing_handshake():
    assert causes(seen(), failed(TLS, "quic-error", protocol=H3))[0][:2] == ("tls-handshake-failed", "warning")
