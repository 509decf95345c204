"""Origins that are dead, slow or odd, and what proxies make of it."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Scenario, Server
from tests.lab.scenarios.parts import (
    ALONE,
    PEARS,
    PEARS_AT_THE_EDGE,
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
    nginx_site,
    odd,
    own,
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

SCENARIOS = (
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
