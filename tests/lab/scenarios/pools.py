"""Caches, and pools of servers of which one is not as the others."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Scenario, Server
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    BOTH_AT_THE_EDGE,
    PEARS,
    PEARS_AT_THE_EDGE,
    WILDCARD,
    apache,
    apache_site,
    nginx,
    nginx_default,
    nginx_site,
    odd,
    own,
    works,
)
from tests.lab.scenarios.upstreams import GOOD_ORIGIN, WELL, behind, haproxy_to

VCL = """
vcl 4.1;
backend origin { .host = "@origin_address"; .port = "@origin_port"; .first_byte_timeout = 1s; }
sub vcl_backend_response { @ttl }
sub vcl_deliver {
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }
}
"""
HITCH = Server(
    "hitch",
    """
frontend = { host = "@edge_address" port = "@edge_port" }
backend = "[@cache_address]:@cache_port"
pem-file = "@site"
alpn-protos = "http/1.1"
workers = 1
""",
)


def varnish(ttl: str = "") -> tuple[Server, Server]:
    return Server("varnish", VCL.replace("@ttl", ttl), "cache"), HITCH


KEEPS = "proxy_cache orchard; proxy_cache_valid {0} 10m; add_header X-Cache-Status $upstream_cache_status always;"
PASSES = "proxy_pass http://@origin; "


def caching(valid: str) -> Server:
    zone = "proxy_cache_path @folder/cache keys_zone=orchard:1m;"
    return nginx(zone, nginx_site(PEARS, f"location / {{ {PASSES}{KEEPS.format(valid)} }}"))


CACHES = (
    behind(
        "varnish-origin-slow",
        "upstream-too-slow",
        "The application sends nothing within first_byte_timeout, for which Varnish says 503.",
        odd("never", "origin", certificate=""),
        *varnish(),
        seen=503,
        says="Backend fetch failed",
        mended=(odd("late", "origin", certificate=""), *varnish()),
    ),
    Scenario(
        name="nginx-caches-error",
        cause="cached-error",
        why="nginx keeps every answer, and goes on showing an error that the application got over long ago.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(odd("error-at-first", "origin", certificate=""), caching("any")),
        visits=(own(PEARS, 500),),
        shows=(own(PEARS, 500, "database"), own(PEARS, 200, "well", path="/?again")),
        fixed={"servers": (odd("error-at-first", "origin", certificate=""), caching("200")), "shows": WELL},
    ),
    Scenario(
        name="varnish-caches-404",
        cause="cached-error",
        why="Somebody asked in the middle of a deployment, and Varnish keeps the 404 for an hour.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(odd("lost-at-first", "origin", certificate=""), *varnish("set beresp.ttl = 1h;")),
        visits=(own(PEARS, 404),),
        shows=(own(PEARS, 404, "deployment"), own(PEARS, 200, "well", path="/?again")),
    ),
    Scenario(
        name="healthy-varnish",
        cause=HEALTHY,
        why="A good page from the cache, with Age and all.",
        targets=PEARS_AT_THE_EDGE,
        certificates=ALONE,
        servers=(GOOD_ORIGIN, *varnish("set beresp.ttl = 1h;")),
        visits=WELL,
        shows=WELL,
    ),
)


def members(*behaviours: str) -> tuple[Server, ...]:
    return tuple(odd(behaviour, f"origin{number}", certificate="") for number, behaviour in enumerate(behaviours))


def nginx_to(count: int) -> Server:
    pool = "".join(f"server @origin{number};" for number in range(count))
    return nginx(f"upstream pool {{ {pool} }}", nginx_site(PEARS, "location / { proxy_pass http://pool; }"))


def shop(*names: str, at: str) -> Server:
    sites = (nginx_site(name, at=at, listen="") for name in names)
    return nginx(nginx_default(404, at=at, listen=""), *sites, at=at)


FOUR = (own(PEARS, 200), own(PEARS, 200), own(PEARS, 200), own(PEARS, 500, "database"))
TWO_SHOPS = haproxy_to("@first", "@second")

POOLS = (
    Scenario(
        name="haproxy-one-of-two",
        cause="one-backend-misconfigured",
        why="HAProxy sends every other request to a server that lacks the site.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=WILDCARD,
        servers=(shop(*BOTH, at="first"), shop(BOTH[1], at="second"), TWO_SHOPS),
        shows=(own(PEARS, 200, PEARS), own(PEARS, 404), own(PEARS, 200), own(PEARS, 404)),
        fixed={"servers": (shop(*BOTH, at="first"), shop(*BOTH, at="second"), TWO_SHOPS), "shows": works(*BOTH)},
    ),
    Scenario(
        name="nginx-one-of-four",
        cause="one-backend-misconfigured",
        why="One of four servers has lost its database.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(*members("well", "well", "well", "error"), nginx_to(4)),
        shows=FOUR,
        fixed={"servers": (*members("well", "well", "well", "well"), nginx_to(4)), "shows": WELL * 4},
    ),
    Scenario(
        name="haproxy-one-of-three-hangs",
        cause="one-backend-misconfigured",
        why="One of three servers takes requests and never answers.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(
            *members("well", "well", "never"),
            haproxy_to(*(f"@origin{n}" for n in range(3)), settings="timeout server 1s"),
        ),
        shows=(*WELL, *WELL, own(PEARS, 504)),
    ),
    Scenario(
        name="healthy-unequal-servers",
        cause=HEALTHY,
        why="Two servers of different makes take turns behind one address, and both serve the site.",
        targets=PEARS_AT_THE_EDGE,
        certificates=ALONE,
        servers=(
            shop(PEARS, at="first"),
            apache(apache_site(PEARS, certificate=""), at="second"),
            TWO_SHOPS,
        ),
        shows=works(PEARS) * 2,
    ),
    behind(
        "healthy-slow-origin",
        HEALTHY,
        "An application that takes its time, and is waited for.",
        odd("late", "origin", certificate=""),
        haproxy_to(),
        seen=200,
        says="well",
    ),
)

SCENARIOS = (*CACHES, *POOLS)
