"""What goes wrong behind the edge though it asks rightly: dead, slow and odd origins, pools, caches."""

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
    caddy,
    caddy_site,
    envoy,
    envoy_cluster,
    envoy_host,
    envoy_http,
    haproxy,
    haproxy_backend,
    haproxy_edge,
    nginx,
    nginx_default,
    nginx_site,
    odd,
    own,
    works,
)

GOOD_ORIGIN = odd("well", "origin", certificate="")
NOBODY = Server("nobody", "", "origin")
WELL = (own(PEARS, 200, "well"),)


def behind(name: str, cause: str, why: str, *servers: Server, seen: int, says: str = "", **more: object) -> Scenario:
    """One name, one edge, and something behind it; `fixed` is told by the servers of the mended variant."""
    mended = more.pop("mended", None)
    return Scenario(
        name=name,
        cause=cause,
        why=why,
        targets=PEARS_AT_THE_EDGE,
        broken=() if cause == HEALTHY else (PEARS,),
        certificates=ALONE,
        servers=servers,
        shows=(own(PEARS, seen, says),),
        fixed=None if mended is None else {"servers": mended, "shows": WELL},
        **more,  # type: ignore[arg-type]
    )


def haproxy_to(*servers: str, settings: str = "") -> Server:
    edge = haproxy_edge("default_backend origin")
    return haproxy(edge + haproxy_backend("origin", *(servers or ("@origin",)), settings=settings))


def apache_to_origin(settings: str = "") -> Server:
    return apache(apache_site(PEARS, f"{settings}\nProxyPass / http://@origin/"), modules=("proxy", "proxy_http"))


CADDY_TO_ORIGIN = caddy(caddy_site(PEARS, "reverse_proxy http://@origin"))
ENVOY_TO_ORIGIN = envoy(envoy_http(envoy_host(PEARS, "route: {cluster: origin}")), clusters=envoy_cluster("origin"))

DEAD_OR_SLOW = (
    behind(
        "apache-origin-down",
        "upstream-down",
        "Nothing listens where Apache looks for the application.",
        NOBODY,
        apache_to_origin(),
        seen=503,
        says="temporarily unable",
        mended=(GOOD_ORIGIN, apache_to_origin()),
    ),
    behind(
        "envoy-origin-down",
        "upstream-down",
        "Nothing listens at the only member of Envoy's cluster.",
        NOBODY,
        ENVOY_TO_ORIGIN,
        seen=503,
        says="upstream connect error",
        places=("origin",),
        mended=(GOOD_ORIGIN, ENVOY_TO_ORIGIN),
    ),
    behind(
        "caddy-origin-down",
        "upstream-down",
        "Nothing listens behind Caddy, which says 502 with an empty body.",
        NOBODY,
        CADDY_TO_ORIGIN,
        seen=502,
        alike=("upstream-bad-answer",),
    ),
    behind(
        "haproxy-origin-slow",
        "upstream-too-slow",
        "The application takes longer than HAProxy's `timeout server` of a second.",
        odd("never", "origin", certificate=""),
        haproxy_to(settings="timeout server 1s"),
        seen=504,
        says="in time",
        mended=(odd("late", "origin", certificate=""), haproxy_to(settings="timeout server 1s")),
    ),
    behind(
        "apache-origin-slow",
        "upstream-too-slow",
        "The application takes longer than ProxyTimeout, for which Apache says 502.",
        odd("never", "origin", certificate=""),
        apache_to_origin("ProxyTimeout 1"),
        seen=502,
        says="Error reading from remote server",
    ),
    behind(
        "caddy-origin-slow",
        "upstream-too-slow",
        "The application sends no header within Caddy's response_header_timeout.",
        odd("never", "origin", certificate=""),
        caddy(caddy_site(PEARS, "reverse_proxy http://@origin {\ntransport http {\nresponse_header_timeout 1s\n}\n}")),
        seen=504,
    ),
    behind(
        "haproxy-origin-closes",
        "upstream-bad-answer",
        "The application takes the request and closes without a word.",
        odd("closes", "origin", certificate=""),
        haproxy_to(),
        seen=502,
        says="invalid or incomplete",
        mended=(GOOD_ORIGIN, haproxy_to()),
    ),
    behind(
        "nginx-origin-boasts",
        "upstream-bad-answer",
        "The application's header is larger than nginx's buffer.",
        odd("boasts", "origin", certificate=""),
        nginx(nginx_site(PEARS, "location / { proxy_pass http://@origin; }")),
        seen=502,
        says="502 Bad Gateway",
        alike=("upstream-down",),
    ),
)

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

SCENARIOS = (*DEAD_OR_SLOW, *CACHES, *POOLS)
