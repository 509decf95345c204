"""Routers and gateways that choose by SNI or by Host."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Scenario
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    BOTH_AT_THE_EDGE,
    PAIR,
    PEARS,
    PLUMS,
    SEPARATE,
    UNKNOWN,
    WILDCARD,
    apache,
    apache_site,
    caddy,
    caddy_site,
    envoy,
    envoy_cluster,
    envoy_host,
    envoy_http,
    envoy_passes,
    haproxy,
    haproxy_backend,
    nginx,
    nginx_default,
    nginx_site,
    own,
    reused,
    works,
)

PASSES = envoy(
    envoy_passes("orchard", PEARS),
    envoy_passes("cellar", PLUMS),
    clusters=envoy_cluster("orchard") + envoy_cluster("cellar"),
)
SNI_ROUTER = """
frontend router
    mode tcp
    bind @edge
    tcp-request inspect-delay 2s
    tcp-request content accept if { req.ssl_hello_type 1 }
"""


def routes(*rules: str) -> str:
    """HAProxy passing TLS through, to `orchard` where a rule says so and to `cellar` otherwise."""
    chosen = "".join(f"    use_backend orchard if {{ req.ssl_sni -i {name} }}\n" for name in rules)
    backends = (haproxy_backend(place, f"@{place}", settings="mode tcp") for place in ("orchard", "cellar"))
    return f"{SNI_ROUTER}{chosen}    default_backend cellar\n{''.join(backends)}"


SCENARIOS = (
    Scenario(
        name="envoy-passes-to-two-servers",
        cause="sni-router-with-shared-cert",
        why="Envoy passes TLS on by SNI to Apache and Caddy, which have one wildcard certificate.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=WILDCARD,
        servers=(
            apache(apache_site(PEARS), at="orchard"),
            caddy(caddy_site(PLUMS, at="cellar"), at="cellar"),
            PASSES,
        ),
        places=("orchard", "cellar"),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PEARS), reused(PLUMS, PEARS, 200)),
        fixed={
            "certificates": SEPARATE,
            "servers": (
                apache(apache_site(PEARS, certificate="pears"), at="orchard"),
                caddy(caddy_site(PLUMS, tls="@plums @plums", at="cellar"), at="cellar"),
                PASSES,
            ),
        },
    ),
    Scenario(
        name="haproxy-passes-to-two-servers",
        cause="sni-router-with-shared-cert",
        why="Two nginx behind an SNI router share a certificate; each answers 403 to the other's name.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=PAIR,
        servers=(
            nginx(nginx_default(403, at="orchard"), nginx_site(PEARS, at="orchard"), at="orchard"),
            nginx(nginx_default(403, at="cellar"), nginx_site(PLUMS, at="cellar"), at="cellar"),
            haproxy(routes(PEARS)),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 403), reused(PLUMS, PEARS, 403)),
    ),
    Scenario(
        name="haproxy-lacks-rule",
        cause="sni-router-lacks-name",
        besides=("sni-router-with-shared-cert",),
        why="The router knows pears alone; plums, which lives on the same server, goes to the default one.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=WILDCARD,
        servers=(
            nginx(*(nginx_site(name, at="orchard") for name in BOTH), at="orchard"),
            nginx(nginx_default(404, at="cellar"), at="cellar"),
            haproxy(routes(PEARS)),
        ),
        shows=(*works(PEARS), own(PLUMS, 404), reused(PEARS, PLUMS, 200, PLUMS)),
        fixed={
            "servers": (
                nginx(*(nginx_site(name, at="orchard") for name in BOTH), at="orchard"),
                nginx(nginx_default(404, at="cellar"), at="cellar"),
                haproxy(routes(*BOTH)),
            ),
            "shows": works(*BOTH),
        },
    ),
    Scenario(
        name="envoy-domains-without-port",
        cause="no-route-for-host",
        why="Envoy's virtual hosts list names without the port, which clients on this port send.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("host-header-shape",),
        certificates=PAIR,
        servers=(envoy(envoy_http(envoy_host(PEARS) + envoy_host(PLUMS), extra="server_name: envoy")),),
        shows=(own(PEARS, 404), own(PLUMS, 404)),
        fixed={"servers": (envoy(envoy_http(envoy_host(PEARS) + envoy_host(PLUMS))),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="envoy-lacks-host",
        cause="no-route-for-host",
        why="Envoy's one chain has the certificate of both names, and a virtual host for one.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        alike=("vhost-missing",),
        certificates=PAIR,
        servers=(envoy(envoy_http(envoy_host(PEARS))),),
        shows=(*works(PEARS), own(PLUMS, 404), own(UNKNOWN, 404)),
        fixed={"servers": (envoy(envoy_http(envoy_host(PEARS) + envoy_host(PLUMS))),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="healthy-envoy-one-chain",
        cause=HEALTHY,
        why="One chain of filters knows both hosts, so it does not matter whose connection it is.",
        targets=BOTH_AT_THE_EDGE,
        certificates=WILDCARD,
        servers=(envoy(envoy_http(envoy_host(PEARS) + envoy_host(PLUMS))),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS), reused(PLUMS, PEARS, 200, PEARS)),
    ),
    Scenario(
        name="healthy-router-separate-certificates",
        cause=HEALTHY,
        why="A router by SNI, and behind it servers whose certificates name nobody else.",
        targets=BOTH_AT_THE_EDGE,
        certificates=SEPARATE,
        servers=(
            nginx(
                nginx_default(404, certificate="pears", at="orchard"),
                nginx_site(PEARS, certificate="pears", at="orchard"),
                at="orchard",
            ),
            apache(apache_site(PLUMS, certificate="plums"), at="cellar"),
            haproxy(routes(PEARS)),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 404)),
    ),
    Scenario(
        name="healthy-envoy-wildcard-host",
        cause=HEALTHY,
        why="One name, and every other Host answered alike: nobody else is monitored there.",
        targets={PEARS: ("edge",)},
        certificates=ALONE,
        servers=(envoy(envoy_http(envoy_host(PEARS).replace(f'["{PEARS}"]', '["*"]'))),),
        shows=(*works(PEARS), own(UNKNOWN, 200, PEARS)),
    ),
)
