"""The table of causes: what dashboards, alerts and stored incidents rely on never changes."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from exporter import runbooks
from exporter.diagnosis import CAUSES

NUMBERS = {
    "vhost-tls-params-differ": 101,
    "vhost-client-cert-differs": 102,
    "sni-policy-forbids-connection-reuse": 103,
    "vhost-certs-overlap": 104,
    "sni-router-with-shared-cert": 105,
    "sni-router-lacks-name": 106,
    "vhost-missing": 107,
    "no-route-for-host": 108,
    "http-version-disabled-for-host": 109,
    "strict-sni-rejects-clients-without-sni": 110,
    "server-rejects-sni": 111,
    "tls-name-rejected": 112,
    "host-header-shape": 113,
    "tls-resumption-across-names": 114,
    "stale-connection": 115,
    "cdn-name-not-attached": 116,
    "monitor-sends-no-sni": 117,
    "proxy-sends-no-sni-upstream": 201,
    "proxy-sends-wrong-sni-upstream": 202,
    "proxy-forwards-client-sni": 203,
    "proxy-reuses-upstream-connection": 204,
    "proxy-loses-host": 205,
    "plain-http-to-https-port": 206,
    "upstream-down": 207,
    "upstream-too-slow": 208,
    "upstream-bad-answer": 209,
    "one-backend-misconfigured": 210,
    "cached-error": 211,
    "illegal-upgrade-header-in-h2": 216,
    "dns-failure": 301,
    "address-serves-other-hosts": 302,
    "address-unreachable": 303,
    "address-sets-overlap": 304,
    "alt-svc-wrong-server": 305,
    "alt-svc-dead": 306,
    "origin-frame-too-wide": 307,
    "application-answers-421": 401,
    "application-rejects-host": 402,
    "rewrite-rule-421": 403,
    "application-error": 404,
    "maintenance": 405,
    "overloaded": 406,
    "auth-required": 407,
    "access-denied": 408,
    "legal-or-geo-block": 409,
    "content-missing": 410,
    "method-not-allowed": 411,
    "rate-limited": 412,
    "request-headers-too-big": 413,
    "uri-too-long": 414,
    "answer-not-as-expected": 415,
    "redirect-loop": 416,
    "redirect-to-broken-host": 417,
    "connection-refused": 501,
    "connection-timeout": 502,
    "connection-reset": 503,
    "connection-reset-on-hello": 504,
    "closed-without-answer": 505,
    "tls-handshake-timeout": 506,
    "tls-handshake-failed": 507,
    "port-speaks-plain-http": 508,
    "not-http": 509,
    "response-headers-too-big": 510,
    "response-timeout": 511,
    "response-too-slow": 512,
    "body-truncated": 513,
    "body-never-ends": 514,
    "client-cert-required": 515,
    "http2-protocol-error": 516,
    "cert-expired": 521,
    "cert-not-yet-valid": 522,
    "cert-name-mismatch": 523,
    "cert-untrusted": 524,
    "vantage-offline": 901,
    "unknown": 999,
}
"""Given once, for ever: a new cause gets a new row, and no row is ever changed."""


def test_ids_and_numbers_are_those_that_were_given_and_in_their_order():
    assert list({one.id: one.number for one in CAUSES.values()}.items()) == list(NUMBERS.items())


def test_every_cause_stands_under_its_own_id():
    assert {id_: one.id for id_, one in CAUSES.items()} == {id_: id_ for id_ in CAUSES}


@pytest.mark.parametrize("id_", CAUSES)
def test_what_is_masked_is_a_known_cause_and_another_one(id_):
    masks = CAUSES[id_].masks

    assert masks - {"*"} <= CAUSES.keys()
    assert id_ not in masks


def test_only_the_prober_s_own_fault_masks_everything():
    assert [id_ for id_, one in CAUSES.items() if "*" in one.masks] == ["vantage-offline"]


def test_masks_never_lead_back_so_that_of_several_causes_one_is_always_told():
    masked = {id_: one.masks - {"*"} for id_, one in CAUSES.items()}

    assert len(list(TopologicalSorter(masked).static_order())) == len(CAUSES)  # raises CycleError


def test_every_cause_has_a_runbook_and_every_runbook_a_cause():
    pages = {id_ for family in runbooks.FAMILIES for id_ in family.causes}

    assert pages == CAUSES.keys()


def test_titles_are_short_and_nobody_else_s():
    titles = [one.title for one in CAUSES.values()]

    assert len(set(titles)) == len(titles)
    assert max(map(len, titles)) <= 64
    assert all(title.isprintable() and title.isascii() for title in titles)
