from __future__ import annotations

from exporter.incidents import Sighting
from exporter.model import Excluded, Secret
from exporter.secrecy import finding_without, secrets_of
from tests.factories import finding, round_, target

TOKEN = Secret("hunter2", "env TOKEN")
ABOUT = target(
    headers=(("X-Pin", Secret("12", "config")), ("Authorization", TOKEN), ("X-All", Secret("hunter2hunter2", "config")))
)


def test_secrets_are_searched_for_if_they_are_long_enough_and_the_longest_first():
    assert secrets_of(ABOUT) == ("hunter2hunter2", "hunter2")


def test_nothing_that_a_finding_quotes_is_secret():
    says = ("it says hunter2hunter2, hunter2",)
    quoting = finding(
        summary=says[0],
        evidence=says,
        against=says,
        excluded=(Excluded("x", says[0]),),
        would_confirm=says[0],
        reproduce=says,
        fix=says,
    )

    clean = finding_without(secrets_of(ABOUT), quoting)

    assert "hunter2" not in repr(clean)
    assert clean.evidence == ("it says <secret>, <secret>",)


def test_an_incident_begins_without_what_is_secret():
    sighting = Sighting.of(round_(of=ABOUT, findings=(finding(summary="it says hunter2"),)))

    assert sighting.findings[0].summary == "it says <secret>"


def test_where_there_is_no_secret_nothing_is_made_anew():
    one = finding()

    assert finding_without((), one) is one
