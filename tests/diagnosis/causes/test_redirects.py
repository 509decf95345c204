"""Redirects that lead nowhere, followed within what was probed."""

from __future__ import annotations

import pytest

from exporter.model import Expect, Experiment, StatusRange
from tests.diagnosis.cases import API, causes, neighbour, nginx, seen, target, told, trial


def redirect(location, status=301, **settings):
    return seen(nginx(status, location=location), **settings)


def followed(location, path):
    return trial(Experiment.FOLLOWED, redirect(location), path=path)


@pytest.mark.parametrize(
    "location",
    [
        "/",
        "https://shop.test/",
        "https://SHOP.test/",
        "https://shop.test:443/",
        "//shop.test/",
        "",
        "https://shop.test./",
    ],
)
def test_a_redirect_to_where_it_came_from_is_a_loop(location):
    expected = [("redirect-loop", "critical", 301)] if location else []

    assert causes(redirect(location)) == expected


def test_a_loop_over_several_paths_is_found_as_far_as_they_were_followed():
    first = redirect("/login")
    trials = [followed("/session", "/login"), followed("/login", "/session")]

    assert causes(first, trials=trials[:1]) == []
    (finding,) = told(first, trials=trials)
    assert finding.cause == "redirect-loop"
    assert "https://shop.test/ -> https://shop.test/login -> https://shop.test/session" in finding.summary


def test_a_loop_between_siblings_is_told_at_both():
    siblings = neighbour(redirect("https://shop.test/", domain=API))

    assert causes(redirect("https://api.test/"), siblings=siblings) == [("redirect-loop", "critical", 301)]


def test_a_loop_by_plain_http_is_found_where_that_was_asked():
    there_and_back = trial(Experiment.PLAIN_HTTP, redirect("https://shop.test/"))

    assert causes(redirect("http://shop.test/")) == []
    assert causes(redirect("http://shop.test/"), trials=[there_and_back]) == [("redirect-loop", "critical", 301)]


@pytest.mark.parametrize(
    "location",
    ["https://10.0.0.7/", "https://localhost/", "https://app.internal/", "https://backend:8443/", "https://[fd00::1]/"],
)
def test_a_redirect_to_a_name_behind_the_edge_reaches_nobody(location):
    assert causes(redirect(location)) == [("redirect-to-broken-host", "critical", 301)]


def test_a_redirect_to_a_sibling_is_as_good_as_the_sibling():
    broken = neighbour(seen(502, domain=API))

    assert causes(redirect("https://api.test/"), siblings=neighbour()) == []
    assert causes(redirect("https://api.test/"), siblings=broken) == [("redirect-to-broken-host", "critical", 301)]


@pytest.mark.parametrize("location", ["https://www.example.com/", "/login", "https://[::1", "javascript:alert(1)"])
def test_a_redirect_out_of_sight_or_that_makes_no_sense_is_not_judged(location):
    assert causes(redirect(location)) == []


def test_where_a_redirect_is_wanted_a_loop_is_one_all_the_same():
    wanted = target(expect=Expect(status=(StatusRange(301, 301),)))

    assert causes(redirect("/"), of=wanted) == [("redirect-loop", "critical", 301)]
