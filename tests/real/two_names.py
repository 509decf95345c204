"""Two names whose connections a browser might share, in several layouts: a page of A fetches from B.

The server's log is the witness: which connection B's request came on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.real.authority import Authority
from tests.real.blueprint import Blueprint
from tests.real.laboratory import Laboratory
from tests.real.processes import Endpoint
from tests.real.scrape import Scrape

HERE, THERE, V4, V6 = "127.0.62.1", "127.0.62.2", "127.0.0.1", "::1"

SERVER = Blueprint("""
log_format witness '$connection $status $request_uri';
access_log @witness witness;
server {
    @listens
    server_name @a;
    ssl_certificate @certificate_a;
    ssl_certificate_key @certificate_a;
    @settings_a
    location / { default_type text/html; return 200 '@page'; }
}
server {
    @listens
    server_name @b;
    ssl_certificate @certificate_b;
    ssl_certificate_key @certificate_b;
    @settings_b
    location / { return 200 b; }
}
""")
PAGE = Blueprint("""<body><script>
fetch("https://@b:@port/asked", {credentials: "include", mode: "no-cors"}).then(
    () => { document.body.textContent = "fetched"; }, () => { document.body.textContent = "failed"; })
    .finally(() => fetch("/done"));
</script>""")
ASKS_FOR_A_CERTIFICATE = "ssl_client_certificate @ca; ssl_verify_client optional;"


def shared(authority: Authority, a: str, b: str) -> tuple[Path, Path]:
    certificate = authority.certificate(a, b)
    return certificate, certificate


def separate(authority: Authority, a: str, b: str) -> tuple[Path, Path]:
    return authority.certificate(a), authority.certificate(b)


def wildcard(authority: Authority, _a: str, _b: str) -> tuple[Path, Path]:
    certificate = authority.certificate("*.shop.test")
    return certificate, certificate


Asked = list[tuple[bool, int]]
"""Each of B's requests: whether it came on the connection of A's page, and the status."""
ON_THE_CONNECTION: Asked = [(True, 200)]
ON_ANOTHER: Asked = [(False, 200)]
AGAIN_ON_ANOTHER: Asked = [(True, 421), (False, 200)]
NEVER: Asked = []


@dataclass(frozen=True, slots=True)
class Layout:
    """Attributes: `asked` is what browsers do, `firefox` what Firefox does where that is not the same; `a` and `b` are
    the addresses of the names; `settings_*` are those of their servers; `site_b` is the registrable domain of B."""

    label: str
    asked: Asked
    certificates: Callable[[Authority, str, str], tuple[Path, Path]] = shared
    a: tuple[str, ...] = (HERE,)
    b: tuple[str, ...] = (HERE,)
    settings_a: str = ""
    settings_b: str = ""
    site_b: str = "shop.test"
    firefox: Asked | None = None

    @property
    def names(self) -> tuple[str, str]:
        return f"a-{self.label}.shop.test", f"b-{self.label}.{self.site_b}"

    @property
    def group(self) -> dict[str, object]:
        """The two names in the exporter's configuration, but for the port."""
        domains = [
            {"domain": name, "resolve": list(addresses)}
            for name, addresses in zip(self.names, (self.a, self.b), strict=True)
        ]
        return {"name": self.label, "domains": domains}

    def server(self) -> str:
        """nginx, listening at the IPv4 addresses of both names."""
        a, b = self.names
        here = sorted({address for address in self.a + self.b if address != V6})
        listens = "\n".join(f"listen {address}:@port ssl http2;" for address in here)
        page = PAGE.safe_substitute(b=b)
        settings = {"settings_a": self.settings_a, "settings_b": self.settings_b}
        return SERVER.safe_substitute(listens=listens, a=a, b=b, page=page, **settings)


LAYOUTS = (
    Layout("shared", ON_THE_CONNECTION),
    Layout("wildcard", ON_THE_CONNECTION, wildcard),
    Layout("not-covered", ON_ANOTHER, separate),
    Layout("other-address", ON_ANOTHER, b=(THERE,)),
    Layout("overlap-where-connected", ON_THE_CONNECTION, a=(V4,), b=(V4, V6)),
    Layout("overlap-elsewhere", NEVER, a=(V4, V6), b=(V6,)),  # nobody listens there
    Layout("refused-with-421", AGAIN_ON_ANOTHER, settings_b=ASKS_FOR_A_CERTIFICATE),
    Layout("certificate-asked-for", ON_THE_CONNECTION, settings_a=ASKS_FOR_A_CERTIFICATE),
    Layout("another-site", ON_ANOTHER, site_b="market.test", firefox=ON_THE_CONNECTION),
)


@dataclass(frozen=True, slots=True)
class Server:
    layout: Layout
    endpoint: Endpoint
    log: Path

    @property
    def is_done(self) -> bool:
        """Whether the page has fetched what it wanted, or has failed to."""
        return self.log.exists() and " /done" in self.log.read_text()

    def asked(self) -> Asked:
        """A request that nginx refuses with 421 has no path in the log, so it is told by the page's connection."""
        lines = [line.split(" ", 2) for line in self.log.read_text().splitlines()]
        (page,) = (connection for connection, _, path in lines if path == "/page")
        return [
            (connection == page, int(status))
            for connection, status, path in lines
            if path == "/asked" or (connection == page and status == "421")
        ]


def started(laboratory: Laboratory, layout: Layout, logs: Path) -> Server:
    first, second = layout.certificates(laboratory.authority, *layout.names)
    log = logs / f"{layout.label}.log"
    values = {"certificate_a": first, "certificate_b": second, "witness": log}
    return Server(layout, laboratory.nginx(layout.server(), layout.a[0], **values), log)


def configuration(ca_file: Path, servers: Mapping[str, Server]) -> str:
    groups = [{**server.layout.group, "port": server.endpoint.port} for server in servers.values()]
    return yaml.safe_dump(
        {"global": {"interval": "5s", "timeout": "2s", "protocols": ["h2"], "ca_file": str(ca_file)}, "groups": groups}
    )


def is_exposed(scrape: Scrape, client: str, domain: str, sibling: str) -> bool:
    cell = {"domain": domain, "sibling": sibling, "client": client}
    return any(sample.value == 1 for sample in scrape.select("statuscode_coalescing_exposed", **cell))
