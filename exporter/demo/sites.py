"""The laboratory's table: which server stands at which address, what it serves, and what is wrong with it.

A row of `SERVERS` is one address; a site is a function from how it was asked to what it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from http import HTTPStatus

from exporter.model import Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """How a page was asked for.

    Attributes:
        sni: None: the client sent no server_name extension, or one that nobody heard, as over HTTP/3.
        host: lower case, without port and trailing dot.
        seconds: since the laboratory opened.
    """

    address: str
    sni: str | None
    host: str
    seconds: float
    protocol: Protocol = Protocol.HTTP11


@dataclass(frozen=True, slots=True)
class Reply:
    """What a site answers.

    Attributes:
        body: a whole HTML page, or empty.
        headers: fields besides those that every answer has.
        charset: of the body.
        hangs_up: whether a connection of HTTP/1.1 ends after it, without a Connection field that says so.
    """

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()
    hangs_up: bool = False
    charset: str = "utf-8"

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """What the head says of this answer, in any version of HTTP."""
        kind = (("content-type", f"text/html; charset={self.charset}"),) if self.body else ()
        return (*kind, ("content-length", str(len(self.body.encode()))), *self.headers)


Site = Callable[[Asked], Reply]


def bare_host(authority: str) -> str:
    """The host as a site is looked up by it.

    >>> bare_host("Shop.example.test.:8443")
    'shop.example.test'
    """
    return authority.partition(":")[0].lower().removesuffix(".")


def page(status: int, text: str, *headers: tuple[str, str], title: str | None = None) -> Reply:
    """A small page; `text` is HTML, and so is `title`, by default the status in words."""
    title = title or f"{status} {HTTPStatus(status).phrase}"
    return Reply(status, f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n", headers)


def healthy(asked: Asked) -> Reply:
    return page(200, f"Here is {escape(asked.host)}, reached at {escape(asked.address)} {_by(asked)}.")


def _by(asked: Asked) -> str:
    if asked.protocol is Protocol.H3:
        return "over HTTP/3"
    return "without SNI" if asked.sni is None else f"by SNI {escape(asked.sni)}"


def misdirected(asked: Asked) -> Reply:
    """RFC 9110, section 15.5.20."""
    return page(421, f"{escape(asked.host)} is not served here. Another connection may lead to its server.")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate to be issued when the laboratory opens.

    Attributes:
        names: DNS names of its subjectAltName extension.
        not_before_days, not_after_days: validity, counted from the opening.
    """

    names: tuple[str, ...]
    not_before_days: int = -1
    not_after_days: int = 30


@dataclass(frozen=True, slots=True)
class Server:
    """One address.

    Attributes:
        names: domains that are found at this address.
        story: how it behaves and what is wrong with it, for people.
        software: the value of its Server field; empty where nothing listens.
        sites: by host. None: nothing listens at this address.
        certificates: one is chosen by SNI, the first where none fits; empty where nothing listens.
        elsewhere: what any other host is answered.
        protocols: by ALPN, the preferred one first. HTTP/3 is spoken at the UDP port of the same number, with the first
            certificate, and advertised in every answer.
    """

    address: str
    names: tuple[str, ...]
    story: str
    software: str = ""
    sites: Mapping[str, Site] | None = None
    certificates: tuple[Leaf, ...] = ()
    elsewhere: Site = misdirected
    protocols: tuple[Protocol, ...] = (Protocol.HTTP11,)

    def answer(self, asked: Asked) -> Reply:
        return (self.sites or {}).get(asked.host, self.elsewhere)(asked)


def maintenance(_: Asked) -> Reply:
    return page(503, "We are polishing the shelves and are back within half an hour.", ("retry-after", "1800"))


FLIP_SECONDS = 120
FIRST_FLIP_SECONDS = 60  # soon enough for someone who watches the demo


def flaky(asked: Asked) -> Reply:
    """Good for the first minute, then 502 and good in turns of two minutes."""
    turn = (asked.seconds + FLIP_SECONDS - FIRST_FLIP_SECONDS) // FLIP_SECONDS
    return page(502, "The application behind this gateway hung up.") if turn % 2 else healthy(asked)


def with_own_settings(asked: Asked) -> Reply:
    """As Apache does where virtual hosts differ in TLS settings: one that the SNI did not choose is out of reach.

    A name that it does not know, in SNI or Host, stands for the first virtual host.
    """
    chosen, wanted = (name if name in (SECURE, OPEN) else SECURE for name in (asked.sni, asked.host))
    return healthy(replace(asked, host=wanted)) if chosen == wanted else incompatible(asked)


