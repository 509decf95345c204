"""What to change, by cause and by the software that was seen: the shortest form; the runbook has the long one."""

from __future__ import annotations

ANY = "*"

_FIXES: dict[str, dict[str, str]] = {
    "vhost-tls-params-differ": {
        "apache": "Give the virtual hosts that share the certificate the same SSLProtocol, SSLCipherSuite and "
        "SSLVerifyClient "
        "(at server level), or certificates that do not cover each other.",
        ANY: "Give the names that share a certificate the same TLS settings, or separate certificates or addresses.",
    },
    "vhost-client-cert-differs": {
        ANY: "Give the name with client certificates a certificate that covers no other name, or an address of "
        "its own; "
        "do not make client certificates optional everywhere only to silence this.",
    },
    "sni-policy-forbids-connection-reuse": {
        "caddy": "Set `strict_sni_host insecure_off` (and check Host yourself where client certificates protect a "
        "site), "
        "or use a certificate per name.",
        "haproxy": "Compare SNI and Host only for names that do not share a certificate, or use a certificate per "
        "name.",
        "traefik": "Give all routers of names that share a certificate the same TLS option.",
        ANY: "Use a certificate per name, or let the rule pass names that share one.",
    },
    "vhost-certs-overlap": {
        "tomcat": "One SSLHostConfig with one certificate for both names, or certificates that name one host each.",
        ANY: "Certificates that name one host each, or one certificate and one set of TLS settings for all.",
    },
    "sni-router-with-shared-cert": {
        "envoy": "One filter chain (Gateway) for all hosts of the certificate, or a certificate per host.",
        ANY: "A certificate per backend, addresses of their own, or 421 from each backend for names that it does "
        "not serve.",
    },
    "sni-router-lacks-name": {ANY: "Add the name to the rules of the router that goes by SNI."},
    "vhost-missing": {
        "nginx": "Add a server block with this server_name (and its certificate); reload.",
        "apache": "Add a VirtualHost with this ServerName or ServerAlias; reload.",
        ANY: "Configure the name at the server, or take it out of DNS.",
    },
    "no-route-for-host": {
        "envoy": "Add the name to the virtual host's `domains`, with `name:*` or `strip_any_host_port: true` for "
        "ports.",
        ANY: "Add a route for the name, for Host with and without the port.",
    },
    "http-version-disabled-for-host": {"nginx": "The same `http2` and `http3` in all server blocks of a listener."},
    "strict-sni-rejects-clients-without-sni": {
        "apache": "Let the client send SNI; or `SSLStrictSNIVHostCheck off` and a default virtual host for those "
        "that cannot.",
        ANY: "Let the client send SNI.",
    },
    "monitor-sends-no-sni": {ANY: "Let the monitor send SNI (blackbox_exporter: `tls_config.server_name`)."},
    "server-rejects-sni": {
        "jetty": "A certificate that names the host; `sniHostCheck` off only where names must differ."
    },
    "tls-name-rejected": {ANY: "Configure the name (and its certificate) at the server that ends TLS."},
    "host-header-shape": {ANY: "Normalise Host (case, port, trailing dot) before it is compared."},
    "tls-resumption-across-names": {ANY: "Separate session tickets and caches per virtual host, or update the server."},
    "stale-connection": {ANY: "Drain or close old connections after a change."},
    "cdn-name-not-attached": {ANY: "Add the name to the CDN's distribution, with a certificate that covers it."},
    "proxy-sends-no-sni-upstream": {
        "nginx": "`proxy_ssl_server_name on; proxy_ssl_name $host; proxy_set_header Host $host;`, and one "
        "upstream block per name "
        "(or `keepalive 0`) so that connections are not shared.",
        "haproxy": "`server ... ssl sni req.hdr(host)`.",
        ANY: "Let the proxy send SNI = Host to the origin, or speak plain HTTP to it on loopback.",
    },
    "proxy-sends-wrong-sni-upstream": {
        "nginx": "`proxy_ssl_name $host;` instead of a constant.",
        ANY: "Let the proxy send SNI = Host to the origin.",
    },
    "proxy-forwards-client-sni": {
        "haproxy": "`sni req.hdr(host)` instead of `sni ssl_fc_sni`.",
        ANY: "Let the proxy send Host's name to the origin, not the client's SNI.",
    },
    "proxy-reuses-upstream-connection": {
        "nginx": "One upstream block per name, or `keepalive 0;` (since 1.29.7 keepalive is on by default).",
        "caddy": "`keepalive off` in the transport, or a transport per name.",
        ANY: "A connection pool per server name, or none.",
    },
    "proxy-loses-host": {
        "nginx": "`proxy_set_header Host $host;`",
        "apache": "`ProxyPreserveHost On`",
        ANY: "Hand on the client's Host.",
    },
    "plain-http-to-https-port": {"nginx": "`proxy_pass https://...`", ANY: "Speak TLS to the origin's TLS port."},
    "illegal-upgrade-header-in-h2": {
        "nginx": "`proxy_hide_header Upgrade;`, or `Protocols http/1.1` at the Apache behind it.",
        ANY: "Do not hand on Upgrade and Connection fields.",
    },
    "upstream-down": {
        ANY: "Start the application, and check that it listens where the proxy expects it (also: killed for memory)."
    },
    "upstream-too-slow": {
        ANY: "Make the application faster or raise the proxy's time limit; look at what it waits for."
    },
    "upstream-bad-answer": {
        ANY: "Look at the application's log: it closed early, crashed, or speaks TLS or another protocol."
    },
    "one-backend-misconfigured": {ANY: "Ask each backend by itself, and take the bad one out of the pool."},
    "cached-error": {
        "varnish": "Purge the entry; give errors no TTL in vcl_backend_response.",
        ANY: "Purge it; do not cache errors.",
    },
    "dns-failure": {ANY: "Repair the record or its name servers."},
    "address-serves-other-hosts": {ANY: "Take the address out of DNS, or configure the name there."},
    "address-unreachable": {ANY: "Take the address out of DNS, or start the server there."},
    "address-sets-overlap": {ANY: "The same addresses for all names of a certificate, or none in common."},
    "alt-svc-wrong-server": {ANY: "Withdraw it (`Alt-Svc: clear`), or configure the name at the alternative."},
    "alt-svc-dead": {ANY: "Withdraw it (`Alt-Svc: clear`), or open the UDP port."},
    "origin-frame-too-wide": {
        ANY: "Name in the ORIGIN frame only what this server serves, or serve the name there too."
    },
    "application-answers-421": {ANY: "Add the name to the application's hosts."},
    "application-rejects-host": {
        "django": "Add the name to ALLOWED_HOSTS.",
        "starlette": "Add the name (with its port) to allowed_hosts.",
        ANY: "Add the name to the application's allowed hosts.",
    },
    "rewrite-rule-421": {
        "apache": "Look for [R=421] in .htaccess and the virtual host.",
        ANY: "Look for the rule that returns 421.",
    },
    "application-error": {ANY: "The application's error log has the exception."},
    "maintenance": {ANY: "Wait, or end the maintenance."},
    "overloaded": {ANY: "Find what uses up the limit; raise it only after that."},
    "rate-limited": {ANY: "Ask less often, or except the prober's address from the limit."},
    "access-denied": {ANY: "The log of who wrote the page names the rule, the file or the address list."},
    "content-missing": {ANY: "Deploy the page, or correct the path that is asked for."},
    "redirect-loop": {
        ANY: "Pass X-Forwarded-Proto to the application and let it trust it, or drop one of the redirects."
    },
    "redirect-to-broken-host": {ANY: "Correct the redirect's host, or repair the host that it leads to."},
    "client-cert-required": {
        ANY: "Give the client (and this prober: `client_certificate`) a certificate, or make it optional."
    },
    "cert-expired": {ANY: "Renew the certificate, and reload the server so that it shows it."},
    "cert-not-yet-valid": {ANY: "Check the clocks, or use the former certificate until then."},
    "cert-name-mismatch": {ANY: "A certificate that covers the name; check which virtual host shows this one."},
    "cert-untrusted": {ANY: "Send the whole chain, from an authority that clients trust."},
    "port-speaks-plain-http": {ANY: "Switch TLS on at this port."},
    "vantage-offline": {ANY: "Look at the prober's own network, DNS and firewall."},
}


def hints(cause: str, servers: tuple[str, ...]) -> tuple[str, ...]:
    """The fixes for a cause where these servers (ids) were seen, the first that fits, and the general one."""
    table = _FIXES.get(cause, {})
    fitting = [table[one] for one in servers if one in table]
    return tuple(dict.fromkeys([*fitting[:1], *([table[ANY]] if ANY in table and not fitting else [])]))
