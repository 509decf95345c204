"""What a request must and must not be, and where answers lead: limits, redirects, client certificates."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Cell, Scenario, Server
from tests.lab.scenarios.applications import FLASK, page_of
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    BOTH_AT_THE_EDGE,
    PAIR,
    PEARS,
    PEARS_AT_THE_EDGE,
    PLUMS,
    UNKNOWN,
    WILDCARD,
    apache,
    apache_site,
    caddy,
    caddy_site,
    nginx,
    nginx_default,
    nginx_site,
    own,
    works,
)

CRUMBS = "crumb," * 1200
LONG_PATH = "/search?q=" + "pear," * 600

REQUESTS = (
    Scenario(
        name="nginx-field-too-big",
        cause="request-headers-too-big",
        why="A field that the monitor sends is larger than nginx's buffers.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(nginx("large_client_header_buffers 2 4k;", nginx_site(PEARS)),),
        settings={PEARS: {"headers": {"X-Crumbs": CRUMBS}}},
        shows=(
            Cell(PEARS, PEARS, 400, "Request Header Or Cookie Too Large", header=f"X-Crumbs: {CRUMBS}"),
            *works(PEARS),
        ),
    ),
    Scenario(
        name="gunicorn-field-too-big",
        cause="request-headers-too-big",
        why="A field is larger than gunicorn allows.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(
            Server(
                "gunicorn",
                FLASK,
                "edge",
                ("--certfile", "@site", "--keyfile", "@site", "--limit-request-field_size", "2000"),
            ),
        ),
        settings={PEARS: {"headers": {"X-Crumbs": CRUMBS}}},
        shows=(Cell(PEARS, PEARS, 431, header=f"X-Crumbs: {CRUMBS}"), own(PEARS, 200, "Welcome")),
    ),
    page_of(
        "apache-uri-too-long",
        "uri-too-long",
        "The query is longer than LimitRequestLine.",
        LONG_PATH,
        apache(apache_site(PEARS), settings="LimitRequestLine 1000"),
        seen=414,
    ),
)


def redirecting(domain: str, to: str) -> str:
    return apache_site(domain, f"Redirect 302 / {to}")


REDIRECTS = (
    Scenario(
        name="apache-redirects-in-a-ring",
        cause="redirect-loop",
        why="/ leads to /start, and /start leads to /.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(
            apache(
                apache_site(PEARS, "RedirectMatch 302 ^/$ /start\nRedirectMatch 302 ^/start$ /"), modules=("alias",)
            ),
        ),
        shows=(own(PEARS, 302), Cell(PEARS, PEARS, "redirects for ever", follows=True)),
    ),
    Scenario(
        name="two-names-redirect-to-each-other",
        cause="redirect-loop",
        why="pears redirects to plums, and plums to pears.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=WILDCARD,
        servers=(
            caddy(
                caddy_site(PEARS, f"redir https://{PLUMS}:@edge_port/"),
                caddy_site(PLUMS, f"redir https://{PEARS}:@edge_port/"),
            ),
        ),
        shows=(own(PEARS, 302), Cell(PEARS, PEARS, "redirects for ever", follows=True)),
        fixed={
            "servers": (caddy(caddy_site(PEARS, f"redir https://{PLUMS}:@edge_port/"), caddy_site(PLUMS)),),
            "shows": (*works(PLUMS), Cell(PEARS, PEARS, 200, PLUMS, follows=True)),
        },
    ),
    Scenario(
        name="redirect-to-closed-port",
        cause="redirect-to-broken-host",
        why="pears redirects to plums, where nothing listens.",
        targets={PEARS: ("edge",), PLUMS: ("edge2",)},
        broken=(PEARS,),
        also={PLUMS: "connection-refused"},
        certificates=ALONE,
        servers=(
            apache(redirecting(PEARS, f"https://{PLUMS}:@edge_port/"), modules=("alias",)),
            Server("nobody", "", "edge2"),
        ),
        shows=(own(PEARS, 302), own(PLUMS, "refused", at="edge2")),
    ),
    Scenario(
        name="redirect-to-forgotten-host",
        cause="redirect-to-broken-host",
        why="pears redirects to plums, which has no virtual host there: 421.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PEARS,),
        also={PLUMS: "vhost-missing"},
        certificates=PAIR,
        servers=(nginx(nginx_default(421), nginx_site(PEARS, f"return 302 https://{PLUMS}:@edge_port/;")),),
        shows=(own(PEARS, 302), own(PLUMS, 421), own(UNKNOWN, 421)),
    ),
    Scenario(
        name="healthy-redirect-to-login",
        cause=HEALTHY,
        why="An application that sends everybody to its login page.",
        targets=PEARS_AT_THE_EDGE,
        certificates=ALONE,
        servers=(
            apache(
                apache_site(PEARS, "RedirectMatch 302 ^/$ /login/\nAlias /login/ @pages/pears.orchard.test/"),
                modules=("alias",),
            ),
        ),
        shows=(own(PEARS, 302), Cell(PEARS, PEARS, 200, PEARS, follows=True)),
    ),
)

PEOPLE_WITH_CERTIFICATES = (
    Scenario(
        name="nginx-demands-certificate",
        cause="client-cert-required",
        why="ssl_verify_client on: who shows no certificate gets 400.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(nginx(nginx_site(PEARS, f"ssl_client_certificate @ca; ssl_verify_client on; root @pages/{PEARS};")),),
        shows=(own(PEARS, 400, "No required SSL certificate"),),
    ),
    Scenario(
        name="apache-demands-certificate",
        cause="client-cert-required",
        why="SSLVerifyClient require: the connection ends with an alert.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(apache(apache_site(PEARS, "SSLVerifyClient require\nSSLCACertificateFile @ca")),),
        shows=(own(PEARS, "broken off"),),
        fixed={"servers": (apache(apache_site(PEARS)),), "shows": works(PEARS)},
    ),
)

SCENARIOS = (*REQUESTS, *REDIRECTS, *PEOPLE_WITH_CERTIFICATES)
