"""Further servers as ordinary processes: everything that they write stays in their folder.

Each row says what its configuration always needs, around what a test says of its sites, and how it is started.
"""

from __future__ import annotations

import contextlib
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import program
from tests.real.blueprint import Blueprint
from tests.real.processes import Endpoint, is_listening, running

TOMCAT = Path("/usr/share/tomcat10")

HAPROXY = Blueprint("""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
@server
""")
ENVOY = Blueprint("""
static_resources:
  listeners:
  - name: edge
    @server
""")
TOMCAT_SERVER = Blueprint("""
<Server port="-1">
  <Service name="Catalina">
    @server
  </Service>
</Server>
""")
TOMCAT_WEB = """
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  <servlet>
    <servlet-name>files</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
  </servlet>
  <servlet-mapping><servlet-name>files</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <welcome-file-list><welcome-file>index.html</welcome-file></welcome-file-list>
</web-app>
"""

Argv = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Daemon:
    """Attributes: `argv` and `environment` are made from the folder, where the configuration stands as `config`."""

    argv: Callable[[Path], Argv]
    main: Blueprint = field(default_factory=lambda: Blueprint("@server"))
    config: str = "server.conf"
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda _: {})
    files: Mapping[str, str] = field(default_factory=dict)


def _haproxy(folder: Path) -> Argv:
    return program("haproxy"), "-db", "-f", folder / "server.conf"


def _caddy(folder: Path) -> Argv:
    return program("caddy"), "run", "--config", folder / "server.conf", "--adapter", "caddyfile"


def _envoy(folder: Path) -> Argv:
    """It comes as a Python package, whose command stands beside Python's own."""
    return (
        program(f"{sysconfig.get_path('scripts')}/envoy"),
        "-c",
        folder / "server.yaml",
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
    )


def _h2o(folder: Path) -> Argv:
    return program("h2o"), "-m", "worker", "-c", folder / "server.conf"


def _nghttpd(folder: Path) -> Argv:
    """It has no configuration but its arguments: one a line."""
    return program("nghttpd"), *(folder / "server.conf").read_text().split()


def _tomcat(_folder: Path) -> Argv:
    return program(str(TOMCAT / "bin/catalina.sh")), "run"


def _at_home(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder)}


def _catalina(folder: Path) -> dict[str, str]:
    # One compiler tier and one collector thread: it starts in half the time, and lives for seconds.
    options = "-Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    return {"CATALINA_BASE": str(folder), "CATALINA_HOME": str(TOMCAT), "JAVA_OPTS": options}


DAEMONS = {
    "haproxy": Daemon(_haproxy, HAPROXY),
    "caddy": Daemon(_caddy, environment=_at_home),
    "envoy": Daemon(_envoy, ENVOY, "server.yaml"),
    "h2o": Daemon(_h2o),
    "nghttpd": Daemon(_nghttpd),
    "tomcat": Daemon(_tomcat, TOMCAT_SERVER, "conf/server.xml", _catalina, {"conf/web.xml": TOMCAT_WEB}),
}


@contextlib.contextmanager
def running_daemon(name: str, folder: Path, server: str, endpoint: Endpoint) -> Iterator[None]:
    """The server of that row, once it listens on `endpoint`; `server` is what its configuration says of the sites."""
    daemon = DAEMONS[name]
    for file, text in {**daemon.files, daemon.config: daemon.main.substitute(folder=folder, server=server)}.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
    environment = daemon.environment(folder)
    log = folder / f"{name}.log"
    with running(daemon.argv(folder), log=log, ready=lambda: is_listening(endpoint), environment=environment):
        yield
