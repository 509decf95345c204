"""The ground on which a scenario stands: addresses, certificates, pages, and its servers one after the other."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab import curl
from tests.lab.scenario import BESIDE, EDGE, Cell, Leaf, Scenario, Server
from tests.lab.servers import Order, start
from tests.real.apache import MODULES
from tests.real.authority import Authority
from tests.real.blueprint import Blueprint
from tests.real.processes import Endpoint, free_endpoint

NETWORK = "127.42"
LARGEST_NETWORK = 250


@dataclass(frozen=True, slots=True)
class Standing:
    """A scenario whose servers run.

    Attributes:
        endpoints: by the name of the place.
        ca_file: the authority to trust.
    """

    scenario: Scenario
    endpoints: Mapping[str, Endpoint]
    ca_file: Path

    @property
    def port(self) -> int:
        return self.endpoints[EDGE].port

    def addresses(self, domain: str) -> list[str]:
        places = self.scenario.targets[domain]
        return [self.endpoints[place].address if place in self.endpoints else place for place in places]

    def seen(self, cell: Cell) -> tuple[int | str, str]:
        return curl.seen(cell, self.endpoints, self.ca_file)


@contextlib.contextmanager
def standing(scenario: Scenario, number: int) -> Iterator[Standing]:
    """The scenario on addresses of its own, `number` being nobody else's; its servers end when it is left."""
    # Not everybody's own temporary folder: daemons started by root serve as somebody else.
    with tempfile.TemporaryDirectory(prefix="lab-") as name, contextlib.ExitStack() as servers:
        folder = Path(name)
        folder.chmod(0o755)
        authority, stranger = (_authority(folder / kind) for kind in ("authority", "stranger"))
        endpoints = endpoints_of(scenario, number)
        values = _values(endpoints) | _pages(scenario, folder)
        for certificate, leaf in scenario.certificates.items():
            values[certificate] = _issued(leaf, authority if leaf.is_trusted else stranger)
        values["ca"] = authority.ca_file
        for position, server in enumerate(scenario.servers):
            order = _order(server, folder / f"{position}-{server.kind}", endpoints, values)
            servers.enter_context(start(server.kind, order))
        there = Standing(scenario, endpoints, authority.ca_file)
        for visit in scenario.visits:
            there.seen(visit)
        yield there


def _order(server: Server, folder: Path, endpoints: Mapping[str, Endpoint], values: Mapping[str, object]) -> Order:
    folder.mkdir()
    for file, content in server.files.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(content)
    text, *options = (Blueprint(hole).substitute(values, folder=folder) for hole in (server.text, *server.options))
    return Order(folder, text, endpoints[server.at], tuple(options))


def _authority(folder: Path) -> Authority:
    folder.mkdir()
    return Authority(folder)


def _issued(leaf: Leaf, authority: Authority) -> Path:
    return authority.certificate(*leaf.names, not_before=leaf.not_before, not_after=leaf.not_after)


def endpoints_of(scenario: Scenario, number: int) -> dict[str, Endpoint]:
    """Where each place is: the edges share one port, each on an address of its own; a place beside the edge is another
    port at its address; whatever stands behind has its own address and port."""
    mentioned = [EDGE, *(place for places in scenario.targets.values() for place in places)]
    mentioned += [*(server.at for server in scenario.servers), *scenario.places]
    network = f"{NETWORK}.{number % LARGEST_NETWORK}"
    edge = free_endpoint(f"{network}.1")
    endpoints = {}
    for last, place in enumerate(dict.fromkeys(mentioned), 1):
        if place.startswith(EDGE):
            endpoints[place] = Endpoint(f"{network}.{last}", edge.port)
        else:
            endpoints[place] = free_endpoint(edge.address if place == BESIDE else f"{network}.{last}")
    return endpoints


def _values(endpoints: Mapping[str, Endpoint]) -> dict[str, object]:
    values: dict[str, object] = {"modules": MODULES, "types": "type.googleapis.com/envoy.extensions"}
    for place, endpoint in endpoints.items():
        values |= {place: endpoint, f"{place}_address": endpoint.address, f"{place}_port": endpoint.port}
    return values


def _pages(scenario: Scenario, folder: Path) -> dict[str, object]:
    """A page for each domain that names it, and one of nobody's."""
    for domain in (*scenario.targets, "nobody"):
        page = folder / "pages" / domain / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<!doctype html>\n<title>{domain}</title>\n<h1>Welcome to {domain}</h1>\n")
    return {"pages": folder / "pages"}
