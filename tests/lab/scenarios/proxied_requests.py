"""Reverse proxies that ask their origin for the wrong thing, or in the wrong way."""

from __future__ import annotations

from tests.lab.scenario import HEALTHY, Scenario, Server
from tests.lab.scenarios.parts import (
    ALONE,
    BOTH,
    BOTH_AT_THE_EDGE,
    PEARS,
    PEARS_AT_THE_EDGE,
    PLUMS,
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
    nginx_site,
    own,
    reused,
    works,
)
from tests.lab.scenarios.proxies import CERTIFICATES, HOST_AS_SNI, ORIGIN, haproxy_to_origin

ROOT = '<Context path="" containerSciFilter="org.apache" docBase="@pages/{0}"/>'
TOMCAT_HOSTS = "".join(f'<Host name="{name}">{ROOT.format(name)}</Host>' for name in BOTH)
TOMCAT_ORIGIN = Server(
    "tomcat",
    f"""
<Connector port="@origin_port" address="@origin_address" maxThreads="4"/>
<Engine name="Catalina" defaultHost="nobody"><Host name="nobody" deployOnStartup="false"/>{TOMCAT_HOSTS}</Engine>
""",
    "origin",
)


def apache_to_tomcat(keeps_host: str) -> Server:
    passing = f"ProxyPreserveHost {keeps_host}\nProxyPass / http://@origin/"
    return apache(*(apache_site(name, passing) for name in BOTH), modules=("proxy", "proxy_http"))


DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

def page(request):
    return HttpResponse(f"<title>Welcome to {request.get_host()}</title>")

urlpatterns = [path("", page)]
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="laboratory", ALLOWED_HOSTS=ALLOWED)
app = get_wsgi_application()
"""


def django(*hosts: str, at: str = "origin") -> Server:
    return Server("gunicorn", DJANGO.replace("ALLOWED)", f"{list(hosts)})"), at)


def caddy_to_django(host: str) -> Server:
    return caddy(caddy_site(PEARS, f"reverse_proxy http://@origin {{\n header_up Host {host}\n}}"))


PLAIN_ORIGIN = apache(apache_site(PEARS, certificate="pears"), apache_site(PLUMS, certificate="plums"), at="origin")
UPGRADING = apache(
    apache_site(PEARS, certificate=""), at="origin", settings="Protocols h2c http/1.1\nProtocolsHonorOrder On"
)


def nginx_to_plain(more: str = "") -> Server:
    return nginx(nginx_site(PEARS, f"location / {{ proxy_pass http://@origin; proxy_set_header Host $host; {more} }}"))


SCENARIOS = (
    Scenario(
        name="apache-loses-host-to-tomcat",
        cause="proxy-loses-host",
        why="Without ProxyPreserveHost, Tomcat is asked for its own address, whose host has no page.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        alike=("vhost-missing",),
        certificates=WILDCARD,
        servers=(TOMCAT_ORIGIN, apache_to_tomcat("Off")),
        shows=(own(PEARS, 404, "HTTP Status 404"), own(PLUMS, 404)),
        fixed={"servers": (TOMCAT_ORIGIN, apache_to_tomcat("On")), "shows": works(*BOTH)},
    ),
    Scenario(
        name="caddy-loses-host-to-django",
        cause="proxy-loses-host",
        why="Caddy sends the origin's address as Host, which Django does not allow.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        alike=("application-rejects-host",),
        certificates=ALONE,
        servers=(django(PEARS), caddy_to_django("{upstream_hostport}")),
        shows=(own(PEARS, 400, "Bad Request (400)"),),
        fixed={"servers": (django(PEARS), caddy_to_django("{host}")), "shows": works(PEARS)},
    ),
    Scenario(
        name="haproxy-plain-to-tls",
        cause="plain-http-to-https-port",
        why="HAProxy speaks plain HTTP to the port where Apache speaks TLS.",
        targets=BOTH_AT_THE_EDGE,
        broken=BOTH,
        certificates=CERTIFICATES,
        servers=(PLAIN_ORIGIN, haproxy(haproxy_edge("default_backend origin") + haproxy_backend("origin", "@origin"))),
        shows=(own(PEARS, 400, "speaking plain HTTP"), own(PLUMS, 400)),
        fixed={"servers": (PLAIN_ORIGIN, haproxy_to_origin(HOST_AS_SNI)), "shows": works(*BOTH)},
    ),
    Scenario(
        name="nginx-passes-upgrade",
        cause="illegal-upgrade-header-in-h2",
        why="Apache offers `Upgrade: h2c`, nginx passes it on, and no response of HTTP/2 may have it.",
        targets=PEARS_AT_THE_EDGE,
        broken=(PEARS,),
        certificates=ALONE,
        servers=(UPGRADING, nginx_to_plain()),
        shows=(*works(PEARS), reused(PEARS, PEARS, "HTTP/2 stream broken")),
        fixed={
            "servers": (UPGRADING, nginx_to_plain("proxy_hide_header Upgrade;")),
            "shows": (*works(PEARS), reused(PEARS, PEARS, 200, PEARS)),
        },
    ),
    Scenario(
        name="healthy-apache-behind-haproxy",
        cause=HEALTHY,
        why="HAProxy in front of Apache over TLS, each name under its own SNI.",
        targets=BOTH_AT_THE_EDGE,
        certificates=CERTIFICATES,
        servers=(ORIGIN, haproxy_to_origin(HOST_AS_SNI)),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS), own(UNKNOWN, 200, "nobody")),
    ),
    Scenario(
        name="healthy-tomcat",
        cause=HEALTHY,
        why="Tomcat itself at the edge: two hosts under one SSLHostConfig.",
        targets=BOTH_AT_THE_EDGE,
        certificates=WILDCARD,
        servers=(
            Server(
                "tomcat",
                f"""
<Connector port="@edge_port" address="@edge_address" SSLEnabled="true" scheme="https" secure="true" maxThreads="4">
  <UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol"/>
  <SSLHostConfig><Certificate certificateFile="@site" certificateKeyFile="@site"/></SSLHostConfig>
</Connector>
<Engine name="Catalina" defaultHost="{PEARS}">{TOMCAT_HOSTS}</Engine>
""",
            ),
        ),
        shows=(*works(*BOTH), reused(PEARS, PLUMS, 200, PLUMS)),
    ),
)
