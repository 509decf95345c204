"""Reverse proxies that open their connections to the origin under the wrong name."""

from __future__ import annotations

from tests.lab.scenario import Cell, Leaf, Scenario, Server
from tests.lab.scenarios.parts import (
    BOTH,
    BOTH_AT_THE_EDGE,
    CHERRIES,
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
    haproxy,
    haproxy_backend,
    haproxy_edge,
    nginx,
    nginx_site,
    own,
    reused,
    works,
)

ALL = (PEARS, PLUMS, CHERRIES)
ALL_AT_THE_EDGE = dict.fromkeys(ALL, ("edge",))
CERTIFICATES = WILDCARD | SEPARATE | {"cherries": Leaf((CHERRIES,)), "nobody": Leaf(("origin.orchard.test",))}
ORIGIN = apache(
    apache_site("origin.orchard.test", certificate="nobody", page="nobody"),
    *(apache_site(name, certificate=name.split(".")[0]) for name in BOTH),
    at="origin",
)
ORIGIN_OF_ALL = apache(*(apache_site(name, certificate=name.split(".")[0]) for name in ALL), at="origin")
HOST_AS_SNI = "sni req.hdr(host),field(1,:)"


def haproxy_to_origin(options: str) -> Server:
    edge = haproxy_edge("default_backend origin")
    return haproxy(edge + haproxy_backend("origin", f"@origin ssl verify none {options}"))


NGINX_UPSTREAM = """
proxy_ssl_server_name on;
proxy_ssl_session_reuse off;
proxy_set_header Host $host;
proxy_hide_header Upgrade;
upstream origin { server @origin; @pool }
"""


def nginx_to_origin(*names: str, sni: str, pool: str = "") -> Server:
    passing = f"location / {{ proxy_pass https://origin; proxy_ssl_name {sni}; }}"
    return nginx(
        NGINX_UPSTREAM.replace("@pool", pool and "keepalive 4;"), pool, *(nginx_site(name, passing) for name in names)
    )


AUTO_SNI = """
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@@type": @types.upstreams.http.v3.HttpProtocolOptions
        upstream_http_protocol_options: {auto_sni: true}
        explicit_http_config: {http_protocol_options: {}}
"""


def envoy_to_origin(options: str) -> Server:
    hosts = "".join(envoy_host(name, "route: {cluster: origin}") for name in BOTH)
    tls = """    transport_socket:
      name: tls
      typed_config: {"@@type": @types.transport_sockets.tls.v3.UpstreamTlsContext}
"""
    return envoy(envoy_http(hosts), clusters=envoy_cluster("origin") + tls + options)


POOLED = 'proxy_http_version 1.1; proxy_set_header Connection "";'
CADDY_TRANSPORT = """reverse_proxy https://@origin {{
    header_up Host {{host}}
    transport http {{
        tls_server_name {{http.request.host}}
        tls_insecure_skip_verify
        {0}
    }}
}}"""


def caddy_to_origin(pool: str) -> Server:
    """One block for all names, and for strangers: each block would have a pool of its own."""
    return caddy(caddy_site("", CADDY_TRANSPORT.format(pool)))


SCENARIOS = (
    Scenario(
        name="haproxy-sends-no-sni",
        cause="proxy-sends-no-sni-upstream",
        why="HAProxy asks Apache over TLS without SNI: its default host has the connection, and refuses all others.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=CERTIFICATES,
        servers=(ORIGIN, haproxy_to_origin("")),
        shows=(own(PEARS, 421), own(PLUMS, 421), own(UNKNOWN, 200, "nobody")),
        fixed={"servers": (ORIGIN, haproxy_to_origin(HOST_AS_SNI)), "shows": works(*BOTH)},
    ),
    Scenario(
        name="haproxy-sends-constant-name",
        cause="proxy-sends-wrong-sni-upstream",
        why="HAProxy sends the name of its backend as SNI, which Apache does not know.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("proxy-sends-no-sni-upstream",),
        certificates=CERTIFICATES,
        servers=(ORIGIN, haproxy_to_origin("sni str(backend.internal)")),
        shows=(own(PEARS, 421), own(PLUMS, 421), own(UNKNOWN, 200, "nobody")),
    ),
    Scenario(
        name="envoy-sends-no-sni",
        cause="proxy-sends-no-sni-upstream",
        why="Envoy's cluster has TLS and neither `sni` nor auto_sni.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=CERTIFICATES,
        servers=(ORIGIN, envoy_to_origin("")),
        shows=(own(PEARS, 421), own(PLUMS, 421), own(UNKNOWN, 404)),
        fixed={"servers": (ORIGIN, envoy_to_origin(AUTO_SNI)), "shows": works(*BOTH)},
    ),
    Scenario(
        name="nginx-sends-one-name",
        cause="proxy-sends-wrong-sni-upstream",
        why="proxy_ssl_name is a constant, the name of pears: Apache refuses whoever is not pears.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=CERTIFICATES,
        servers=(ORIGIN, nginx_to_origin(*BOTH, sni=PEARS)),
        shows=(*works(PEARS), own(PLUMS, 421), reused(PLUMS, PEARS, 200, PEARS)),
        fixed={"servers": (ORIGIN, nginx_to_origin(*BOTH, sni="$host")), "shows": works(*BOTH)},
    ),
    Scenario(
        name="haproxy-forwards-sni",
        cause="proxy-forwards-client-sni",
        why="HAProxy sends the client's SNI upstream, which is the neighbour's name on a shared connection.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=CERTIFICATES,
        servers=(ORIGIN, haproxy_to_origin("sni ssl_fc_sni")),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={
            "servers": (ORIGIN, haproxy_to_origin(HOST_AS_SNI)),
            "shows": (*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
        },
    ),
    Scenario(
        name="caddy-pools-by-address",
        cause="proxy-reuses-upstream-connection",
        why="Caddy keeps one HTTP/2 connection to Apache for all names: whoever came first has it, the others get 421.",
        targets=ALL_AT_THE_EDGE,
        alike=("proxy-sends-wrong-sni-upstream",),
        certificates=CERTIFICATES,
        servers=(ORIGIN_OF_ALL, caddy_to_origin("")),
        visits=works(PLUMS),
        shows=(
            *works(PLUMS),
            own(PEARS, 421),
            own(CHERRIES, 421),
            *works(PLUMS),
            own(UNKNOWN, 421),
            Cell(PEARS, "nobody.invalid", 421),
        ),
        fixed={"servers": (ORIGIN_OF_ALL, caddy_to_origin("keepalive off")), "shows": works(*ALL)},
    ),
    Scenario(
        name="nginx-pools-by-address",
        cause="proxy-reuses-upstream-connection",
        why="nginx sends each name as SNI, and asks for another on a kept connection: 421 now and then.",
        targets=ALL_AT_THE_EDGE,
        broken=ALL,
        certificates=CERTIFICATES,
        servers=(ORIGIN_OF_ALL, nginx_to_origin(*ALL, sni="$host", pool=POOLED)),
        shows=(*works(PEARS), own(PLUMS, 421), *works(PLUMS), own(CHERRIES, 421), *works(CHERRIES)),
        fixed={"servers": (ORIGIN_OF_ALL, nginx_to_origin(*ALL, sni="$host")), "shows": works(*ALL)},
    ),
)
