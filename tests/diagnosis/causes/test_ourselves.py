"""Suspect yourself first."""

from __future__ import annotations

import pytest

from exporter.model import Phase
from tests.diagnosis.cases import causes, failed, seen, told

DOWN = "no name server answers for any of 3 domains"
UNRESOLVED = failed(Phase.RESOLVE, "dns-unreachable", address=None)
DETAIL = "Network is unreachable"


def without_route(address="192.0.2.1", kind="no-route"):
    return failed(Phase.CONNECT, kind, DETAIL, address=address)


def over_ipv6(kind="no-route"):
    return without_route("2001:db8::1", kind)


def test_where_our_own_network_is_down_nothing_else_is_told():
    (finding,) = told(UNRESOLVED, down=DOWN)

    assert (finding.cause, finding.severity, finding.noticed_by) == (
        "vantage-offline",
        "critical",
        ("nobody but this prober",),
    )
    assert DOWN in finding.summary
    assert "dns-failure" in {one.cause for one in finding.excluded}


@pytest.mark.parametrize(
    "observations",
    [
        [failed(Phase.CONNECT, "refused")],
        [failed(Phase.TLS, "timeout")],
        [UNRESOLVED, seen(502)],
        [failed(Phase.CONNECT, "timeout"), seen()],
    ],
)
def test_what_somebody_answered_is_not_our_network(observations):
    assert "vantage-offline" not in [cause for cause, *_ in causes(*observations, down=DOWN)]


@pytest.mark.parametrize("kind", ["nxdomain", "servfail", "dns-refused", "timeout"])
def test_a_domain_that_does_not_resolve_is_its_own_fault(kind):
    assert causes(failed(Phase.RESOLVE, kind, address=None)) == [("dns-failure", "critical", None)]


@pytest.mark.parametrize(("observations", "severity"), [([UNRESOLVED], "critical"), ([seen(), UNRESOLVED], "warning")])
def test_name_servers_that_this_machine_cannot_reach_are_not_the_domains(observations, severity):
    (finding,) = told(*observations)

    assert (finding.cause, finding.severity) == ("vantage-offline", severity)
    assert "cannot reach its name servers" in finding.summary


@pytest.mark.parametrize(
    ("observations", "severity"),
    [([without_route()], "critical"), ([without_route(), seen(address="192.0.2.2")], "warning")],
)
def test_a_machine_without_a_route_blames_itself(observations, severity):
    (finding,) = told(*observations)

    assert (finding.cause, finding.severity) == ("vantage-offline", severity)
    assert "no route to 192.0.2.1" in finding.summary


def test_a_prober_without_ipv6_says_so_and_does_not_blame_the_domain():
    (finding,) = told(over_ipv6(), seen(), addresses=("2001:db8::1", "192.0.2.1"))

    assert (finding.cause, finding.severity) == ("vantage-offline", "warning")
    assert "ip_family: ipv4" in finding.summary


@pytest.mark.parametrize(
    "observations",
    [
        [over_ipv6("unreachable"), seen()],
        [over_ipv6(), seen(502)],
        [without_route(kind="unreachable"), seen(address="192.0.2.2")],
    ],
)
def test_one_host_out_of_reach_or_another_fault_beside_it_is_not_our_network(observations):
    assert "vantage-offline" not in [cause for cause, *_ in causes(*observations)]
