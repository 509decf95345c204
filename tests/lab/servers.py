"""How each kind of server is started: everything that it writes stays in its folder."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.programs import program
from tests.real.apache import running_apache
from tests.real.daemons import DAEMONS, running_daemon
from tests.real.nginx import running_nginx
from tests.real.processes import Endpoint, is_listening, refusing_endpoint, running

ODD_SERVER = Path(__file__).with_name("odd_server.py")
NAMELESS_SESSIONS = Path(__file__).with_name("nameless_sessions.py")
JETTY = Path("/usr/share/jetty9")
PHP_FPM = "/usr/sbin/php-fpm[0-9]*"


@dataclass(frozen=True, slots=True)
class Order:
    """What a server is started from. Attributes: `text` has no holes any more."""

    folder: Path
    text: str
    endpoint: Endpoint
    options: tuple[str, ...] = ()


Argv = Sequence[str | Path]
Start = Callable[[Order], contextlib.AbstractContextManager[object]]


def start(kind: str, order: Order) -> contextlib.AbstractContextManager[object]:
    """The server of that kind, once it listens."""
    return _KINDS[kind](order)


@contextlib.contextmanager
def _process(file: str, argv: Callable[[Order], Argv], order: Order) -> Iterator[None]:
    (order.folder / file).write_text(order.text)
    ready = partial(is_listening, order.endpoint)
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    log = order.folder / "server.log"
    with running(argv(order), log=log, ready=ready, cwd=order.folder, environment=environment):
        yield


def _beside_python(name: str) -> Path:
    return program(f"{sysconfig.get_path('scripts')}/{name}")


def _gunicorn(order: Order) -> Argv:
    settings = ("--workers", "1", "--threads", "4", "--graceful-timeout", "1", "--no-control-socket")
    return _beside_python("gunicorn"), *settings, "--bind", str(order.endpoint), *order.options, "application:app"


def _uvicorn(order: Order) -> Argv:
    address, port = order.endpoint
    place = ("--host", address, "--port", str(port), "--timeout-graceful-shutdown", "1")
    return _beside_python("uvicorn"), *place, *order.options, "application:app"


def _varnish(order: Order) -> Argv:
    # No jail and one pool of few threads: it lives for seconds, and may be started by anybody.
    settings = ("-j", "none", "-s", "malloc,8m", "-p", "thread_pools=1", "-p", "thread_pool_min=10")
    name = ("-n", order.folder / "varnish", "-f", order.folder / "default.vcl")
    return program("varnishd"), "-F", *name, "-a", str(order.endpoint), *settings, "-T", "none", *order.options


def _hitch(order: Order) -> Argv:
    # It refuses to serve as root.
    as_nobody = ("--user=nobody",) if os.geteuid() == 0 else ()
    return program("hitch"), *as_nobody, f"--config={order.folder / 'hitch.conf'}"


def _php_fpm(order: Order) -> Argv:
    found = sorted(Path("/").glob(PHP_FPM.lstrip("/")))
    return program(str(found[-1]) if found else "php-fpm"), "-F", "-O", "-n", "-R", "-y", order.folder / "fpm.conf"


def _jetty(order: Order) -> Argv:
    pem, *settings = order.options
    keystore = order.folder / "etc/keystore"
    keystore.parent.mkdir()
    merge = (program("openssl"), "pkcs12", "-export", "-in", pem, "-passout", "pass:laboratory", "-out", keystore)
    subprocess.run(merge, check=True)
    (order.folder / "webapps").mkdir()
    (order.folder / "context.xml").rename(order.folder / "webapps/root.xml")
    program(str(JETTY / "bin/jetty.sh"))
    jvm = ("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    places = (f"jetty.home={JETTY}", f"jetty.base={order.folder}")
    address, port = order.endpoint
    listens = (f"jetty.ssl.host={address}", f"jetty.ssl.port={port}")
    words = tuple(f"jetty.sslContext.key{what}Password=laboratory" for what in ("Store", "Manager"))
    modules = "--module=https,http2,deploy"
    return program("java"), *jvm, "-jar", JETTY / "start.jar", *places, modules, *listens, *words, *settings


def _node(order: Order) -> Argv:
    return program("node"), order.folder / "server.js"


def _odd_server(order: Order) -> Argv:
    address, port = order.endpoint
    return sys.executable, ODD_SERVER, order.text, address, str(port), *order.options


def _nameless_sessions(order: Order) -> Argv:
    address, port = order.endpoint
    named = (order.text,) if order.text else ()
    return sys.executable, NAMELESS_SESSIONS, address, str(port), *order.options, *named


def _nobody(order: Order) -> contextlib.AbstractContextManager[object]:
    """The port is taken and not listened on, so that no other program opens it meanwhile."""
    return refusing_endpoint(*order.endpoint)


@contextlib.contextmanager
def _deaf(order: Order) -> Iterator[None]:
    """The queue of connections is full and nobody takes any from it: the kernel drops whoever comes."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(order.endpoint)
        listener.listen(0)
        for _ in range(3):
            caller = sockets.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(order.endpoint)
        yield


def _daemon(name: str, order: Order) -> contextlib.AbstractContextManager[None]:
    return running_daemon(name, order.folder, order.text, order.endpoint)


_KINDS: dict[str, Start] = {
    "nginx": lambda order: running_nginx(order.folder, order.text, order.endpoint),
    "apache": lambda order: running_apache(order.folder, order.text, order.endpoint),
    **{name: partial(_daemon, name) for name in DAEMONS},
    "gunicorn": partial(_process, "application.py", _gunicorn),
    "uvicorn": partial(_process, "application.py", _uvicorn),
    "varnish": partial(_process, "default.vcl", _varnish),
    "hitch": partial(_process, "hitch.conf", _hitch),
    "php-fpm": partial(_process, "fpm.conf", _php_fpm),
    "jetty": partial(_process, "context.xml", _jetty),
    "nameless-sessions": partial(_process, "name", _nameless_sessions),
    "node": partial(_process, "server.js", _node),
    "odd": partial(_process, "behaviour", _odd_server),
    "nobody": _nobody,
    "deaf": _deaf,
}
