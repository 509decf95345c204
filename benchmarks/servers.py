"""The server that is probed (nginx) and the peer (blackbox_exporter), both as Debian ships them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.processes import HOST, Running, free_port, is_listening, program, running

DOMAIN = "bench.test"
CERTIFICATE_NAMES = (DOMAIN, f"*.{DOMAIN}")

# A whole sweep of coalesced probes fits on one connection: keepalive_requests is 1,000 by default.
_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/plain;
    server {{
        listen {host}:{port} ssl http2 backlog=1024;
        server_name {names};
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        ssl_protocols TLSv1.2 TLSv1.3;
        return 200 "fine\\n";
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running nginx that answers 200 to every name under `bench.test`."""

    port: int
    ca_file: str


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """With an ECDSA P-256 certificate for `*.bench.test`, on TLS 1.3, without an access log."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ca_file, certificate, config = folder / "ca.pem", folder / "leaf.pem", folder / "nginx.conf"
    authority.cert_pem.write_to_path(str(ca_file))
    leaf = authority.issue_cert(*CERTIFICATE_NAMES, key_type=trustme.KeyType.ECDSA)
    leaf.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    port, names = free_port(), " ".join(CERTIFICATE_NAMES)
    config.write_text(_NGINX.format(folder=folder, host=HOST, port=port, names=names, certificate=certificate))
    argv = (program("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log"))
    with running(argv, folder / "nginx.log", lambda: is_listening(port)):
        yield Server(port, str(ca_file))


@dataclass(frozen=True, slots=True)
class Blackbox:
    """A running blackbox_exporter. `path` asks it for one probe of `server` by a module of its configuration."""

    process: Running
    port: int
    server: Server

    def path(self, module: str) -> str:
        return f"/probe?module={module}&target=https://{HOST}:{self.server.port}/"


@contextlib.contextmanager
def blackbox(folder: Path, server: Server) -> Iterator[Blackbox]:
    """With a module for each protocol that asks as our matched probe does: same SNI and Host, certificate verified."""
    config, port = folder / "blackbox.yml", free_port()
    modules = {"http1": _module(server, http2=False), "http2": _module(server, http2=True)}
    config.write_text(json.dumps({"modules": modules}))
    argv = (
        program("prometheus-blackbox-exporter"),
        f"--config.file={config}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=error",
    )
    with running(argv, folder / "blackbox.log", lambda: is_listening(port)) as process:
        yield Blackbox(process, port, server)


def _module(server: Server, *, http2: bool) -> dict[str, object]:
    name = f"d0.{DOMAIN}"
    return {
        "prober": "http",
        "timeout": "10s",
        "http": {
            "enable_http2": http2,
            "preferred_ip_protocol": "ip4",
            "headers": {"Host": f"{name}:{server.port}"},
            "tls_config": {"ca_file": server.ca_file, "server_name": name},
        },
    }
