"""What goes wrong before there is a status: TCP, TLS, certificates, and what is no HTTP."""

from __future__ import annotations

from tests.lab.scenario import Cell, Leaf, Scenario, Server
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    BOTH_AT_THE_EDGE,
    PEARS,
    PEARS_AT_THE_EDGE,
    PLUMS,
    apache,
    apache_site,
    caddy,
    caddy_site,
    haproxy,
    haproxy_edge,
    nginx,
    nginx_site,
    odd,
    own,
    works,
)
from tests.lab.scenarios.virtual_hosts import HAPROXY_PAGES
from tests.real.authority import NEXT_YEAR, PAST, TOMORROW, YESTERDAY

DEEP = "sour.cherries.orchard.test"
IMPATIENT = {"timeout": "1s"}


def alone(
    name: str, cause: str, why: str, *servers: Server, seen: int | str, says: str = "", **more: object
) -> Scenario:
    """One name that has this cause whenever it is asked."""
    return Scenario(
        name=name,
        cause=cause,
        why=why,
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=servers,
        shows=(own(PEARS, seen, says),),
        **more,  # type: ignore[arg-type]
    )


def old_tls(settings: str) -> Server:
    site = nginx_site(PEARS, f"ssl_protocols {settings}; root @pages/{PEARS};")
    return nginx(site)


BEFORE_TLS = (
    alone("nobody-listens", "connection-refused", "Nothing listens.", Server("nobody", "", "edge"), seen="refused"),
    alone(
        "nobody-takes-connections",
        "connection-timeout",
        "The server is stuck, and the kernel drops whoever wants to connect.",
        Server("deaf", ""),
        seen="timeout",
        every=IMPATIENT,
    ),
    Scenario(
        name="nobody-takes-connections-of-two",
        cause="connection-timeout",
        why="One stuck server has both names; it is not the prober's network.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        servers=(Server("deaf", ""),),
        every=IMPATIENT,
        shows=(own(PEARS, "timeout"),),
    ),
    alone(
        "hello-is-reset",
        "connection-reset-on-hello",
        "A filter on the way resets every connection that says hello.",
        odd("resets-hello", certificate=""),
        seen="handshake failed",
    ),
    alone(
        "hello-is-ignored",
        "tls-handshake-timeout",
        "Connections are taken, and the handshake is never answered.",
        odd("ignores-hello", certificate=""),
        seen="timeout",
        every=IMPATIENT,
    ),
    alone(
        "apache-without-tls",
        "port-speaks-plain-http",
        "Apache listens on the port, without SSLEngine.",
        apache(apache_site(PEARS, certificate="")),
        seen="handshake failed",
        fixed={"servers": (apache(apache_site(PEARS)),), "shows": works(PEARS)},
    ),
    alone(
        "only-old-tls",
        "tls-handshake-failed",
        "The server speaks TLS 1.1 and nothing newer.",
        old_tls("TLSv1.1; ssl_ciphers ALL:@@SECLEVEL=0"),
        seen="handshake failed",
        fixed={"servers": (old_tls("TLSv1.2"),), "shows": works(PEARS)},
    ),
    alone(
        "only-an-odd-cipher",
        "tls-handshake-failed",
        "The server allows one cipher of TLS 1.2 that no client of today offers.",
        old_tls("TLSv1.2; ssl_ciphers NULL-SHA256:@@SECLEVEL=0"),
        seen="handshake failed",
    ),
)

