"""Whether the prober's own network fails: only where all that is probed fails alike before it is connected to."""

from __future__ import annotations

import pytest

from exporter.expectation import Comparison, judge
from exporter.model import Failure, Phase
from exporter.vantage import is_cut_off, outlook
from tests.factories import observation, probe, round_, target

UNRESOLVED = Failure(Phase.RESOLVE, "dns-unreachable")
TIMED_OUT = Failure(Phase.CONNECT, "timeout")
NO_ROUTE = Failure(Phase.CONNECT, "no-route")
REFUSED = Failure(Phase.CONNECT, "refused")


def domain(number, *failures):
    """The round of a domain whose matched probes failed so; None: that one was answered."""
    name = f"d{number}.test"
    about = target(name, protocols=("http/1.1",))
    seen = [
        observation(
            probe(
                name, address=None if failure is not None and failure.phase is Phase.RESOLVE else f"192.0.2.{number}"
            ),
            failure=failure,
        )
        for failure in failures
    ]
    return round_(*seen, of=about, verdicts=tuple(judge(about, one, Comparison()) for one in seen))


def domains(*failures):
    return [domain(number, failure) for number, failure in enumerate(failures, 1)]


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        ([UNRESOLVED] * 3, "no name server answers for any of 3 domains"),
        ([Failure(Phase.RESOLVE, "timeout")] * 4, "no name server answers for any of 4 domains"),
        ([TIMED_OUT, NO_ROUTE, TIMED_OUT], "none of 3 domains can be connected to"),
        ([TIMED_OUT, Failure(Phase.CONNECT, "unreachable")] * 2, "none of 4 domains can be connected to"),
        ([UNRESOLVED, TIMED_OUT, TIMED_OUT], "none of 3 domains can be connected to"),
        ([UNRESOLVED] * 2, ""),
        ([TIMED_OUT, TIMED_OUT, None], ""),
        ([TIMED_OUT, TIMED_OUT, REFUSED], ""),
        ([Failure(Phase.RESOLVE, "nxdomain")] * 3, ""),
        ([Failure(Phase.RESOLVE, "servfail")] * 3, ""),
        ([Failure(Phase.TLS, "timeout")] * 3, ""),
        ([], ""),
    ],
)
def test_the_outlook_from_here(failures, words):
    assert outlook(domains(*failures)) == words


def test_one_server_of_many_names_that_is_down_is_not_the_network():
    same = [domain(1, TIMED_OUT) for _ in range(5)]

    assert outlook(same) == ""


@pytest.mark.parametrize(
    ("failures", "cut_off"),
    [
        ([TIMED_OUT, NO_ROUTE], True),
        ([TIMED_OUT, None], False),
        ([TIMED_OUT, REFUSED], False),
        ([Failure(Phase.PROCESSING, "not-asked")], False),
    ],
)
def test_a_round_is_cut_off_where_none_of_its_own_probes_connected(failures, cut_off):
    assert is_cut_off(domain(1, *failures)) is cut_off
