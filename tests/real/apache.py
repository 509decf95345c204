"""Apache httpd as an ordinary process: everything that it writes stays in its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.programs import program
from tests.real.blueprint import Blueprint
from tests.real.processes import Endpoint, is_listening, running

# User and Group count only where the tests run as root; Apache then refuses to serve as root.
MAIN = Blueprint("""
ServerRoot @folder
DefaultRuntimeDir @folder
PidFile @folder/apache.pid
Mutex file:@folder default
ErrorLog @folder/error.log
LogLevel info
ServerName apache.test
User www-data
Group www-data
LoadModule mpm_event_module @modules/mod_mpm_event.so
LoadModule authz_core_module @modules/mod_authz_core.so
LoadModule dir_module @modules/mod_dir.so
LoadModule ssl_module @modules/mod_ssl.so
LoadModule http2_module @modules/mod_http2.so
SSLSessionCache none
StartServers 1
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
DocumentRoot @folder/documents
DirectoryIndex index.html
Listen @endpoint
@server
""")
MODULES = Path("/usr/lib/apache2/modules")


@contextlib.contextmanager
def running_apache(folder: Path, server: str, endpoint: Endpoint) -> Iterator[None]:
    """Apache with `server` in its configuration, once it listens on `endpoint`; all virtual hosts share one page."""
    documents = folder / "documents"
    documents.mkdir()
    (documents / "index.html").write_text("welcome\n")
    config = folder / "apache.conf"
    config.write_text(MAIN.substitute(folder=folder, modules=MODULES, endpoint=endpoint, server=server))
    argv = (program("apache2"), "-f", config, "-D", "FOREGROUND")
    with running(argv, log=folder / "apache.log", ready=lambda: is_listening(endpoint)):
        yield
