"""Names with several addresses, with none, and with alternative services."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Leaf, Scenario, Server
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    CHERRIES,
    PAIR,
    PEARS,
    PEARS_AT_THE_EDGE,
    PLUMS,
    SEPARATE,
    WILDCARD,
    apache,
    apache_site,
    caddy,
    caddy_site,
    nginx,
    nginx_default,
    nginx_site,
    odd,
    own,
    reused,
    works,
)

TWO_ADDRESSES = {PEARS: ("edge", "edge2")}
IMPATIENT = {"timeout": "1s"}
OTHER = Leaf((CHERRIES,))


def shop(at: str, *names: str) -> Server:
    """nginx that serves these names and says 421 to others."""
    return nginx(nginx_default(421, at=at), *(nginx_site(name, at=at) for name in names), at=at)


def advertising(service: str) -> Server:
    return apache(apache_site(PEARS, f"Header always set Alt-Svc '{service}; ma=86400'"), modules=("headers",))


ADVERTISED = 'h3=":@beside_port"'
SOMEBODY_ELSE = caddy(
    caddy_site("*.orchard.test", "respond 404", at="beside"), at="beside", servers="protocols h1 h2 h3"
)


def claiming(*names: str) -> Server:
    """Node.js, whose ORIGIN frame has these names, serves pears and says 421 to others."""
    origins = ", ".join(f'"https://{name}:@edge_port"' for name in names)
    program = """
