from __future__ import annotations

from exporter.web.checks import ALL_AT_ONCE, DOMAIN_EVERY_SECONDS, Allowance, Refused


def test_one_domain_may_be_checked_again_after_a_while():
    allowance = Allowance()

    assert allowance.ask("a.test", 100.0) is None
    assert allowance.ask("a.test", 103.0) == Refused(7)
    assert allowance.ask("b.test", 103.0) is None
    assert allowance.ask("a.test", 100.0 + DOMAIN_EVERY_SECONDS) is None


def test_all_domains_together_have_a_bucket_that_fills_again():
    allowance = Allowance()
    names = [f"{number}.test" for number in range(20)]

    asked = [allowance.ask(name, 1000.0) for name in names]

    assert asked == [None] * int(ALL_AT_ONCE) + [Refused(1)] * (20 - int(ALL_AT_ONCE))
    assert allowance.ask(names[15], 1000.5) == Refused(1)
    assert allowance.ask(names[15], 1001.5) is None


def test_what_was_refused_does_not_count():
    allowance = Allowance()
    allowance.ask("a.test", 0.0)
    for second in range(1, 10):
        allowance.ask("a.test", float(second))

    assert allowance.ask("a.test", DOMAIN_EVERY_SECONDS) is None
