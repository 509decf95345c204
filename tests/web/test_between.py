from __future__ import annotations

from exporter.model import ChangeKind, Verdict
from exporter.store import KeptRound
from exporter.web.between import MOST_LINES, steps
from tests.factories import NOON, finding, observation, probe, round_, target

WRONG = Verdict(expected=False, reason="as it should not be")
OWN = "SNI=shop.test Host=shop.test at 127.0.0.1 over http/1.1"


def kept(kind, done, at=NOON):
    return KeptRound(kind, at, f"note of {kind}", done)


def test_each_round_is_told_by_what_differs_from_the_one_before():
    found = steps(
        (
            kept(ChangeKind.OPENED, round_(observation(status=502), verdicts=(WRONG,), findings=(finding(),))),
            kept(ChangeKind.UPDATED, round_(observation(status=503), verdicts=(WRONG,))),
            kept(ChangeKind.RESOLVED, round_(observation(status=200))),
        )
    )

    assert [step.lines for step in found] == [
        ((OWN, "", "502 ✕"),),
        ((OWN, "502 ✕", "503 ✕"),),
        ((OWN, "503 ✕", "200"),),
    ]
    assert [(step.kind, step.note, step.findings) for step in found] == [
        (ChangeKind.OPENED, "note of opened", ("upstream-down",)),
        (ChangeKind.UPDATED, "note of updated", ()),
        (ChangeKind.RESOLVED, "note of resolved", ()),
    ]


def test_the_same_status_that_is_right_and_then_wrong_is_a_change():
    found = steps(
        (kept(ChangeKind.OPENED, round_()), kept(ChangeKind.UPDATED, round_(observation(), verdicts=(WRONG,))))
    )

    assert found[1].lines == ((OWN, "200", "200 ✕"),)


def test_rounds_of_different_domains_are_not_compared_with_each_other():
    of = [target(name) for name in ("a.test", "b.test")]
    found = steps([kept(ChangeKind.UPDATED, round_(observation(probe(one.domain)), of=one)) for one in of])

    assert [(step.domain, step.lines) for step in found] == [("a.test", ()), ("b.test", ())]


def test_a_round_that_cannot_be_read_is_said_so_and_long_lists_are_cut():
    many = [observation(probe(sni=f"{number}.test"), status=500) for number in range(50)]
    unreadable, long = steps(
        (kept(ChangeKind.OPENED, None), kept(ChangeKind.UPDATED, round_(*many, verdicts=(WRONG,) * 50)))
    )

    assert (unreadable.domain, unreadable.lines) == ("", ())
    assert (len(long.lines), long.lines_left_out) == (MOST_LINES, 50 - MOST_LINES)