const http2 = require("node:http2");
const pem = require("node:fs").readFileSync("@site");
const settings = { key: pem, cert: pem, allowHTTP1: true, origins: [%s] };
const server = http2.createSecureServer(settings, (request, response) => {
  const host = (request.headers[":authority"] ?? request.headers.host).split(":")[0];
  response.writeHead(host === "%s" ? 200 : 421, { "content-type": "text/html" });
  response.end(`<title>${host}</title>${response.statusCode === 200 ? "Welcome to" : "Not here:"} ${host}`);
});
server.listen(@edge_port, "@edge_address");
"""
    return Server("node", program % (origins, PEARS))


SCENARIOS = (
    Scenario(
        name="old-server-in-dns",
        cause="address-serves-other-hosts",
        why="The second address is an old server, which has the wildcard certificate and not the site.",
        targets=TWO_ADDRESSES,
        broken=(PEARS,),
        certificates=WILDCARD,
        servers=(apache(apache_site(PEARS)), nginx(nginx_default(404, at="edge2"), at="edge2")),
        shows=(*works(PEARS), own(PEARS, 404, at="edge2")),
        fixed={"targets": PEARS_AT_THE_EDGE, "servers": (apache(apache_site(PEARS)),), "shows": works(PEARS)},
    ),
    Scenario(
        name="other-customer-in-dns",
        cause="address-serves-other-hosts",
        why="The second address went to another customer, whose site comes with 200 and another certificate.",
        targets=TWO_ADDRESSES,
        broken=(PEARS,),
        alike=("cert-name-mismatch",),
        certificates=ALONE | {"other": OTHER},
        servers=(
            nginx(nginx_site(PEARS)),
            nginx(nginx_site(CHERRIES, "root @pages/nobody;", certificate="other", at="edge2"), at="edge2"),
        ),
        shows=(*works(PEARS), own(PEARS, 200, "nobody", at="edge2")),
    ),
    Scenario(
        name="one-of-three-silent",
        cause="address-unreachable",
        why="At one of three addresses connections are taken and nobody ever says anything.",
        targets={PEARS: ("edge", "edge2", "edge3")},
        broken=(PEARS,),
        alike=("tls-handshake-timeout",),
        certificates=ALONE,
        servers=(
            nginx(nginx_site(PEARS)),
            nginx(nginx_site(PEARS, at="edge3"), at="edge3"),
            odd("ignores-hello", "edge2", certificate=""),
        ),
        every=IMPATIENT,
        shows=(*works(PEARS), own(PEARS, "timeout", at="edge2"), own(PEARS, 200, PEARS, at="edge3")),
        fixed={
            "targets": {PEARS: ("edge", "edge3", "edge2")},
            "servers": tuple(nginx(nginx_site(PEARS, at=at), at=at) for at in ("edge", "edge2", "edge3")),
            "shows": works(PEARS),
        },
    ),
    Scenario(
        name="one-of-two-refuses",
        cause="address-unreachable",
        why="Caddy runs at one address; at the other, nothing does.",
        targets={PEARS: ("edge", "edge2"), PLUMS: ("edge",)},
        broken=(PEARS,),
        alike=("connection-refused",),
        certificates=SEPARATE,
        servers=(
            caddy(caddy_site(PEARS, tls="@pears @pears"), caddy_site(PLUMS, tls="@plums @plums")),
            Server("nobody", "", "edge2"),
        ),
        shows=(*works(*BOTH), own(PEARS, "refused", at="edge2")),
    ),
    Scenario(
        name="address-sets-overlap",
        cause="address-sets-overlap",
        why="pears and plums share one of their addresses; at the others each is alone, and the neighbour gets 421.",
        targets={PEARS: ("edge", "edge2"), PLUMS: ("edge2", "edge3")},
        broken=BOTH,
        certificates=PAIR,
        servers=(shop("edge", PEARS), shop("edge2", *BOTH), shop("edge3", PLUMS)),
        shows=(*works(PEARS), own(PLUMS, 200, PLUMS, at="edge3"), reused(PEARS, PLUMS, 421)),
        fixed={
            "targets": {PEARS: ("edge", "edge2"), PLUMS: ("edge2", "edge")},
            "servers": (shop("edge", *BOTH), shop("edge2", *BOTH)),
            "shows": (*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
        },
    ),
    Scenario(
        name="node-claims-neighbour",
        cause="origin-frame-too-wide",
        why="The ORIGIN frame of pears' server has plums too, which lives at another address and gets 421 here.",
        targets={PEARS: ("edge",), PLUMS: ("edge2",)},
        broken=(PLUMS,),
        certificates=PAIR,
        servers=(claiming(PEARS, PLUMS), shop("edge2", PLUMS)),
        shows=(*works(PEARS), own(PLUMS, 200, PLUMS, at="edge2"), reused(PEARS, PLUMS, 421)),
        fixed={"servers": (claiming(PEARS), shop("edge2", PLUMS))},
    ),
    Scenario(
        name="advertised-and-dead",
        cause="alt-svc-dead",
        why="Apache advertises HTTP/3 on a port where nothing listens.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        places=("beside",),
        servers=(advertising(ADVERTISED),),
        shows=works(PEARS),
        fixed={"servers": (apache(apache_site(PEARS)),)},
    ),
    Scenario(
        name="advertised-elsewhere",
        cause="alt-svc-wrong-server",
        why="The advertised port belongs to Caddy, which has the certificate and answers 404 to the name.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=WILDCARD,
        places=("beside",),
        servers=(SOMEBODY_ELSE, advertising(ADVERTISED)),
        shows=(*works(PEARS), own(PEARS, 404, at="beside")),
    ),
    Scenario(
        name="name-without-address",
        cause="dns-failure",
        why="plums has no address in DNS; its neighbour has one.",
        targets={PEARS: ("edge",), "plums.invalid": ()},
        broken=("plums.invalid",),
        certificates=ALONE,
        servers=(nginx(nginx_site(PEARS)),),
        shows=works(PEARS),
    ),
    Scenario(
        name="healthy-two-makes",
        cause=HEALTHY,
        why="nginx at one address and Apache at the other serve the same page with certificates of their own.",
        targets=TWO_ADDRESSES,
        certificates=ALONE | {"renewed": Leaf((PEARS,))},
        servers=(
            apache(apache_site(PEARS)),
            nginx(nginx_site(PEARS, certificate="renewed", at="edge2"), at="edge2"),
        ),
        shows=(*works(PEARS), own(PEARS, 200, PEARS, at="edge2")),
    ),
    Scenario(
        name="healthy-two-addresses-apart",
        cause=HEALTHY,
        why="Two names on one wildcard certificate, each at an address of its own: no browser mixes them.",
        targets={PEARS: ("edge",), PLUMS: ("edge2",)},
        certificates=WILDCARD,
        servers=(caddy(caddy_site(PEARS)), shop("edge2", PLUMS)),
        shows=(*works(PEARS), own(PLUMS, 200, PLUMS, at="edge2"), own(PEARS, 421, at="edge2")),
    ),
)
