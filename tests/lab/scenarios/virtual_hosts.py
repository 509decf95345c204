"""Names that their server does not know, or knows in another shape."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Scenario
from tests.lab.scenarios.parts import (
    BOTH,
    BOTH_AT_THE_EDGE,
    CHERRIES,
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
    haproxy,
    haproxy_edge,
    nginx,
    nginx_default,
    nginx_site,
    own,
    reused,
    works,
)

HAPROXY_PAGE = (
    "http-request return status 200 content-type text/html string '<h1>Welcome to {0}</h1>' if {{ {1} }}\n    "
)


def haproxy_page(domain: str) -> str:
    return HAPROXY_PAGE.format(domain, f"req.hdr(host),field(1,:) -m str -i {domain}")


HAPROXY_PAGES = haproxy_page(PEARS) + haproxy_page(PLUMS)

MISSING = (
    Scenario(
        name="apache-lacks-host",
        cause="vhost-missing",
        why="No VirtualHost has plums, so Apache shows it the first one's site.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=WILDCARD,
        servers=(apache(apache_site(PEARS), apache_site(CHERRIES, page="nobody")),),
        shows=(*works(PEARS), own(PLUMS, 200, PEARS), reused(PEARS, PLUMS, 200, PEARS)),
        fixed={"servers": (apache(apache_site(PEARS), apache_site(PLUMS)),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="caddy-lacks-site",
        cause="vhost-missing",
        why="Caddy has a wildcard certificate and a site for pears alone: plums gets an empty 200.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        alike=("no-route-for-host",),
        certificates=WILDCARD,
        servers=(caddy(caddy_site(PEARS)),),
        shows=(*works(PEARS), own(PLUMS, 200), own(UNKNOWN, 200)),
        fixed={"servers": (caddy(caddy_site(PEARS), caddy_site(PLUMS)),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="nginx-default-says-421",
        cause="vhost-missing",
        why="plums was forgotten, and the default server answers 421 to names that it does not know.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        alike=("no-route-for-host",),
        certificates=PAIR,
        servers=(nginx(nginx_default(421), nginx_site(PEARS)),),
        shows=(*works(PEARS), own(PLUMS, 421), own(UNKNOWN, 421)),
        fixed={"servers": (nginx(nginx_default(421), nginx_site(PEARS), nginx_site(PLUMS)),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="haproxy-lacks-route",
        cause="no-route-for-host",
        why="HAProxy chooses by Host, has no rule for plums and no default.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        alike=("vhost-missing", "upstream-down"),
        certificates=WILDCARD,
        servers=(haproxy(haproxy_edge(haproxy_page(PEARS))),),
        shows=(*works(PEARS), own(PLUMS, 503, "No server is available"), own(UNKNOWN, 503)),
        fixed={"servers": (haproxy(haproxy_edge(HAPROXY_PAGES)),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="caddy-lacks-certificate",
        cause="tls-name-rejected",
        why="Caddy has neither a site nor a certificate for plums, and ends the handshake with an alert.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=SEPARATE,
        servers=(caddy(caddy_site(PEARS, tls="@pears @pears")),),
        shows=(*works(PEARS), own(PLUMS, "handshake failed")),
        fixed={
            "servers": (caddy(caddy_site(PEARS, tls="@pears @pears"), caddy_site(PLUMS, tls="@plums @plums")),),
            "shows": works(*BOTH),
        },
    ),
    Scenario(
        name="haproxy-strict-sni",
        cause="strict-sni-rejects-clients-without-sni",
        why="strict-sni refuses whoever sends no SNI, such as old clients and checks by address.",
        targets=BOTH_AT_THE_EDGE,
        certificates=SEPARATE,
        servers=(haproxy(haproxy_edge(HAPROXY_PAGES, "strict-sni crt @pears crt @plums alpn h2,http/1.1")),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200)),
    ),
    Scenario(
        name="haproxy-compares-host-with-port",
        cause="host-header-shape",
        why="A rule compares Host with the bare name, and clients on this port send `name:port`: all get 421.",
        targets={PEARS: ("edge",)},
        broken=(PEARS,),
        alike=("no-route-for-host",),
        certificates=PAIR,
        servers=(
            haproxy(
                haproxy_edge(f"http-request deny deny_status 421 if !{{ hdr(host) -i {PEARS} }}\n    {HAPROXY_PAGES}")
            ),
        ),
        shows=(own(PEARS, 421, "non-authoritative"),),
        fixed={"servers": (haproxy(haproxy_edge(HAPROXY_PAGES)),), "shows": works(PEARS)},
    ),
)


HEALTHY_ONES = (
    Scenario(
        name="healthy-http1-only",
        cause=HEALTHY,
        why="Apache without HTTP/2, two names with a certificate each.",
        targets=BOTH_AT_THE_EDGE,
        certificates=SEPARATE,
        servers=(
            apache(
                apache_site(PEARS, "Protocols http/1.1", certificate="pears"),
                apache_site(PLUMS, "Protocols http/1.1", certificate="plums"),
                settings="Protocols http/1.1",
            ),
        ),
        shows=works(*BOTH),
    ),
    Scenario(
        name="healthy-client-certificates-apart",
        cause=HEALTHY,
        why="plums asks for client certificates and has a certificate of its own: no browser shares its connection.",
        targets=BOTH_AT_THE_EDGE,
        certificates=SEPARATE,
        servers=(
            nginx(
                nginx_default(404, certificate="pears"),
                nginx_site(PEARS, certificate="pears"),
                nginx_site(
                    PLUMS,
                    f"ssl_client_certificate @ca; ssl_verify_client optional; root @pages/{PLUMS};",
                    certificate="plums",
                ),
            ),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421)),
    ),
    Scenario(
        name="healthy-caddy-strict",
        cause=HEALTHY,
        why="Caddy demands SNI = Host, and its certificates invite nobody to share a connection.",
        targets=BOTH_AT_THE_EDGE,
        certificates=SEPARATE,
        servers=(
            caddy(
                caddy_site(PEARS, tls="@pears @pears"),
                caddy_site(PLUMS, tls="@plums @plums"),
                servers="protocols h1 h2\nstrict_sni_host on",
            ),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421)),
    ),
    Scenario(
        name="healthy-default-404",
        cause=HEALTHY,
        why="Both names are served on one certificate; the default server's 404 is for names of nobody.",
        targets=BOTH_AT_THE_EDGE,
        certificates=WILDCARD,
        servers=(nginx(nginx_default(404), *(nginx_site(name) for name in BOTH)),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS), own(UNKNOWN, 404)),
    ),
)

SCENARIOS = (*MISSING, *HEALTHY_ONES)