UNTRUSTED = (
    Scenario(
        name="caddy-with-own-authority",
        cause="cert-untrusted",
        why="An authority that nobody outside knows has signed the certificate.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates={"site": Leaf((PEARS,), is_trusted=False)},
        servers=(caddy(caddy_site(PEARS)),),
        shows=(Cell(PEARS, PEARS, "not trusted", verifies=True), *works(PEARS)),
        fixed={"certificates": ALONE, "shows": (Cell(PEARS, PEARS, 200, verifies=True),)},
    ),
    Scenario(
        name="apache-certificate-of-tomorrow",
        cause="cert-not-yet-valid",
        why="The new certificate was put in place a day too early.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates={"site": Leaf((PEARS,), not_before=TOMORROW)},
        servers=(apache(apache_site(PEARS)),),
        shows=(Cell(PEARS, PEARS, "not trusted", verifies=True), *works(PEARS)),
        fixed={"certificates": ALONE, "shows": (Cell(PEARS, PEARS, 200, verifies=True),)},
    ),
    Scenario(
        name="haproxy-expired-for-one",
        cause="cert-expired",
        why="Of two certificates one was forgotten when they were renewed.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates={"pears": Leaf((PEARS,)), "plums": Leaf((PLUMS,), not_before=PAST, not_after=YESTERDAY)},
        servers=(haproxy(haproxy_edge(HAPROXY_PAGES, "crt @pears crt @plums alpn h2,http/1.1")),),
        shows=(Cell(PEARS, PEARS, 200, verifies=True), Cell(PLUMS, PLUMS, "not trusted", verifies=True)),
        fixed={
            "certificates": {"pears": Leaf((PEARS,)), "plums": Leaf((PLUMS,), not_after=NEXT_YEAR)},
            "shows": (Cell(PEARS, PEARS, 200, verifies=True), Cell(PLUMS, PLUMS, 200, verifies=True)),
        },
    ),
    Scenario(
        name="nginx-expired-for-both",
        cause="cert-expired",
        why="The certificate that both names share has expired.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates={"site": Leaf(("*.orchard.test",), not_after=YESTERDAY)},
        servers=(nginx(*(nginx_site(name) for name in BOTH)),),
        shows=(*(Cell(name, name, "not trusted", verifies=True) for name in BOTH), *works(*BOTH)),
    ),
    Scenario(
        name="certificate-one-label-short",
        cause="cert-name-mismatch",
        why="A wildcard stands for one label, and the name has two.",
        targets={PEARS: ("edge",), DEEP: ("edge",)},
        broken=(DEEP,),
        certificates={"site": Leaf(("*.orchard.test",))},
        servers=(apache(apache_site(PEARS), apache_site(DEEP)),),
        shows=(Cell(PEARS, PEARS, 200, verifies=True), Cell(DEEP, DEEP, "not trusted", verifies=True), *works(DEEP)),
    ),
    Scenario(
        name="haproxy-certificate-of-another",
        cause="cert-name-mismatch",
        why="HAProxy has no certificate for plums and shows that of pears, behind which plums is served.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=ALONE,
        servers=(haproxy(haproxy_edge(HAPROXY_PAGES)),),
        shows=(Cell(PEARS, PEARS, 200, verifies=True), Cell(PLUMS, PLUMS, "not trusted", verifies=True), *works(*BOTH)),
    ),
)

AFTER_THE_REQUEST = (
    alone(
        "closes-after-request",
        "closed-without-answer",
        "The server reads the request and closes.",
        odd("closes"),
        seen="closed without answer",
    ),
    alone(
        "resets-after-request",
        "connection-reset",
        "The server reads the request and resets the connection.",
        odd("resets"),
        seen="broken off",
    ),
    alone("babbles-after-request", "not-http", "A mail server has the port.", odd("babbles"), seen="not HTTP"),
    alone(
        "boasts-after-request",
        "response-headers-too-big",
        "A megabyte of fields before the body.",
        odd("boasts"),
        seen="broken off",
    ),
    alone(
        "never-answers",
        "response-timeout",
        "The request is taken, and nothing comes.",
        odd("never"),
        seen="timeout",
        every=IMPATIENT,
        fixed={"servers": (odd("late"),), "shows": (own(PEARS, 200, "well"),)},
    ),
    alone(
        "drips-header",
        "response-too-slow",
        "The head of the response comes one octet at a time.",
        odd("drips"),
        seen="timeout",
        alike=("response-timeout",),
        every=IMPATIENT,
    ),
    alone(
        "cuts-body",
        "body-truncated",
        "The body ends long before its announced length.",
        odd("cuts"),
        seen="cut off",
        says="This story",
    ),
    alone(
        "body-goes-on",
        "body-never-ends",
        "The body has no end.",
        odd("goes-on"),
        seen="timeout",
        says="and so on",
        alike=("response-too-slow",),
        every=IMPATIENT,
    ),
)

SESSIONS = (
    alone(
        "sessions-without-a-name",
        "tls-resumption-across-names",
        "A program that embeds OpenSSL asks for client certificates and never named its sessions: none is resumed.",
        Server("nameless-sessions", "", options=("@site",)),
        seen=200,
        says="well",
        fixed={"servers": (Server("nameless-sessions", "orchard", options=("@site",)),)},
    ),
)
SCENARIOS = (*BEFORE_TLS, *UNTRUSTED, *SESSIONS, *AFTER_THE_REQUEST)
