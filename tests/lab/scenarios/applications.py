"""What applications answer for reasons of their own."""

from __future__ import annotations

from dataclasses import replace

from tests.lab.scenario import HEALTHY, Scenario, Server
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
    haproxy,
    haproxy_backend,
    haproxy_edge,
    nginx,
    nginx_site,
    own,
)
from tests.lab.scenarios.proxied_requests import django
from tests.lab.scenarios.upstreams import CADDY_TO_ORIGIN, haproxy_to

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


FAILURES = (
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
)

SCENARIOS = (*HOSTS, *FAILURES)
