from __future__ import annotations

import pytest

from exporter.latest import Latest
from exporter.model import Failure, Phase, Verdict
from exporter.records import round_of_text, text_of_round
from tests.factories import AS_EXPECTED, observation, probe, response, round_, target

UNEXPECTED = Verdict(expected=False, reason="500 instead of 200")


def round_with_body(domain, size, verdict=UNEXPECTED, **settings):
    seen = observation(probe(domain), response=response(500, body=b"x" * size))
    return round_(seen, of=target(domain), verdicts=(verdict,), **settings)


def body_sizes(latest):
    return [[len(seen.response.body) for seen in each.observations] for each in latest.rounds()]


def test_the_newest_round_of_each_domain_is_kept():
    latest = Latest()
    old, new, other = round_(started_at=1.0), round_(started_at=2.0), round_(of=target("b.test"))
    for each in (old, other, new):
        latest.put(each)

    assert latest.rounds() == (new, other)
    assert latest.get("shop.test") == new
    assert latest.get("unknown.test") is None


def test_what_is_kept_can_be_stored():
    latest = Latest()
    latest.put(round_(observation(), observation(probe(sni=None))))

    kept = latest.get("shop.test")
    assert round_of_text(text_of_round(kept)) == kept


def test_a_snapshot_does_not_change():
    latest = Latest()
    latest.put(round_())
    before = latest.rounds()
    latest.put(round_(of=target("b.test")))

    assert before == (round_(),)


def test_what_is_forgotten_is_gone_and_may_come_back():
    latest = Latest()
    latest.put(round_with_body("a.test", 10))
    latest.forget("a.test")
    latest.forget("never-seen.test")

    assert latest.rounds() == ()
    assert latest.get("a.test") is None
    latest.put(round_with_body("a.test", 10))
    assert body_sizes(latest) == [[10]]


def test_bodies_are_kept_only_of_what_was_not_expected():
    latest = Latest()
    good = observation(response=response(200, body=b"fine"))
    bad = observation(response=response(500, body=b"broken"))
    none = observation(failure=Failure(Phase.CONNECT, "refused"))
    latest.put(round_(good, bad, none, verdicts=(AS_EXPECTED, UNEXPECTED, UNEXPECTED)))

    kept = latest.rounds()[0]

    assert kept == round_(
        observation(response=response(200)), bad, none, verdicts=(AS_EXPECTED, UNEXPECTED, UNEXPECTED)
    )


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([40, 40, 20], [40, 40, 20]),
        ([40, 40, 21], [0, 40, 21]),
        ([40, 40, 90], [0, 0, 90]),
        ([40, 40, 101], [0, 0, 0]),
    ],
)
def test_all_bodies_together_are_bounded_and_the_oldest_are_dropped_first(sizes, kept):
    latest = Latest(max_body_bytes=100)
    for number, size in enumerate(sizes):
        latest.put(round_with_body(f"{number}.test", size))

    assert body_sizes(latest) == [[size] for size in kept]


def test_a_domain_that_is_seen_again_counts_as_new_and_its_old_body_no_more():
    latest = Latest(max_body_bytes=100)
    for domain in ("a.test", "b.test", "a.test"):
        latest.put(round_with_body(domain, 40))
    latest.put(round_with_body("c.test", 40))

    assert body_sizes(latest) == [[40], [0], [40]]


def test_forgetting_makes_room_for_bodies():
    latest = Latest(max_body_bytes=100)
    latest.put(round_with_body("a.test", 100))
    latest.forget("a.test")
    latest.put(round_with_body("b.test", 100))

    assert body_sizes(latest) == [[100]]


def test_equal_header_fields_of_one_round_are_one_object():
    latest = Latest()
    fields = [tuple([("server", "".join(("ng", "inx")))]) for _ in range(2)]  # noqa: C409, FLY002 (made at run time)
    latest.put(round_(*(observation(response=response(headers=each)) for each in fields)))

    first, second = (seen.response.headers[0] for seen in latest.rounds()[0].observations)

    assert fields[0][0] is not fields[1][0]
    assert first is second