def incompatible(_: Asked) -> Reply:
    """Apache's own page; it closes the connection after such a 421, but does not say so."""
    body = (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>421 Misdirected Request</title>\n'
        "</head><body>\n<h1>Misdirected Request</h1>\n<p>This connection was set up for another name.</p>\n"
        "</body></html>\n"
    )
    return Reply(421, body, hangs_up=True, charset="iso-8859-1")


def forgotten_over_http3(asked: Asked) -> Reply:
    """As where HTTP/3 ends at an edge of its own: it was given the name's certificate, and not the name."""
    return misdirected(asked) if asked.protocol is Protocol.H3 else healthy(asked)


def application(title: str, text: str) -> Site:
    """As Envoy does where filter chains are chosen by SNI: the chain of another name knows no route to this one."""

    def serve(asked: Asked) -> Reply:
        return page(200, text, title=title) if asked.sni == asked.host else no_route(asked)

    return serve


def no_route(_: Asked) -> Reply:
    return Reply(404, "")


SHOP = "shop.example.test"
API = "api.example.test"
BLOG = "blog.example.test"
MAINTENANCE = "maintenance.example.test"
DOWN = "down.example.test"
FLAKY = "flaky.example.test"
OLD = "old.example.test"
SECURE = "secure.example.test"
OPEN = "open.example.test"
CART = "cart.example.test"
HELP = "help.example.test"
NEWS = "news.example.test"

WITH_HTTP2 = (Protocol.H2, Protocol.HTTP11)
WITH_HTTP3 = (Protocol.H3, *WITH_HTTP2)

SERVERS = (
    Server(
        "127.0.42.1",
        (SHOP, API),
        "healthy: two names on one certificate, over HTTP/3 too",
        "demo-shop",
        {SHOP: healthy, API: healthy},
        (Leaf((SHOP, API)),),
        protocols=WITH_HTTP3,
    ),
    Server("127.0.42.2", (BLOG,), "healthy", "demo-blog", {BLOG: healthy}, (Leaf((BLOG,)),), protocols=WITH_HTTP2),
    Server(
        "127.0.42.3",
        (BLOG,),
        "421: it has the certificate of the blog, but no such virtual host",
        "demo-blog-spare",
        {},
        (Leaf((BLOG,)),),
    ),
    Server(
        "127.0.42.4",
        (MAINTENANCE,),
        "503 with Retry-After",
        "demo-maintenance",
        {MAINTENANCE: maintenance},
        (Leaf((MAINTENANCE,)),),
    ),
    Server("127.0.42.5", (DOWN,), "down: nothing listens"),
    Server(
        "127.0.42.6",
        (FLAKY,),
        "200 and 502 in turns of two minutes, the first 502 after one minute",
        "demo-gateway",
        {FLAKY: flaky},
        (Leaf((FLAKY,)),),
    ),
    Server(
        "127.0.42.7",
        (OLD,),
        "healthy, but its certificate expired a week ago",
        "demo-old",
        {OLD: healthy},
        (Leaf((OLD,), not_before_days=-97, not_after_days=-7),),
    ),
    Server(
        "127.0.42.8",
        (SECURE, OPEN),
        "as Apache: on one certificate, but unlike TLS settings, so 421 on each other's connections; browsers ask anew",
        "Apache",
        {SECURE: with_own_settings, OPEN: with_own_settings},
        (Leaf((SECURE, OPEN)),),
        with_own_settings,
        WITH_HTTP2,
    ),
    Server(
        "127.0.42.9",
        (CART, HELP),
        "as Envoy: routes by SNI, so on each other's connections an empty 404, where browsers do not ask anew",
        "envoy",
        {
            CART: application("Your cart", "Three things wait here to be paid for."),
            HELP: application("Help", "Questions, and some answers."),
        },
        (Leaf(("*.example.test",)),),
        no_route,
        WITH_HTTP2,
    ),
    Server(
        "127.0.42.10",
        (NEWS,),
        "healthy, but it advertises HTTP/3, where it is refused with 421; browsers come back another way",
        "demo-news",
        {NEWS: forgotten_over_http3},
        (Leaf((NEWS,)),),
        protocols=WITH_HTTP3,
    ),
)
