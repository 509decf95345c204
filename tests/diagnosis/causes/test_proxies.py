"""What proxies do with names on their way to the origin."""

from __future__ import annotations

import pytest

from exporter.diagnosis.causes.proxies import _PLAIN
from exporter.model import Experiment
from tests.diagnosis.cases import API, apache, causes, neighbour, response, seen, stranger, told, trial

BEHIND = apache(421, server="nginx")


def order(*wrong, neighbour_=API):
    """x x x y y y x y x x y y, of which those at the given places get the origin's 421."""
    answers = [
        seen(BEHIND if place in wrong else 200, domain=API if name == "y" else "shop.test")
        for place, name in enumerate("xxxyyyxyxxyy")
    ]
    return trial(Experiment.INTERLEAVED, *answers, neighbour=neighbour_)


AFTER_THE_OTHER = order(3, 6, 8, 10)
OTHERS_FIRST = order(0, 3, 6, 8, 10)


@pytest.mark.parametrize("tried", [AFTER_THE_OTHER, OTHERS_FIRST])
def test_answers_that_depend_on_who_was_asked_for_before_show_a_pool(tried):
    (finding, *_) = told(seen(), seen(BEHIND), siblings=neighbour(), trials=[tried])

    assert (finding.cause, finding.severity, finding.code) == ("proxy-reuses-upstream-connection", "critical", 421)
    assert "one-backend-misconfigured" in {one.cause for one in finding.excluded}


def test_answers_that_do_not_depend_on_it_show_none():
    found = causes(seen(), seen(BEHIND), siblings=neighbour(), trials=[order(1, 6, 10)])

    assert "proxy-reuses-upstream-connection" not in [cause for cause, *_ in found]


def test_a_trial_with_a_neighbour_that_a_reload_removed_says_nothing():
    found = causes(seen(), seen(BEHIND), trials=[AFTER_THE_OTHER])

    assert "proxy-reuses-upstream-connection" not in [cause for cause, *_ in found]


@pytest.mark.parametrize(
    ("other", "cause"),
    [(seen(BEHIND), "proxy-sends-wrong-sni-upstream"), (seen(404), "proxy-sends-no-sni-upstream")],
)
def test_the_origin_s_421_is_told_apart_by_what_a_name_that_nobody_owns_gets(other, cause):
    found = causes(seen(BEHIND), stranger(other.response))

    assert found[0] == (cause, "critical", 421)


@pytest.mark.parametrize("text", _PLAIN)
def test_a_page_that_complains_of_plain_http_over_tls_comes_from_behind(text):
    assert causes(seen(response(400, f"<p>{text}</p>")))[0] == ("plain-http-to-https-port", "critical", 400)
