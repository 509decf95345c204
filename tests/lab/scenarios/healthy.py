"""Servers that are well and may look as if they were not."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Cell, Scenario, Server
from tests.lab.scenarios.applications import FLASK, edge_for_both
from tests.lab.scenarios.parts import (
    BOTH,
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
    haproxy_backend,
    haproxy_edge,
    nginx,
    nginx_default,
    nginx_site,
    odd,
    own,
    reused,
    works,
)

RESTLESS = """
import secrets
from flask import Flask, request

app = Flask(__name__)

@@app.get("/")
def page():
    name = request.host.split(":")[0]
    news = "".join(f"<li>{secrets.token_hex(8)}" for _ in range(secrets.randbelow(40)))
    return f"<title>{name}, {secrets.randbelow(99)} visitors</title>{news}", 200, {"ETag": secrets.token_hex(8)}
"""
GENEROUS = """
    stick-table type ip size 1k expire 10s store http_req_rate(10s)
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 60 }
    default_backend origin
"""


def well(name: str, why: str, *servers: Server, shows: tuple[Cell, ...], **more: object) -> Scenario:
    targets = {name: ("edge",) for name in BOTH if any(cell.host == name for cell in shows)}
    return Scenario(
        name=name,
        cause=HEALTHY,
        why=why,
        servers=servers,
        shows=shows,
        **{"targets": targets, "certificates": WILDCARD, **more},  # type: ignore[arg-type]
    )


SCENARIOS = (
    well(
        "healthy-alias",
        "plums is another name of the same site, and strangers get 404.",
        nginx(nginx_default(404), nginx_site(f"{PEARS} {PLUMS}", f"root @pages/{PEARS};")),
        shows=(own(PEARS, 200, PEARS), own(PLUMS, 200, PEARS), own(UNKNOWN, 404), reused(PEARS, PLUMS, 200, PEARS)),
    ),
    well(
        "healthy-restless-pages",
        "Two tenants of one application, whose pages are never the same twice.",
        Server("gunicorn", RESTLESS, "origin"),
        edge_for_both(),
        shows=(own(PEARS, 200, PEARS), own(PLUMS, 200, PLUMS), reused(PEARS, PLUMS, 200, PLUMS)),
    ),
    well(
        "healthy-closes-each-time",
        "An old server without HTTP/2, which closes after every answer.",
        odd("well"),
        shows=(own(PEARS, 200, "well"),),
    ),
    well(
        "healthy-http2-only",
        "nghttpd speaks HTTP/2 alone, and the configuration says so.",
        Server("nghttpd", f"--address=@edge_address --htdocs=@pages/{PEARS} @edge_port @site @site"),
        every={"protocols": ["h2"]},
        shows=(reused(PEARS, PEARS, 200, PEARS),),
    ),
    well(
        "healthy-no-content",
        "An interface that has nothing to say, and says so.",
        caddy(caddy_site(PEARS, "respond 204")),
        shows=(own(PEARS, 204),),
    ),
    well(
        "healthy-generous-limit",
        "A limit of sixty requests in ten seconds, which a monitor must not reach.",
        odd("well", "origin", certificate=""),
        haproxy(haproxy_edge(GENEROUS) + haproxy_backend("origin", "@origin")),
        shows=(own(PEARS, 200, "well"),),
    ),
    well(
        "healthy-withdraws-alternatives",
        "Apache says that it has no alternative services any more.",
        apache(apache_site(PEARS, "Header always set Alt-Svc clear"), modules=("headers",)),
        shows=works(PEARS),
    ),
    well(
        "healthy-apex-redirects-permanently",
        "plums sends everybody to pears, under certificates of their own.",
        caddy(
            caddy_site(PEARS, tls="@pears @pears"),
            caddy_site(PLUMS, f"redir https://{PEARS}:@edge_port{{uri}} permanent", tls="@plums @plums"),
        ),
        certificates=SEPARATE,
        shows=(*works(PEARS), own(PLUMS, 301), Cell(PLUMS, PLUMS, 200, PEARS, follows=True)),
    ),
    well(
        "healthy-application-fails-elsewhere",
        "One page of the application is broken; nobody monitors that one.",
        Server("gunicorn", f"{FLASK}\n@@app.get('/fails')\ndef fails():\n    return {{}}['key']\n", "origin"),
        edge_for_both(),
        shows=(own(PEARS, 200), own(PEARS, 500, path="/fails")),
    ),
    well(
        "healthy-h2o",
        "h2o serves both names by Host, whatever SNI says.",
        Server(
            "h2o",
            "num-threads: 1\nhosts:\n"
            + "".join(
                f'  "{name}:@edge_port":\n'
                "    listen: {host: @edge_address, port: @edge_port,"
                " ssl: {certificate-file: @site, key-file: @site}}\n"
                f"    paths: {{/: {{file.dir: @pages/{name}}}}}\n"
                for name in BOTH
            ),
        ),
        certificates=PAIR,
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
    ),
)
