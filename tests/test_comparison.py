"""Answers held against each other: on whose connection, at which address, and who would notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.comparison import exposures_of, verdicts
from exporter.latest import Latest
from exporter.matrix import Sibling
from exporter.model import Client, Connection, Exposure, Protocol, Response
from exporter.pages import page_of
from tests.factories import certificate, observation, probe, round_, target, tls

A, B, C = "127.0.0.1", "127.0.0.2", "127.0.0.3"
SHOP, BLOG = "shop.site.test", "blog.site.test"
NAMES = (SHOP, BLOG)
TLS = tls(alpn="h2", chain=(certificate(*NAMES),))
TARGETS = {name: target(name, siblings=NAMES, protocols=(Protocol.H2,)) for name in NAMES}
UNNOTICED = "but no browser would ask for it on this connection"


def saw(name, address, body, connection=Connection.FRESH, sni=None):
    """A page that says `body`, over HTTP/2."""
    answer = Response(200, body=body)
    of = probe(name, sni=sni or name, address=address, protocol=Protocol.H2, connection=connection)
    return observation(of, tls=TLS, response=answer, page=page_of(answer))


def shared(address, body):
    """The blog, asked for on the shop's connection."""
    return saw(BLOG, address, body, Connection.REUSED, sni=SHOP)


def knowing(*of_the_blog) -> Latest:
    latest = Latest()
    latest.put(round_(*of_the_blog, of=TARGETS[BLOG]))
    return latest


def judged(latest, *observations, blog_at=(A,)):
    """The verdicts of a round of the shop, which lives at A and B."""
    siblings = {BLOG: Sibling(TARGETS[BLOG], frozenset(blog_at))}
    exposed = exposures_of(TARGETS[SHOP], (A, B), siblings, observations)
    return verdicts(TARGETS[SHOP], observations, exposed, TARGETS, latest)


def test_exposure_is_told_by_address():
    openers = [saw(SHOP, A, b"shop"), replace(saw(SHOP, B, b"shop"), response=None)]
    siblings = {BLOG: Sibling(TARGETS[BLOG], frozenset({A, B}))}

    assert exposures_of(TARGETS[SHOP], (A, B), siblings, openers) == (
        Exposure(BLOG, SHOP, Client.CHROMIUM, A),
        Exposure(BLOG, SHOP, Client.FIREFOX, A),
    )


def test_an_answer_is_judged_by_the_browsers_that_would_ask_at_its_address():
    """At B a certificate error keeps browsers away; at A nothing does."""
    untrusted = replace(saw(SHOP, B, b"shop"), tls=replace(TLS, faults=("expired",)))
    seen = (saw(SHOP, A, b"shop"), shared(A, b"shop"), untrusted, shared(B, b"shop"))
    latest = knowing(saw(BLOG, A, b"blog"), saw(BLOG, B, b"blog"))

    _, at_a, _, at_b = judged(latest, *seen, blog_at=(A, B))

    assert (at_a.expected, at_a.reason.startswith("misrouted")) == (False, True)
    assert (at_b.expected, at_b.reason.endswith(UNNOTICED)) == (True, True)


@pytest.mark.parametrize(
    ("body", "expected", "reason"), [(b"blog", True, "served: status 200"), (b"shop", False, "misrouted")]
)
def test_at_an_address_that_the_name_lacks_it_is_held_against_its_page_elsewhere(body, expected, reason):
    """Firefox asks there if it is set to go by any address that both have: A."""
    seen = (saw(SHOP, B, b"shop"), shared(B, body))

    _, verdict = judged(knowing(saw(BLOG, A, b"blog"), saw(BLOG, C, b"other")), *seen, blog_at=(A, C))

    assert (verdict.expected, verdict.reason.startswith(reason)) == (expected, True)


def test_where_the_name_lives_its_page_elsewhere_says_nothing():
    """One of its addresses may be wrong: that is a matter of the matched probe."""
    seen = (saw(SHOP, A, b"shop"), shared(A, b"blog"))

    _, verdict = judged(knowing(saw(BLOG, A, b"broken"), saw(BLOG, C, b"blog")), *seen, blog_at=(A, C))

    assert verdict.reason.startswith("misrouted")


def test_a_name_that_nobody_has_seen_yet_is_judged_by_its_status():
    _, verdict = judged(Latest(), saw(SHOP, A, b"shop"), shared(A, b"anything"))

    assert (verdict.expected, verdict.reason) == (True, "status 200")
