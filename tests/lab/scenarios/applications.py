"""What applications and policies answer, each for its own reason."""

from __future__ import annotations

from dataclasses import replace

from tests.lab.scenario import HEALTHY, Cell, Scenario, Server
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
from tests.lab.scenarios.proxies import django
from tests.lab.scenarios.upstreams import CADDY_TO_ORIGIN, behind, haproxy_to

FLASK = """
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
app.config["TRUSTED_HOSTS"] = None

@@app.get("/")
def page():
    return f"<title>well</title><p>Welcome to {request.host}"

"""
TENANTS = """
@@app.get("/fails")
def fails():
    return {}["key"]

@@app.post("/orders")
def order():
    return "ordered"

@@app.get("/book")
def book():
    link = '<https://court.test>; rel="blocked-by"'
    return "<title>Unavailable</title>removed after a court order", 451, {"Link": link}

@@app.get("/account")
def account():
    return jsonify(error="log in"), 401, {"WWW-Authenticate": 'Bearer realm="orchard"'}
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": STATUS, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'BODY'})
"""
TLS_OF_UVICORN = ("--ssl-certfile", "@site", "--ssl-keyfile", "@site")


def flask(*hosts: str, at: str = "origin") -> Server:
    """All pages of the application; with `hosts`, it trusts these alone."""
    text = FLASK.replace("None", f"{list(hosts)}") if hosts else FLASK
    return Server("gunicorn", text + TENANTS, at)


def uvicorn(status: int, body: str, *options: str, at: str = "edge") -> Server:
    tls = TLS_OF_UVICORN if at == "edge" else ()
    return Server("uvicorn", ASGI.replace("STATUS", str(status)).replace("BODY", body), at, (*tls, *options))


def page_of(
    name: str, cause: str, why: str, path: str, *servers: Server, seen: int, says: str = "", **more: object
) -> Scenario:
    """One path of one name has the cause; the same servers show something good at `/`."""
    return Scenario(
        name=name,
        cause=cause,
        why=why,
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=servers,
        every={"path": path},
        shows=(own(PEARS, seen, says, path=path), own(PEARS, 200)),
        **more,  # type: ignore[arg-type]
    )


def edge_for_both(settings: str = "") -> Server:
    edge = haproxy_edge(f"{settings}\n    default_backend origin")
    return haproxy(edge + haproxy_backend("origin", "@origin"))


NGINX_TO_ORIGIN = nginx(
    *(nginx_site(name, "location / { proxy_pass http://@origin; proxy_set_header Host $http_host; }") for name in BOTH)
)
WELL_AT_HOME = (own(PEARS, 200, "Welcome"),)

