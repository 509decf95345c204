"""Certificates that clients refuse, whatever the status is."""

from __future__ import annotations

import pytest

from exporter.model import Protocol
from tests.diagnosis.cases import BOTH_NAMES, causes, seen, target, told
from tests.factories import tls


def flawed(*faults, **settings):
    return tls(chain=BOTH_NAMES.chain, faults=faults, fault_detail="as it says", **settings)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("expired", "cert-expired"),
        ("not-yet-valid", "cert-not-yet-valid"),
        ("wrong-name", "cert-name-mismatch"),
        ("untrusted", "cert-untrusted"),
    ],
)
def test_each_fault_is_a_cause_with_the_status_beside_it(fault, cause):
    (finding,) = told(seen(tls=flawed(fault)))

    assert (finding.cause, finding.severity, finding.code) == (cause, "critical", 200)
    assert "as it says" in finding.summary
    assert [command.startswith("curl -sS -o ") for command in finding.reproduce] == [True]  # which verifies


def test_a_part_of_the_handshakes_is_a_warning_and_resumed_ones_do_not_count():
    bad, good = seen(tls=flawed("expired")), seen(protocol=Protocol.H2)
    resumed = seen(tls=tls(chain=BOTH_NAMES.chain, resumed=True))

    assert causes(bad, good) == [("cert-expired", "warning", 200)]
    assert causes(bad, resumed) == [("cert-expired", "critical", 200)]


def test_two_faults_are_both_told():
    assert {cause for cause, *_ in causes(seen(tls=flawed("expired", "untrusted")))} == {
        "cert-expired",
        "cert-untrusted",
    }


def test_where_nobody_verifies_nothing_is_told():
    assert causes(seen(tls=flawed("expired")), of=target(verify=False)) == []
