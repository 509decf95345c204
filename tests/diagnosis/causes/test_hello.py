"""Names in the TLS hello and in Host: refused for what they are, or how they are spelled."""

from __future__ import annotations

import pytest

from exporter.model import Experiment, Phase, Variation
from tests.diagnosis.cases import causes, failed, neighbour, nginx, response, seen, target, trial


def shapes(**answers):
    return trial(Experiment.HOST_SHAPE, *((Variation[name], seen(status)) for name, status in answers.items()))


@pytest.mark.parametrize(
    ("port", "tried", "expected"),
    [
        (443, shapes(UPPER_CASE=421), [("host-header-shape", "info", 421)]),
        (443, shapes(TRAILING_DOT=404, UPPER_CASE=200), [("host-header-shape", "info", 404)]),
        (443, shapes(WITH_PORT=200, OTHER_PORT=421, SNI_TRAILING_DOT=421), []),
        (8443, shapes(WITHOUT_PORT=421), []),
        (443, shapes(), []),
    ],
)
def test_only_spellings_of_the_same_name_count(port, tried, expected):
    assert causes(seen(), trials=[tried], of=target(port=port)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (nginx(421), ("monitor-sends-no-sni", "info", 421)),
        (nginx(403), ("strict-sni-rejects-clients-without-sni", "info", 403)),
    ],
)
def test_clients_without_sni_that_alone_are_refused_are_no_alarm(answer, expected):
    assert causes(seen(), seen(answer, sni=None)) == [expected]


def test_a_refused_handshake_without_sni_is_the_same_policy():
    refused = failed(Phase.TLS, "alert", "unrecognized_name", sni=None)

    assert causes(seen(), refused) == [("strict-sni-rejects-clients-without-sni", "info", None)]


@pytest.mark.parametrize("text", ["Invalid SNI", "Host does not match SNI", "SNI required"])
def test_jetty_compares_names_with_its_certificate(text):
    page = response(400, f"<title>Error 400 {text}</title>")

    assert causes(seen(page))[0] == ("server-rejects-sni", "critical", 400)


def test_a_handshake_that_another_name_gets_is_refused_for_the_name():
    found = causes(failed(Phase.TLS, "alert", "internal_error"), siblings=neighbour())

    assert found[0] == ("tls-name-rejected", "critical", None)


def test_an_old_protocol_is_not_refused_for_the_name():
    found = causes(failed(Phase.TLS, "alert", "protocol_version"), siblings=neighbour())

    assert found[0] == ("tls-handshake-failed", "critical", None)
