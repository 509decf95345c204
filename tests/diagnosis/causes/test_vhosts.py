"""The server is reached, and does not know the name."""

from __future__ import annotations

import pytest

from exporter.diagnosis.causes.vhosts import _NOT_ATTACHED
from exporter.model import Connection, Experiment, Phase, Protocol
from tests.diagnosis.cases import (
    API,
    FOREIGN,
    OWN_PAGE,
    TWO,
    apache,
    causes,
    failed,
    neighbour,
    nginx,
    response,
    seen,
    stranger,
    target,
    trial,
)

APIS_PAGE = response(body=b"<title>api.test</title><p>Welcome to api.test</p>")


@pytest.mark.parametrize("text", _NOT_ATTACHED)
def test_a_cdn_that_does_not_carry_the_name_says_so(text):
    page = response(404, f"<h1>Error</h1><p>{text}</p>")

    assert causes(seen(page))[0] == ("cdn-name-not-attached", "critical", 404)


def test_a_site_that_speaks_of_such_errors_with_200_is_well():
    assert causes(seen(response(body="<title>What is NoSuchBucket?</title>"))) == []


@pytest.mark.parametrize("status", [400, 403, 404, 421])
def test_what_a_name_that_nobody_owns_gets_too_while_a_companion_is_served_is_a_missing_host(status):
    found = causes(seen(nginx(status)), stranger(nginx(status)), siblings=neighbour())

    assert found[0] == ("vhost-missing", "critical", status)


def test_where_all_names_get_it_the_404_is_nobody_s_missing_host():
    failing = neighbour(seen(nginx(404), domain=API))

    assert causes(seen(nginx(404)), stranger(nginx(404)), siblings=failing)[0][0] == "proxy-loses-host"


def test_a_sibling_s_page_under_200_is_a_missing_host():
    siblings = neighbour(seen(APIS_PAGE, domain=API))

    assert causes(seen(APIS_PAGE), stranger(APIS_PAGE), siblings=siblings) == [("vhost-missing", "critical", 200)]


def test_an_alias_that_names_itself_or_no_stranger_s_page_is_well():
    siblings = neighbour(seen(APIS_PAGE, domain=API))
    alias = response(body=b"<title>api.test</title><p>also shop.test</p>")

    assert causes(seen(alias), stranger(alias), siblings=siblings) == []
    assert causes(seen(APIS_PAGE), stranger(404), siblings=siblings) == []


def test_the_page_that_comes_with_the_package_is_nobody_s_site():
    page = response(body="<title>Welcome to nginx!</title>")

    assert causes(seen(page)) == [("vhost-missing", "critical", 200)]


def test_of_a_site_for_unknown_names_and_a_rule_one_is_told_by_who_gets_the_421():
    """Apache has no 421 of its own for SNI = Host: a rule says it, of the name's own site or of that for all others."""
    own = [seen(apache(421)), stranger(apache(421))]
    elsewhere = trial(Experiment.UNKNOWN_NAME, seen(200, sni="x.invalid", host="x.invalid"))

    assert causes(*own, siblings=neighbour())[0][0] == "vhost-missing"
    assert causes(*own, siblings=neighbour(), trials=[elsewhere])[0][0] == "rewrite-rule-421"
    assert causes(*own)[0][0] == "rewrite-rule-421"


def by_apis_name(answer, **settings):
    return seen(answer, sni=API, **settings)


def test_a_name_that_is_served_under_a_sibling_s_name_is_unknown_to_the_router():
    found = causes(seen(404), by_apis_name(200), siblings=neighbour())

    assert found[0] == ("sni-router-lacks-name", "critical", 404)


def test_a_foreign_address_that_serves_another_page_under_the_sibling_s_name_is_no_router_s_fault():
    served = seen(response(body=OWN_PAGE))
    foreign = [seen(404, address=TWO, tls=FOREIGN), by_apis_name(APIS_PAGE, address=TWO, tls=FOREIGN)]

    assert causes(served, *foreign)[0] == ("address-serves-other-hosts", "warning", 404)


def test_a_router_of_one_address_that_lacks_the_name_is_told_as_such():
    served = seen(response(body=OWN_PAGE))
    lacking = [seen(404, address=TWO, tls=FOREIGN), by_apis_name(response(body=OWN_PAGE), address=TWO)]

    assert causes(served, *lacking)[0][0] == "sni-router-lacks-name"


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (response(404, b"", "envoy"), "no-route-for-host"),
        (response(404, "404 page not found\n", "", content_type="text/plain"), "no-route-for-host"),
        (response(404, "default backend - 404"), "no-route-for-host"),
        (response(404, '{"message":"no Route matched with those values"}'), "no-route-for-host"),
    ],
)
def test_a_router_s_404_for_this_name_and_any_other_is_a_missing_route(page, cause):
    assert causes(seen(page), stranger(page), siblings=neighbour())[0] == (cause, "critical", 404)


def test_one_version_refused_on_the_name_s_own_connection_is_off_for_it():
    siblings = neighbour(seen(domain=API), seen(domain=API, protocol=Protocol.H2))
    refused = seen(nginx(421), protocol=Protocol.H2)

    assert causes(seen(), refused, siblings=siblings, of=target()) == [
        ("http-version-disabled-for-host", "warning", 421)
    ]


def test_a_server_that_ends_each_connection_is_asked_for_a_stranger_on_a_new_one():
    unasked = failed(Phase.PROCESSING, "not-reused", host="nobody.invalid", connection=Connection.REUSED)
    tried = trial(Experiment.UNKNOWN_NAME, seen(nginx(404), sni="x.invalid", host="x.invalid"))

    found = causes(seen(nginx(404)), unasked, siblings=neighbour(), trials=[tried])

    assert found == [("vhost-missing", "critical", 404)]
