from __future__ import annotations

import pytest

from exporter.model import Incident, Phase, Stage
from exporter.web.bars import WIDTH, Bar, Window, timings, window
from tests.factories import NOON, SECONDS, finding, observation, probe, round_

HOUR = Window(NOON, NOON + 3600)


@pytest.mark.parametrize(
    ("since", "until", "bar"),
    [
        (NOON, NOON + 3600, Bar(0.0, 200.0)),
        (NOON + 1800, None, Bar(100.0, 100.0)),
        (NOON - 9000, NOON + 900, Bar(0.0, 50.0)),
        (NOON + 1800, NOON + 1800, Bar(100.0, 3.0)),
        (NOON + 9000, None, Bar(197.0, 3.0)),
        (NOON - 9000, NOON - 8000, Bar(0.0, 3.0)),
    ],
)
def test_a_bar_lies_in_its_window_and_can_be_seen(since, until, bar):
    assert HOUR.bar(since, until) == bar
    assert bar.x + bar.width <= WIDTH


def incident(since):
    return Incident("x", Stage.FIRING, since, finding(), (), ("a.test",), ("a.test",))


def test_the_window_is_that_of_the_filter_or_begins_with_the_first_incident():
    both = (incident(NOON), incident(NOON - 500))

    assert window(both, NOON + 60, None, None) == Window(NOON - 500, NOON + 60)
    assert window(both, NOON + 60, NOON - 10_000, NOON) == Window(NOON - 10_000, NOON)
    assert window((), NOON, None, None) == Window(NOON - 3600, NOON)
    assert window((), NOON, None, NOON + 1e9) == Window(NOON - 3600, NOON)
    assert window((), NOON, NOON + 5, None) == Window(NOON - 60, NOON)


def test_phases_of_the_own_name_are_drawn_side_by_side_by_address():
    slow, fast = observation(seconds=SECONDS), observation(probe(address="127.0.0.2"), seconds={Phase.TLS: 0.00775})
    found = timings(round_(fast, slow, observation(probe(sni=None), seconds={Phase.TLS: 9.0})))

    assert [(one.place, one.total_seconds) for one in found] == [("127.0.0.1", 0.031), ("127.0.0.2", 0.00775)]
    assert [phase for phase, _, _ in found[0].phases] == list(Phase)
    last = found[0].phases[-1][2]
    assert last.x + last.width == pytest.approx(WIDTH, abs=0.2)
    assert found[1].phases[0][2] == Bar(0.0, 50.0)


def test_probes_that_took_no_time_are_no_division_by_zero():
    assert timings(round_(observation(seconds={Phase.CONNECT: 0.0})))[0].total_seconds == 0.0
