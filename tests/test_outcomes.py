"""What a cell tells: a refusal is right, or the name is broken everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.model import Connection, Failure, Phase, Protocol, Verdict
from exporter.outcomes import Outcome, outcomes
from tests.factories import AS_EXPECTED, observation, probe, round_

WRONG = Verdict(expected=False, reason="421 instead of 200-399")
UNASKED = replace(AS_EXPECTED, conclusive=False)
H2 = Protocol.H2
REFUSED_ALONE = (observation(status=421), WRONG)
COALESCED = probe(sni="api.test", connection=Connection.REUSED, protocol=H2)


@pytest.mark.parametrize(
    ("seen", "verdict", "outcome"),
    [
        (observation(), AS_EXPECTED, Outcome.GOOD),
        (observation(status=421), WRONG, Outcome.WRONG),
        (observation(probe(protocol=H2)), UNASKED, Outcome.UNASKED),
        (observation(COALESCED), AS_EXPECTED, Outcome.GOOD),
        (observation(COALESCED, status=421), AS_EXPECTED, Outcome.REFUSED),
        (observation(probe(sni=None), status=403), AS_EXPECTED, Outcome.REFUSED),
        (observation(probe(sni=None), failure=Failure(Phase.TLS, "alert")), AS_EXPECTED, Outcome.REFUSED),
    ],
)
def test_an_outcome_follows_the_verdict_and_the_answer(seen, verdict, outcome):
    assert outcomes(round_(seen, verdicts=(verdict,))) == [outcome]


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (observation(COALESCED, status=421), Outcome.SAME),
        (observation(COALESCED, status=404), Outcome.REFUSED),  # not how it is broken on its own
        (observation(replace(COALESCED, address="127.0.0.2"), status=421), Outcome.REFUSED),
        (observation(replace(COALESCED, domain="other.test", host="other.test"), status=421), Outcome.REFUSED),
        (observation(probe(sni=None), status=421), Outcome.REFUSED),  # no name was sent: that may be refused
    ],
)
def test_a_refusal_on_a_shared_connection_is_not_right_where_the_name_is_refused_on_its_own(seen, outcome):
    wrong, verdict = REFUSED_ALONE

    assert outcomes(round_(wrong, seen, verdicts=(verdict, AS_EXPECTED))) == [Outcome.WRONG, outcome]
