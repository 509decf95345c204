"""Names that one certificate covers, and that their server will not serve on one connection."""

from __future__ import annotations

from tests.lab.scenario import Leaf, Scenario
from tests.lab.scenarios.parts import (
    BOTH,
    BOTH_AT_THE_EDGE,
    CHERRIES,
    PAIR,
    PEARS,
    PLUMS,
    SEPARATE,
    WILDCARD,
    apache,
    apache_site,
    caddy,
    caddy_site,
    haproxy,
    haproxy_edge,
    nginx,
    nginx_site,
    reused,
    works,
)
from tests.lab.scenarios.virtual_hosts import HAPROXY_PAGES

SSL_TWELVE = "SSLProtocol -all +TLSv1.2"
ASKS = "@site @site {\n client_auth {\n mode verify_if_given\n trusted_ca_cert_file @ca\n }\n }"
H1_ONLY = f"http-request return status 421 if {{ fc_http_major 2 }} {{ hdr(host),field(1,:) -i {PLUMS} }}\n    "

SCENARIOS = (
    Scenario(
        name="nginx-compares-names",
        cause="sni-policy-forbids-connection-reuse",
        why="A rule in nginx demands SNI = Host, while the certificate invites browsers to share connections.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=PAIR,
        servers=(
            nginx(
                *(
                    nginx_site(name, f"if ($ssl_server_name != $host) {{ return 421; }} root @pages/{name};")
                    for name in BOTH
                )
            ),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={
            "servers": (nginx(*(nginx_site(name) for name in BOTH)),),
            "shows": (*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
        },
    ),
    Scenario(
        name="apache-strict-policy",
        cause="sni-policy-forbids-connection-reuse",
        why="SSLVHostSNIPolicy strict refuses every other name, also one with the same certificate and settings.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("vhost-tls-params-differ",),
        certificates=WILDCARD,
        servers=(apache(*(apache_site(name) for name in BOTH), settings="SSLVHostSNIPolicy strict"),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={
            "servers": (apache(*(apache_site(name) for name in BOTH)),),
            "shows": (*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
        },
    ),
    Scenario(
        name="apache-tls-versions-differ",
        cause="vhost-tls-params-differ",
        why="plums has TLS 1.2 alone, its neighbour has more: Apache refuses one on the other's connection.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("sni-policy-forbids-connection-reuse",),
        certificates=WILDCARD,
        servers=(apache(apache_site(PEARS), apache_site(PLUMS, SSL_TWELVE)),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={
            "servers": (apache(apache_site(PEARS, SSL_TWELVE), apache_site(PLUMS, SSL_TWELVE)),),
            "shows": (*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
        },
    ),
    Scenario(
        name="apache-certificates-overlap",
        cause="vhost-certs-overlap",
        why="Each name has a certificate of its own, and each certificate also names the neighbour.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates={"pears": Leaf((PEARS, PLUMS)), "plums": Leaf((PLUMS, PEARS))},
        servers=(apache(apache_site(PEARS, certificate="pears"), apache_site(PLUMS, certificate="plums")),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={"certificates": SEPARATE},
    ),
    Scenario(
        name="caddy-one-site-asks",
        cause="vhost-client-cert-differs",
        why="plums asks for a client certificate; Caddy then demands SNI = Host of all its sites.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("sni-policy-forbids-connection-reuse",),
        certificates=WILDCARD | SEPARATE,
        servers=(caddy(caddy_site(PEARS), caddy_site(PLUMS, tls=ASKS)),),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 421), reused(PLUMS, PEARS, 421)),
        fixed={
            "servers": (
                caddy(caddy_site(PEARS, tls="@pears @pears"), caddy_site(PLUMS, tls=ASKS.replace("@site", "@plums"))),
            )
        },
    ),
    Scenario(
        name="nginx-one-site-asks",
        cause="vhost-client-cert-differs",
        why="cherries checks client certificates where there are some; only towards it does nginx refuse.",
        targets=dict.fromkeys((PEARS, PLUMS, CHERRIES), ("edge",)),
        broken=(CHERRIES,),
        certificates=WILDCARD,
        servers=(
            nginx(
                *(nginx_site(name) for name in BOTH),
                nginx_site(
                    CHERRIES, f"ssl_client_certificate @ca; ssl_verify_client optional_no_ca; root @pages/{CHERRIES};"
                ),
            ),
        ),
        shows=(*works(PEARS, PLUMS, CHERRIES), reused(PEARS, CHERRIES, 421), reused(CHERRIES, PEARS, 200, PEARS)),
    ),
    Scenario(
        name="haproxy-http2-off-for-one",
        cause="http-version-disabled-for-host",
        why="The listener offers HTTP/2, and a rule refuses it for plums alone.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=WILDCARD,
        servers=(haproxy(haproxy_edge(H1_ONLY + HAPROXY_PAGES)),),
        shows=(*works(*BOTH), reused(PLUMS, PLUMS, 421), reused(PEARS, PLUMS, 421), reused(PEARS, PEARS, 200)),
        fixed={
            "servers": (haproxy(haproxy_edge(HAPROXY_PAGES)),),
            "shows": (*works(*BOTH), reused(PLUMS, PLUMS, 200, PLUMS)),
        },
    ),
)
