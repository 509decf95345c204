"""Names, certificates and the ordinary parts of configurations, so that a scenario shows only what is wrong with it."""

from __future__ import annotations

from tests.lab.scenario import EDGE, Cell, Leaf, Server

PEARS, PLUMS, CHERRIES = "pears.orchard.test", "plums.orchard.test", "cherries.orchard.test"
UNKNOWN = "weeds.orchard.test"
WILDCARD = {"site": Leaf(("*.orchard.test",))}
PAIR = {"site": Leaf((PEARS, PLUMS))}
ALONE = {"site": Leaf((PEARS,))}
SEPARATE = {"pears": Leaf((PEARS,)), "plums": Leaf((PLUMS,))}
BOTH_AT_THE_EDGE = {PEARS: (EDGE,), PLUMS: (EDGE,)}
PEARS_AT_THE_EDGE = {PEARS: (EDGE,)}
BOTH = (PEARS, PLUMS)


def own(domain: str, seen: int | str, says: str = "", *, path: str = "/", at: str = EDGE) -> Cell:
    """What a client sees that asks for the name in the ordinary way."""
    return Cell(domain, domain, seen, says, path, at)


def works(*domains: str) -> tuple[Cell, ...]:
    """Each shows its own page."""
    return tuple(own(domain, 200, f"Welcome to {domain}") for domain in domains)


def reused(sni: str, host: str, seen: int | str, says: str = "") -> Cell:
    """What a browser sees that asks for `host` on a connection opened for `sni`."""
    return Cell(sni, host, seen, says, http2=True)


def nginx(*sites: str, at: str = EDGE) -> Server:
    return Server("nginx", "".join(sites), at)


def nginx_site(
    domain: str, body: str = "", *, certificate: str = "site", at: str = EDGE, listen: str = "ssl http2"
) -> str:
    """A server block; without a body it shows the domain's page."""
    tls = f"ssl_certificate @{certificate}; ssl_certificate_key @{certificate};" if "ssl" in listen else ""
    return f"""
        server {{
            listen @{at} {listen};
            server_name {domain};
            default_type text/html;
            {tls}
            {body or f"root @pages/{domain};"}
        }}
    """


def nginx_default(status: int, *, certificate: str = "site", at: str = EDGE, listen: str = "ssl http2") -> str:
    """What answers to names that no other block has."""
    return nginx_site("_", f"return {status};", certificate=certificate, at=at, listen=f"{listen} default_server")


def apache(*sites: str, at: str = EDGE, modules: tuple[str, ...] = (), settings: str = "") -> Server:
    loaded = "".join(f"LoadModule {module}_module @modules/mod_{module}.so\n" for module in modules)
    return Server("apache", f"Protocols h2 http/1.1\n{loaded}{settings}\n{''.join(sites)}", at)


def apache_site(domain: str, extra: str = "", *, certificate: str = "site", page: str = "") -> str:
    """A virtual host with TLS; without a certificate it is one without."""
    tls = f"SSLEngine on\nSSLCertificateFile @{certificate}" if certificate else ""
    return f"""
<VirtualHost *>
    ServerName {domain}
    DocumentRoot @pages/{page or domain}
    {tls}
    {extra}
</VirtualHost>
"""


def haproxy(text: str, at: str = EDGE) -> Server:
    return Server("haproxy", text, at)


def haproxy_edge(rules: str, bind: str = "crt @site alpn h2,http/1.1") -> str:
    """A frontend with TLS at the edge."""
    return f"""
frontend edge
    bind @edge ssl {bind}
    {rules}
"""


def haproxy_backend(name: str, *servers: str, settings: str = "") -> str:
    lines = "".join(f"    server {name}{number} {server}\n" for number, server in enumerate(servers))
    return f"\nbackend {name}\n    {settings}\n{lines}"


def caddy(*sites: str, at: str = EDGE, servers: str = "protocols h1 h2") -> Server:
    settings = f"admin off\nauto_https off\nstorage file_system @folder\nservers {{\n{servers}\n}}\n"
    return Server("caddy", f"{{\n{settings}}}\n{''.join(sites)}", at)


def caddy_site(domain: str, body: str = "", *, tls: str = "@site @site", at: str = EDGE) -> str:
    return f"""
https://{domain}:@{at}_port {{
    bind @{at}_address
    tls {tls}
    {body or f"root * @pages/{domain}{chr(10)}    file_server"}
}}
"""


def envoy(*chains: str, clusters: str = "") -> Server:
    """A listener that chooses among `chains` by SNI."""
    text = f"""address: {{socket_address: {{address: @edge_address, port_value: @edge_port}}}}
    listener_filters:
    - name: tls_inspector
      typed_config: {{"@@type": @types.filters.listener.tls_inspector.v3.TlsInspector}}
    filter_chains:{"".join(chains)}
"""
    return Server("envoy", text + (f"  clusters:{clusters}" if clusters else ""))


def envoy_cluster(name: str) -> str:
    """A cluster of one member, which stands at the place of that name."""
    return f"""
  - name: {name}
    connect_timeout: 1s
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: @{name}_address, port_value: @{name}_port}}}}}}
"""


def envoy_http(hosts: str, *, names: str = "", extra: str = "strip_any_host_port: true") -> str:
    """A chain that speaks HTTP to everybody whose SNI is in `names`."""
    match = f"filter_chain_match: {{server_names: [{names}]}}" if names else "filter_chain_match: {}"
    return f"""
    - {match}
      transport_socket:
        name: tls
        typed_config:
          "@@type": @types.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates: [{{certificate_chain: {{filename: @site}}, private_key: {{filename: @site}}}}]
      filters:
      - name: http
        typed_config:
          "@@type": @types.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          {extra}
          http_filters:
          - name: router
            typed_config: {{"@@type": @types.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:{hosts}
"""


def envoy_host(domain: str, route: str = "") -> str:
    """A virtual host; without a route it shows a page of its own."""
    page = f"direct_response: {{status: 200, body: {{inline_string: <title>Welcome to {domain}</title>}}}}"
    return f"""
            - name: {domain}
              domains: ["{domain}"]
              routes:
              - {{match: {{prefix: /}}, {route or page}}}"""


def envoy_passes(place: str, names: str) -> str:
    """A chain that passes the bytes on, whatever they are."""
    return f"""
    - filter_chain_match: {{server_names: [{names}]}}
      filters:
      - name: tcp
        typed_config:
          "@@type": @types.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: {place}
          cluster: {place}
"""


def odd(behaviour: str, at: str = EDGE, *, certificate: str = "site") -> Server:
    """A server that behaves as only a broken one does; without a certificate it has no TLS."""
    return Server("odd", behaviour, at, (f"@{certificate}",) if certificate else ())
