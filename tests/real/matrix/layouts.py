"""Servers with two sites, `own` and `sibling`, on one certificate and one address, each told in its own language.

Where a server has a habit in refusing names that a plain configuration does not show, a second layout shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.daemons import DAEMONS
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint

OWN, SIBLING, UNKNOWN = "own.site.test", "sibling.site.test", "unknown.site.test"

NGINX = """
ssl_certificate @certificate;
ssl_certificate_key @certificate;
server {
    listen @endpoint ssl http2;
    server_name own.site.test;
    return 200 own;
}
server {
    listen @endpoint ssl http2;
    server_name sibling.site.test;
    return 200 sibling;
}
"""
NGINX_REJECTS = """
server {
    listen @endpoint ssl http2 default_server;
    ssl_reject_handshake on;
}
"""
NGINX_VERIFIES = """
    ssl_client_certificate @ca;
    ssl_verify_client @verify;
    return 200 sibling"""
APACHE = """
Protocols h2 http/1.1
SSLCertificateFile @certificate
<VirtualHost *>
    ServerName own.site.test
    SSLEngine on
    DocumentRoot @pages/own
</VirtualHost>
<VirtualHost *>
    ServerName sibling.site.test
    SSLEngine on
    DocumentRoot @pages/sibling
    @difference
</VirtualHost>
"""
HAPROXY = """
frontend edge
    bind @endpoint ssl crt @certificate alpn h2,http/1.1 @sni_rule
    http-request set-var(txn.name) req.hdr(host),field(1,:),lower
    @host_rule
    http-request return status 200 content-type text/plain string own if { var(txn.name) -m str own.site.test }
    http-request return status 200 content-type text/plain string sibling if { var(txn.name) -m str sibling.site.test }
    http-request return status 404
"""
HAPROXY_REFUSES = "http-request deny deny_status 421 if !{ ssl_fc_sni,lower,strcmp(txn.name) eq 0 }"
CADDY = """
{
    admin off
    auto_https off
    storage file_system @folder
    servers {
        protocols h1 h2 h3
        strict_sni_host @strict
    }
}
https://own.site.test:@port {
    bind @address
    tls @certificate @certificate
    respond own
}
https://sibling.site.test:@port {
    bind @address
    tls @certificate @certificate
    respond sibling
}
"""
ENVOY_LISTENER = """
    address: {socket_address: {address: @address, port_value: @port}}
    listener_filters:
    - name: tls_inspector
      typed_config: {"@@type": @types.filters.listener.tls_inspector.v3.TlsInspector}
    filter_chains:
"""
ENVOY_CHAIN = """
    - filter_chain_match: {server_names: [<site>.site.test]}
      transport_socket:
        name: tls
        typed_config:
          "@@type": @types.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates: [{certificate_chain: {filename: @certificate}, private_key: {filename: @certificate}}]
      filters:
      - name: http
        typed_config:
          "@@type": @types.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          strip_any_host_port: true
          http_filters:
          - name: router
            typed_config: {"@@type": @types.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: <site>
              domains: [<hosts>]
              routes:
              - {match: {prefix: /}, direct_response: {status: 200, body: {inline_string: <title><site></title>}}}
"""
H2O = """
num-threads: 1
hosts:
  "own.site.test:@port": &site
    listen: {host: @address, port: @port, ssl: {certificate-file: @certificate, key-file: @certificate}}
    paths: {/: {file.dir: @pages/own}}
  "sibling.site.test:@port":
    <<: *site
    paths: {/: {file.dir: @pages/sibling}}
"""
NGHTTPD = "--address=@address --htdocs=@pages/own @port @certificate @certificate"
TOMCAT = """
<Connector port="@port" address="@address" bindOnInit="false" SSLEnabled="true" scheme="https" secure="true"
           maxThreads="4" defaultSSLHostConfigName="own.site.test" strictSni="@strict">
  <UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol"/>
  <SSLHostConfig hostName="own.site.test">
    <Certificate certificateFile="@certificate" certificateKeyFile="@certificate"/>
  </SSLHostConfig>
  <SSLHostConfig hostName="sibling.site.test">
    <Certificate certificateFile="@certificate" certificateKeyFile="@certificate"/>
  </SSLHostConfig>
</Connector>
<Engine name="Catalina" defaultHost="own.site.test">
  <Host name="own.site.test"><Context path="" containerSciFilter="org.apache" docBase="@pages/own"/></Host>
  <Host name="sibling.site.test"><Context path="" containerSciFilter="org.apache" docBase="@pages/sibling"/></Host>
</Engine>
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Attributes: `program` is a method of Laboratory or a row of `tests.real.daemons`; `values` fill the text; `pages`
    are what the sites show under their own names."""

    name: str
    program: str
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, bytes] = field(default_factory=lambda: {OWN: b"own", SIBLING: b"sibling"})

    def start(self, laboratory: Laboratory, address: str, pages: Path, certificate: Path) -> Endpoint:
        values = {"pages": pages, "certificate": certificate, **self.values}
        if self.program in DAEMONS:
            return laboratory.daemon(self.program, self.text, address, **values)
        return getattr(laboratory, self.program)(self.text, address, **values)


def envoy(name: str, hosts: str) -> Layout:
    """A chain of filters for each SNI, as gateways have it, which knows `hosts` and nobody else."""
    chains = "".join(ENVOY_CHAIN.replace("<hosts>", hosts).replace("<site>", site) for site in ("own", "sibling"))
    pages = {OWN: b"<title>own</title>", SIBLING: b"<title>sibling</title>"}
    return Layout(name, "envoy", ENVOY_LISTENER + chains, {"types": "type.googleapis.com/envoy.extensions"}, pages)


def nginx_that_verifies(name: str, verify: str) -> Layout:
    return Layout(name, "nginx", NGINX.replace("return 200 sibling", NGINX_VERIFIES), {"verify": verify})


APACHE_WITH_OTHER_CIPHERS = Layout("Apache with other ciphers", "apache", APACHE, {"difference": "SSLCipherSuite HIGH"})
ENVOY = envoy("Envoy", "<site>.site.test")
ENVOY_FOR_ANY_HOST = envoy("Envoy for any Host", '"*"')
NGINX_THAT_DEMANDS = nginx_that_verifies("nginx that demands a certificate", "on")

LAYOUTS = (
    Layout("nginx", "nginx", NGINX),
    Layout("nginx that rejects handshakes", "nginx", NGINX_REJECTS + NGINX),
    nginx_that_verifies("nginx that asks for a certificate", "optional"),
    Layout("Apache", "apache", APACHE, {"difference": ""}),
    APACHE_WITH_OTHER_CIPHERS,
    Layout("HAProxy", "haproxy", HAPROXY, {"sni_rule": "", "host_rule": HAPROXY_REFUSES}),
    Layout("HAProxy with strict-sni", "haproxy", HAPROXY, {"sni_rule": "strict-sni", "host_rule": ""}),
    Layout("Caddy", "caddy", CADDY, {"strict": "insecure_off"}),
    Layout("Caddy with strict_sni_host", "caddy", CADDY, {"strict": "on"}),
    ENVOY,
    Layout("h2o", "h2o", H2O),
    Layout("nghttpd", "nghttpd", NGHTTPD, pages={OWN: b"own", SIBLING: b"own"}),  # it knows no virtual hosts
    Layout("Tomcat", "tomcat", TOMCAT, {"strict": "false"}),
    Layout("Tomcat with strictSni", "tomcat", TOMCAT, {"strict": "true"}),
)