HOSTS = (
    Scenario(
        name="django-disallows-host",
        cause="application-rejects-host",
        why="ALLOWED_HOSTS lacks plums.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=PAIR,
        servers=(django(PEARS), NGINX_TO_ORIGIN),
        shows=(own(PEARS, 200, "Welcome"), own(PLUMS, 400, "Bad Request (400)")),
        fixed={"servers": (django(*BOTH), NGINX_TO_ORIGIN), "shows": (own(PEARS, 200), own(PLUMS, 200))},
    ),
    Scenario(
        name="flask-distrusts-host",
        cause="application-rejects-host",
        why="TRUSTED_HOSTS lacks plums.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=WILDCARD,
        servers=(flask(PEARS), edge_for_both()),
        shows=(own(PEARS, 200, "Welcome"), own(PLUMS, 400, "Bad Request")),
        fixed={"servers": (flask(*BOTH), edge_for_both()), "shows": (own(PEARS, 200), own(PLUMS, 200))},
    ),
    Scenario(
        name="uvicorn-says-421",
        cause="application-answers-421",
        why="The application itself says 421, as interfaces do whose accounts live elsewhere.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(uvicorn(421, '{"error": "account lives in another region"}'),),
        shows=(own(PEARS, 421, "another region"),),
    ),
    Scenario(
        name="haproxy-and-application-say-421",
        cause="application-answers-421",
        why="Behind HAProxy the application answers 421 with a page of its own to plums.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        alike=("application-rejects-host",),
        certificates=PAIR,
        servers=(
            Server(
                "gunicorn",
                FLASK.replace(
                    '    return f"',
                    f'    if "{PLUMS}" in request.host:\n        return "no such tenant", 421\n    return f"',
                ),
                "origin",
            ),
            edge_for_both(),
        ),
        shows=(own(PEARS, 200, "Welcome"), own(PLUMS, 421, "no such tenant")),
    ),
    Scenario(
        name="healthy-tenants",
        cause=HEALTHY,
        why="One application for many tenants: it serves every Host alike, on anybody's connection.",
        targets=BOTH_AT_THE_EDGE,
        certificates=WILDCARD,
        servers=(flask(), edge_for_both()),
        shows=(own(PEARS, 200, PEARS), own(PLUMS, 200, PLUMS), own(UNKNOWN, 200)),
    ),
    Scenario(
        name="healthy-uvicorn",
        cause=HEALTHY,
        why="An application server with TLS of its own, without HTTP/2.",
        targets=PEARS_AT_THE_EDGE,
        certificates=ALONE,
        servers=(uvicorn(200, '{"status": "well"}'),),
        shows=(own(PEARS, 200, "well"),),
    ),
    Scenario(
        name="healthy-expected-401",
        cause=HEALTHY,
        why="The interface wants credentials, which the configuration expects.",
        targets=PEARS_AT_THE_EDGE,
        certificates=ALONE,
        servers=(flask(), haproxy_to()),
        settings={PEARS: {"path": "/account", "expect": {"status": [401]}}},
        shows=(own(PEARS, 401, "log in", path="/account"),),
    ),
)

PHP_POOL = """
[global]
error_log = @folder/fpm.log
daemonize = no
[orchard]
listen = @origin
user = nobody
pm = static
pm.max_children = 1
php_admin_flag[display_errors] = off
"""
PHP = """
DocumentRoot @folder/site
<FilesMatch \\.php$>
    SetHandler proxy:fcgi://@origin
</FilesMatch>
DirectoryIndex index.php
"""
PHP_FPM = Server("php-fpm", PHP_POOL, "origin")


def apache_with_php(script: str) -> Server:
    server = apache(apache_site(PEARS, PHP), modules=("proxy", "proxy_fcgi"))
    return replace(server, files={"site/index.php": script})


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

REFUSALS = (
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
        why="A RewriteRule of one virtual host says 421 to everything; its neighbour is well.",
        targets=BOTH_AT_THE_EDGE,
        broken=(PLUMS,),
        certificates=PAIR,
        servers=(
            apache(
                apache_site(PEARS),
                apache_site(PLUMS, "RewriteEngine On\nRewriteRule ^ - [R=421,L]"),
                modules=("rewrite",),
            ),
        ),
        shows=(*works(PEARS), own(PLUMS, 421)),
        fixed={"servers": (apache(*(apache_site(name) for name in BOTH)),), "shows": works(*BOTH)},
    ),
    Scenario(
        name="php-fails",
        cause="application-error",
        why="A PHP script calls what does not exist, and shows nothing of it.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(PHP_FPM, apache_with_php("<?php no_such_function();")),
        shows=(own(PEARS, 500),),
        fixed={
            "servers": (PHP_FPM, apache_with_php("<?php echo '<title>well</title>';")),
            "shows": (own(PEARS, 200, "well"),),
        },
    ),
    page_of(
        "flask-fails",
        "application-error",
        "An exception that nobody catches.",
        "/fails",
        flask(),
        CADDY_TO_ORIGIN,
        seen=500,
        says="Internal Server Error",
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

SCENARIOS = (*HOSTS, *REFUSALS, *REQUESTS, *REDIRECTS, *PEOPLE_WITH_CERTIFICATES)
