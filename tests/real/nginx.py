"""nginx as an ordinary process: everything that it writes stays in its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.programs import program
from tests.real.blueprint import Blueprint
from tests.real.processes import Endpoint, is_listening, running

MAIN = Blueprint("""
daemon off;
worker_processes 1;
pid @folder/nginx.pid;
error_log @folder/error.log info;
events { worker_connections 256; }
http {
    access_log @folder/access.log;
    client_body_temp_path @folder/client_body;
    proxy_temp_path @folder/proxy;
    fastcgi_temp_path @folder/fastcgi;
    uwsgi_temp_path @folder/uwsgi;
    scgi_temp_path @folder/scgi;
    default_type text/plain;
    @http
}
""")


@contextlib.contextmanager
def running_nginx(folder: Path, http: str, endpoint: Endpoint) -> Iterator[None]:
    """nginx with `http` inside its http block, once it listens on `endpoint`."""
    config = folder / "nginx.conf"
    config.write_text(MAIN.substitute(folder=folder, http=http))
    argv = (program("nginx"), "-p", folder, "-c", config, "-e", folder / "error.log")
    with running(argv, log=folder / "nginx.log", ready=lambda: is_listening(endpoint)):
        yield
