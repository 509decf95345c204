from __future__ import annotations

from exporter.health import Health
from exporter.web.trouble import troubles
from tests.factories import NOON


def well():
    health = Health()
    health.store_wrote(0.001, NOON)
    return health


def test_an_exporter_that_is_well_has_none():
    assert troubles(well(), (), 0, 100) == ()


def test_every_trouble_is_told_with_what_there_is_to_know():
    health = well()
    health.store_failed()
    health.store_waiting(12)
    health.store_dropped(3)
    health.round_failed()
    health.loop_lag(2.5)

    found = troubles(health, [f"groups[{number}]: wrong" for number in range(12)], 5, 100)

    assert [(one.id, one.lines[-1:]) for one in found] == [
        ("stale-rounds", ()),
        ("store", ("3 were given up",)),
        ("reload", ("and 2 more",)),
        ("round-errors", ()),
        ("overloaded", ()),
    ]
    assert found[0].title.startswith("5 of 100 domains")
    assert found[1].lines[0] == "12 rounds and incidents wait in memory"


def test_a_disk_that_has_not_answered_since_the_start_is_a_trouble():
    assert [one.id for one in troubles(Health(), (), 0, 0)] == ["store"]
