"""What was agreed before still counts: held connections and resumed sessions."""

from __future__ import annotations

import pytest

from exporter.model import Connection, Experiment, Phase, Variation
from tests.diagnosis.cases import API, BOTH_NAMES, causes, failed, seen, told, trial
from tests.factories import tls

OWN, NEIGHBOURS = Variation.OWN_SESSION, Variation.NEIGHBOURS_SESSION
RESUMED = tls(chain=BOTH_NAMES.chain, resumed=True)


def held(answer, before):
    return seen(answer, connection=Connection.HELD, asked_before=before)


def test_an_old_connection_that_gets_the_old_answer_is_stale():
    (finding,) = told(seen(), held(404, 3))

    assert (finding.cause, finding.severity, finding.code) == ("stale-connection", "warning", 404)
    assert "3 requests were answered on that connection before" in finding.evidence


@pytest.mark.parametrize("observations", [[seen(), held(404, 0)], [seen(), held(200, 3)]])
def test_a_held_connection_that_is_new_or_served_is_not_stale(observations):
    assert causes(*observations) == []


def test_where_new_connections_fail_too_the_old_one_is_not_the_fault():
    assert "stale-connection" not in [cause for cause, *_ in causes(seen(404), held(404, 3))]


@pytest.mark.parametrize(
    ("how", "answer", "expected"),
    [
        (OWN, seen(421, tls=RESUMED), [("tls-resumption-across-names", "warning", 421)]),
        (NEIGHBOURS, seen(421, tls=RESUMED), [("tls-resumption-across-names", "info", 421)]),
        (OWN, failed(Phase.TLS, "alert", "handshake_failure"), [("tls-resumption-across-names", "warning", None)]),
        (OWN, seen(tls=RESUMED), []),
        (OWN, seen(421, tls=BOTH_NAMES), []),  # a full handshake after all
        (OWN, failed(Phase.CONNECT, "timeout"), []),
    ],
)
def test_a_resumed_session_that_gets_another_answer_is_named(how, answer, expected):
    tried = trial(Experiment.RESUMED, (how, answer), neighbour=API)

    assert causes(seen(), trials=[tried]) == expected
