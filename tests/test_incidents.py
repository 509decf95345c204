"""Findings over time, on histories by hand and at random."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import incidents
from exporter.incidents import MOST_NAMED, MOST_TURNS, TRANSITIONS, Event, Settings, Sighting
from exporter.model import ChangeKind, Experiment, Protocol, Severity, Stage, Trial
from tests.factories import NOON, finding, round_, target

A, B, C = "a.test", "b.test", "c.test"
DOWN, SLOW, BLOCKED = "upstream-down", "upstream-too-slow", "access-denied"
TWO = Settings()


class History:
    """Open incidents, a minute after a minute."""

    def __init__(self, settings=TWO):
        self.settings = settings
        self.now = NOON
        self.open = ()
        self.changes = []
        self.dropped = []

    def round(self, domain, *findings, confirmed=False):
        """One round of `domain`; what changed."""
        self.now += 60
        return self._take(incidents.step(self.open, Sighting(domain, findings, confirmed, self.now), self.settings))

    def seldom(self, *findings):
        """One round of which three together ask everything."""
        self.now += 60
        return self._take(
            incidents.step(self.open, Sighting(A, findings, False, self.now, seldom={DOWN: 3}), self.settings)
        )

    def forget(self, domain):
        self.now += 60
        return self._take(incidents.forget(self.open, domain, self.now))

    def _take(self, step):
        self.open = step.incidents
        self.changes += step.changes
        self.dropped += step.dropped
        return [change.kind for change in step.changes]

    @property
    def only(self):
        (incident,) = self.open
        return incident


def down(*domains, **settings):
    return finding(DOWN, *(domains or (A,)), **{"code": 502, **settings})


def slow(*domains, **settings):
    return finding(SLOW, *(domains or (A,)), **{"code": 504, **settings})


OPENED, UPDATED, RESOLVED = [ChangeKind.OPENED], [ChangeKind.UPDATED], [ChangeKind.RESOLVED]


def test_a_finding_opens_an_incident_when_a_second_round_shows_it():
    history = History()

    assert history.round(A, down()) == []
    assert history.only.stage is Stage.PENDING
    assert history.round(A, down()) == OPENED
    assert (history.only.stage, history.only.since, history.only.opened) == (Stage.FIRING, NOON + 60, NOON + 120)
    assert history.only.domains == (A,)


def test_one_round_with_experiments_is_enough():
    history = History()

    assert history.round(A, down(), confirmed=True) == OPENED


def test_a_round_of_its_own_confirms_what_another_domains_round_showed():
    history = History()

    assert history.round(A, down(A, B)) == []
    assert history.round(B, down(A, B)) == OPENED
    assert history.only.domains == (A, B)


def test_what_no_second_round_shows_leaves_no_trace():
    history = History()
    history.round(A, down())

    assert history.round(A) == history.round(A) == []
    assert history.open == ()
    assert len(history.dropped) == 1


def test_two_good_rounds_resolve_it_and_one_does_not():
    history = History()
    history.round(A, down(), confirmed=True)

    assert history.round(A) == []
    assert history.round(A) == RESOLVED
    (resolved,) = [change.incident for change in history.changes if change.kind is ChangeKind.RESOLVED]
    assert (resolved.stage, resolved.until, resolved.domains) == (Stage.RESOLVED, NOON + 180, (A,))
    assert history.open == ()


def test_one_that_comes_and_goes_is_one_incident_with_its_count():
    history = History()
    kinds = [history.round(A, *([down()] if turn % 2 == 0 else [])) for turn in range(7)]

    assert kinds == [[], [], OPENED, [], UPDATED, [], UPDATED]
    assert history.only.flaps == 2
    assert history.changes[-1].note == "it is back, for the 2. time"


def test_another_cause_in_its_place_is_the_same_incident_with_a_history():
    history = History()
    history.round(A, down(), confirmed=True)

    assert history.round(A, slow()) == []
    assert history.only.cause == DOWN
    assert history.round(A, slow()) == UPDATED
    assert (history.only.cause, history.only.code) == (SLOW, 504)
    assert [(turn.at, turn.cause) for turn in history.only.turns] == [(NOON + 60, DOWN), (NOON + 180, SLOW)]
    assert history.changes[-1].note == (
        "the cause is upstream-too-slow now, it was upstream-down; the status is 504 now, it was 502"
    )


def test_a_cause_that_experiments_confirm_takes_its_place_at_once():
    history = History()
    history.round(A, down(), confirmed=True)

    assert history.round(A, slow(), confirmed=True) == UPDATED


def test_a_cause_that_changes_with_every_round_changes_nothing():
    history = History()
    history.round(A, down(), confirmed=True)

    assert [history.round(A, *each) for each in ([slow()], [down()], [slow()], [down()])] == [[]] * 4
    assert history.only.turns[1:] == ()


def test_another_status_of_the_same_cause_is_an_update_when_it_lasts():
    history = History()
    history.round(A, down(), confirmed=True)

    assert history.round(A, down(code=503)) == []
    assert history.round(A, down(code=503)) == UPDATED
    assert history.only.code == 503


def test_a_pending_incident_takes_another_cause_and_is_confirmed_by_it():
    history = History()
    history.round(A, down())

    assert history.round(A, slow()) == OPENED
    assert history.only.cause == SLOW


def test_a_second_cause_beside_the_first_is_a_second_incident():
    history = History()
    history.round(A, down(), confirmed=True)
    assert history.round(A, slow(), down(), confirmed=True) == OPENED
    assert [one.cause for one in history.open] == [DOWN, SLOW]

    history.round(A, down())
    assert history.round(A, down()) == RESOLVED
    assert history.only.cause == DOWN


def test_a_finding_over_many_domains_is_one_incident_until_the_last_is_well():
    history = History()
    history.round(A, down(A, B, C), confirmed=True)
    assert history.only.domains == (A, B, C)
    for domain in (B, C, A):
        assert history.round(domain, down(A, B, C)) == []

    kinds = [history.round(domain) for _ in range(2) for domain in (A, B, C)]

    assert kinds == [[], [], [], [], [], RESOLVED]


def test_who_is_named_by_none_any_more_leaves_the_incident():
    history = History()
    history.round(A, down(A, B), confirmed=True)

    assert history.round(A, down(A)) == UPDATED
    assert history.only.domains == (A,)
    assert history.changes[-1].note == "no longer b.test"
    assert history.only.affected == (A, B)


def test_incidents_that_turn_out_to_be_one_are_joined_in_the_older():
    history = History()
    history.round(A, down(A), confirmed=True)
    history.round(B, down(B), confirmed=True)
    older = next(one for one in history.open if one.domains == (A,))

    assert sorted(history.round(C, down(A, B, C))) == sorted([*UPDATED, *RESOLVED])
    assert (history.only.id, history.only.domains) == (older.id, (A, B, C))
    merged = next(change for change in history.changes if change.kind is ChangeKind.RESOLVED)
    assert (merged.incident.merged_into, merged.note) == (older.id, f"part of incident {older.id}")


def test_a_domain_that_comes_to_have_another_cause_leaves_those_that_keep_theirs():
    history = History()
    history.round(A, down(A, B), confirmed=True)
    history.round(B, down(A, B))
    history.round(A, slow(A))
    kinds = history.round(A, slow(A))

    assert kinds == OPENED  # b's rounds still name a
    assert {one.cause: one.domains for one in history.open} == {DOWN: (A, B), SLOW: (A,)}


def test_a_wide_finding_is_joined_by_each_domain_with_its_own_round():
    many = tuple(f"{number}.test" for number in range(MOST_NAMED + 1))
    history = History()
    history.round(many[0], down(*many), confirmed=True)
    assert history.only.domains == (many[0],)

    history.round(many[7], down(*many))

    assert history.only.domains == (many[0], many[7])


def test_a_domain_that_is_no_longer_probed_has_no_incident():
    history = History()
    history.round(A, down(A, B), confirmed=True)
    history.round(C, slow(C), confirmed=True)

    assert history.forget(B) == UPDATED
    assert history.forget(A) == RESOLVED
    assert [one.domains for one in history.open] == [(C,)]


OFFLINE = "vantage-offline"


def test_a_fault_of_ours_is_one_incident_wherever_it_shows():
    history = History()
    for domain in (A, B, C):
        history.round(domain, finding(OFFLINE, domain, code=None))

    assert history.only.domains == (A, B, C)


def test_while_we_are_at_fault_ourselves_nothing_that_was_answered_is_over():
    history = History()
    history.round(A, down(), confirmed=True)
    for _ in range(5):
        history.round(A, finding(OFFLINE, A, code=None))
    assert {one.cause for one in history.open} == {DOWN, OFFLINE}

    history.round(A, down())
    assert history.round(A, down()) == RESOLVED
    assert (history.only.cause, history.only.flaps) == (DOWN, 0)


def test_what_had_no_answer_before_we_saw_that_we_are_at_fault_was_our_fault():
    history = History()
    history.round(A, finding("dns-failure", A, code=None), confirmed=True)
    history.round(B, finding("dns-failure", B, code=None), confirmed=True)
    for _ in range(3):
        for domain in (A, B):
            history.round(domain, finding(OFFLINE, domain, code=None))

    assert (history.only.cause, history.only.domains) == (OFFLINE, (A, B))


def test_what_is_worse_or_surer_replaces_the_finding_and_what_is_not_does_not():
    history = History()
    history.round(A, down(severity=Severity.WARNING, confidence=0.6), confirmed=True)

    assert history.round(A, down(severity=Severity.WARNING, confidence=0.8)) == []
    assert history.only.finding.confidence == 0.8
    assert history.round(A, down(severity=Severity.CRITICAL, confidence=0.6)) == UPDATED
    before = history.only
    assert history.round(A, down(severity=Severity.WARNING, confidence=0.9)) == []
    assert history.only is before


def test_a_history_is_bounded_and_keeps_its_beginning():
    history = History()
    for turn in range(MOST_TURNS + 20):
        history.round(A, down() if turn % 2 == 0 else slow(), confirmed=True)

    turns = history.only.turns
    assert len(turns) == MOST_TURNS
    assert turns[0].at == NOON + 60
    assert turns[-1].at == history.now


@pytest.mark.parametrize(("severity", "sighted"), [(Severity.CRITICAL, 1), (Severity.WARNING, 1), (Severity.INFO, 0)])
def test_only_what_matters_is_sighted(severity, sighted):
    sighting = Sighting.of(round_(of=target(A), findings=(down(severity=severity),)))

    assert len(sighting.findings) == sighted
    assert (sighting.domain, sighting.confirmed, sighting.at) == (A, False, NOON + 0.5)


def test_a_cause_is_sighted_once_with_its_leading_finding_and_experiments_confirm_it():
    findings = (down(code=502), slow(), down(code=503))
    trial = Trial(Experiment.REPEAT, A, "127.0.0.1", Protocol.HTTP11)

    sighting = Sighting.of(round_(of=target(A), findings=findings, trials=(trial,)))

    assert (sighting.findings, sighting.confirmed) == (findings[:2], True)


def test_the_table_of_states_knows_every_event_of_an_open_incident():
    assert TRANSITIONS.keys() == {(stage, event) for stage in Stage for event in Event if stage is not Stage.RESOLVED}
    assert Stage.PENDING not in {after for (before, _), after in TRANSITIONS.items() if before is Stage.FIRING}


DOMAINS = (A, B, C, "d.test")
FINDINGS = st.builds(
    lambda cause, domains, code, severity, confidence: finding(
        cause, *sorted(domains), code=code, severity=severity, confidence=confidence
    ),
    st.sampled_from([DOWN, SLOW, BLOCKED]),
    st.frozensets(st.sampled_from(DOMAINS), max_size=3),
    st.sampled_from([421, 502, None]),
    st.sampled_from([Severity.CRITICAL, Severity.WARNING]),
    st.sampled_from([0.6, 0.8]),
)
ROUNDS = st.tuples(
    st.sampled_from(DOMAINS),
    st.lists(FINDINGS, max_size=2, unique_by=lambda one: one.cause).map(tuple),
    st.integers(0, 9).map(lambda number: number == 0),
)
HISTORIES = st.lists(ROUNDS, max_size=40)
SETTINGS = st.builds(Settings, st.integers(1, 3), st.integers(1, 3))


@given(HISTORIES, SETTINGS)
@settings(deadline=None)
def test_whatever_happens_no_domain_has_two_open_incidents_of_one_cause(rounds, sure):
    history = History(sure)
    for domain, findings, confirmed in rounds:
        history.round(domain, *findings, confirmed=confirmed)
        pairs = [(one.cause, name) for one in history.open for name in one.domains]
        assert len(pairs) == len(set(pairs))
        assert len({one.id for one in history.open}) == len(history.open)
        for one in history.open:
            named = {name for report in one.reports for name in report.domains}
            assert set(one.domains) == named
            assert named <= set(one.affected)
            assert sorted(one.domains) == [*one.domains]
            assert [report.domain for report in one.reports] == sorted({report.domain for report in one.reports})


@given(HISTORIES, SETTINGS)
@settings(deadline=None)
def test_whatever_happens_each_incident_is_opened_once_and_resolved_at_most_once_and_then_stays(rounds, sure):
    history = History(sure)
    for domain, findings, confirmed in rounds:
        history.round(domain, *findings, confirmed=confirmed)
    told = {}
    for change in history.changes:
        told.setdefault(change.incident.id, []).append(change)

    for changes in told.values():
        kinds = [change.kind for change in changes]
        assert kinds[0] is ChangeKind.OPENED
        assert ChangeKind.OPENED not in kinds[1:]
        assert ChangeKind.RESOLVED not in kinds[:-1]
        assert all(before.incident.since == after.incident.since for before, after in pairwise(changes))
    unresolved = {key for key, changes in told.items() if changes[-1].kind is not ChangeKind.RESOLVED}
    assert {one.id for one in history.open if one.stage is Stage.FIRING} == unresolved
    assert not told.keys() & set(history.dropped)


@given(HISTORIES, SETTINGS)
@settings(deadline=None)
def test_whatever_happens_all_is_over_after_enough_good_rounds(rounds, sure):
    history = History(sure)
    for domain, findings, confirmed in rounds:
        history.round(domain, *findings, confirmed=confirmed)
    for _ in range(sure.resolve_rounds):
        for domain in DOMAINS:
            history.round(domain)

    assert history.open == ()


@given(HISTORIES, SETTINGS)
@settings(deadline=None)
def test_incidents_that_share_no_domain_with_a_round_need_not_be_known_to_it(rounds, sure):
    """Which is how thousands of open incidents cost a round nothing."""
    history = History(sure)
    for domain, findings, confirmed in rounds:
        whole = incidents.step(history.open, Sighting(domain, findings, confirmed, history.now + 60), sure)
        near = _near(history.open, domain, findings)
        partial = incidents.step(near, Sighting(domain, findings, confirmed, history.now + 60), sure)
        rest = [one for one in history.open if one not in near]
        assert {*partial.incidents, *rest} == {*whole.incidents}
        assert {*partial.changes} == {*whole.changes}
        history.round(domain, *findings, confirmed=confirmed)


def _near(known, domain, findings):
    names = {domain, *(name for each in findings for name in each.domains)}
    first = [one for one in known if names & set(one.domains)]
    names |= {name for one in first for name in one.domains}
    return [one for one in known if names & set(one.domains)]


@given(HISTORIES, HISTORIES, SETTINGS)
@settings(deadline=None)
def test_whatever_is_joined_no_domain_has_two_open_incidents_of_one_cause(mine, stored, sure):
    histories = History(sure), History(sure)
    histories[1].now += 1  # so that their incidents are others
    for history, rounds in zip(histories, (mine, stored), strict=True):
        for domain, findings, confirmed in rounds:
            history.round(domain, *findings, confirmed=confirmed)
    both = (*histories[0].open, *histories[1].open)
    step = incidents.joined(both, max(history.now for history in histories))

    pairs = [(one.cause, name) for one in step.incidents for name in one.domains]
    assert len(pairs) == len(set(pairs))
    assert reporters(step.incidents) == reporters(both)
    for one in step.incidents:
        assert set(one.domains) == {name for report in one.reports for name in report.domains}


def reporters(known):
    return {(one.cause, report.domain) for one in known for report in one.reports}


def test_joining_what_has_nothing_in_common_changes_nothing():
    history = History()
    history.round(A, down(), confirmed=True)
    history.round(B, down(B), confirmed=True)

    assert incidents.joined(history.open, history.now) == incidents.Step(history.open, (), ())


def test_rounds_that_did_not_look_for_a_cause_do_not_miss_it():
    history = History()
    missed = [history.seldom(), history.seldom(), history.seldom(down()), history.seldom(), history.seldom()]
    assert missed == [[], [], [], [], []]

    kinds = [history.seldom(*each) for each in ([down()], [], [], [down()], [], [], [], [down()])]

    assert kinds == [OPENED, [], [], [], [], [], [], UPDATED]
    assert [history.seldom() for _ in range(6)] == [[]] * 5 + [RESOLVED]
