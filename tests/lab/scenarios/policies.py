"""Refusals that somebody meant: rules, limits, maintenance, credentials."""

from __future__ import annotations

from tests.lab.scenario import EDGE, Cell, Scenario
from tests.lab.scenarios.applications import flask, page_of, uvicorn
from tests.lab.scenarios.parts import (
    ALONE,
    CHERRIES,
    PEARS,
    PEARS_AT_THE_EDGE,
    PLUMS,
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
    nginx_site,
    odd,
    own,
    works,
)
from tests.lab.scenarios.upstreams import behind, haproxy_to

MAINTENANCE = """
RewriteEngine On
RewriteRule ^ - [R=503,L]
Header always set Retry-After 3600
ErrorDocument 503 "<title>Maintenance</title><h1>We are down for maintenance and will be back soon</h1>"
"""
ANNOUNCEMENT = (
    'http-request return status 503 content-type text/html string "<h1>Scheduled maintenance</h1>" hdr Retry-After 600'
)
SLOWLY = "limit_req_zone $binary_remote_addr zone=clients:1m rate=1r/m;"
BREAKER = """    circuit_breakers: {thresholds: [{max_pending_requests: 0}]}
"""
RATE = """
    stick-table type ip size 1k expire 10s store http_req_rate(10s)
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 4 }
    default_backend origin
"""

THREE = (PEARS, PLUMS, CHERRIES)

SCENARIOS = (
    page_of(
        "nginx-location-says-421",
        "rewrite-rule-421",
        "A rule answers 421 to one part of the site.",
        "/reports/",
        nginx(nginx_site(PEARS, f"root @pages/{PEARS}; location /reports/ {{ return 421; }}")),
        seen=421,
    ),
    Scenario(
        name="apache-rule-says-421",
        cause="rewrite-rule-421",
        why="A RewriteRule of one virtual host says 421 to everything; its two neighbours are well.",
        targets=dict.fromkeys(THREE, (EDGE,)),
        broken=(PLUMS,),
        certificates=WILDCARD,
        servers=(
            apache(
                apache_site(PEARS),
                apache_site(PLUMS, "RewriteEngine On\nRewriteRule ^ - [R=421,L]"),
                apache_site(CHERRIES),
                modules=("rewrite",),
            ),
        ),
        shows=(*works(PEARS, CHERRIES), own(PLUMS, 421), Cell(PEARS, PLUMS, 421), Cell(PEARS, CHERRIES, 200, CHERRIES)),
        fixed={"servers": (apache(*(apache_site(name) for name in THREE)),), "shows": works(*THREE)},
    ),
    behind(
        "apache-maintenance",
        "maintenance",
        "A rule sends everybody to the maintenance page.",
        apache(apache_site(PEARS, MAINTENANCE), modules=("rewrite", "headers")),
        seen=503,
        says="maintenance",
    ),
    behind(
        "haproxy-maintenance",
        "maintenance",
        "HAProxy answers with an announcement while the origin is upgraded.",
        haproxy(haproxy_edge(ANNOUNCEMENT)),
        seen=503,
        says="Scheduled maintenance",
    ),
    behind(
        "uvicorn-overloaded",
        "overloaded",
        "uvicorn's --limit-concurrency is one, which its own connection already is.",
        uvicorn(200, "well", "--limit-concurrency", "1"),
        seen=503,
        says="Service Unavailable",
    ),
    behind(
        "envoy-sheds-load",
        "overloaded",
        "The cluster's circuit breaker allows no request to wait, so every one overflows.",
        odd("well", "origin", certificate=""),
        envoy(envoy_http(envoy_host(PEARS, "route: {cluster: origin}")), clusters=envoy_cluster("origin") + BREAKER),
        seen=503,
        says="overflow",
    ),
    Scenario(
        name="haproxy-limits-rate",
        cause="rate-limited",
        why="A stick table allows four requests in ten seconds, and the monitor makes more.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(
            odd("well", "origin", certificate=""),
            haproxy(haproxy_edge(RATE) + haproxy_backend("origin", "@origin")),
        ),
        shows=(*(own(PEARS, 200) for _ in range(4)), own(PEARS, 429, "too many requests")),
    ),
    Scenario(
        name="nginx-limits-rate",
        cause="rate-limited",
        why="limit_req allows a request a minute, and says 503 to the others.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        alike=("overloaded",),
        certificates=ALONE,
        servers=(nginx(SLOWLY, nginx_site(PEARS, f"limit_req zone=clients; root @pages/{PEARS};")),),
        shows=(own(PEARS, 200), own(PEARS, 503), own(PEARS, 503)),
    ),
    behind(
        "caddy-wants-password",
        "auth-required",
        "Basic credentials are needed.",
        caddy(
            caddy_site(
                PEARS,
                "basicauth {\nkeeper $2a$14$MV3uqOoHmgZY08QfCetbL.RUiZUqOlY8wPY776RQLkPDZwUs.Ga2e\n}\nrespond well",
            )
        ),
        seen=401,
    ),
    page_of(
        "flask-wants-token",
        "auth-required",
        "A bearer token is needed.",
        "/account",
        flask(),
        haproxy_to(),
        seen=401,
        says="log in",
    ),
    behind(
        "haproxy-denies",
        "access-denied",
        "A rule refuses everybody.",
        odd("well", "origin", certificate=""),
        haproxy(haproxy_edge("http-request deny\n    default_backend origin") + haproxy_backend("origin", "@origin")),
        seen=403,
        says="administrative rules",
    ),
    behind(
        "apache-denies",
        "access-denied",
        "Require all denied.",
        apache(apache_site(PEARS, f"<Directory @pages/{PEARS}>\nRequire all denied\n</Directory>")),
        seen=403,
        says="permission",
        mended=None,
    ),
    page_of(
        "flask-legal-block",
        "legal-or-geo-block",
        "Removed after a court order.",
        "/book",
        flask(),
        haproxy_to(),
        seen=451,
        says="court order",
    ),
    page_of(
        "caddy-lacks-page",
        "content-missing",
        "The site is right, the page is gone.",
        "/catalogue",
        caddy(caddy_site(PEARS)),
        seen=404,
    ),
    page_of(
        "flask-post-only",
        "method-not-allowed",
        "The interface takes orders by POST alone.",
        "/orders",
        flask(),
        haproxy_to(),
        seen=405,
        says="Method Not Allowed",
    ),
)
