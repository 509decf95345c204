"""Starts servers, exporters and Prometheus side by side, and ends them all."""

from __future__ import annotations

import contextlib
from itertools import count
from pathlib import Path

from tests.real.apache import running_apache
from tests.real.authority import Authority
from tests.real.blueprint import Blueprint
from tests.real.daemons import running_daemon
from tests.real.exporter_process import Exporter, running_exporter
from tests.real.nginx import running_nginx
from tests.real.processes import Endpoint, free_endpoint, refusing_endpoint, silent_endpoint
from tests.real.prometheus import Prometheus, running_prometheus, scraping


class Laboratory(contextlib.ExitStack):
    """Every text is a blueprint: `@address`, `@port` and `@endpoint` are those of the server that it describes or, in
    an exporter's configuration, of the one to probe; `@ca` is the authority's certificate, `@folder` a server's own."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__()
        self._folder = folder
        self._serial = count(1)
        self.authority = authority

    def nginx(self, http: str, address: str = "127.0.51.1", **values: object) -> Endpoint:
        folder, endpoint = self._subfolder("nginx"), free_endpoint(address)
        self.enter_context(running_nginx(folder, self._filled(http, endpoint, folder=folder, **values), endpoint))
        return endpoint

    def apache(self, server: str, address: str = "127.0.51.2", **values: object) -> Endpoint:
        folder, endpoint = self._subfolder("apache"), free_endpoint(address)
        self.enter_context(running_apache(folder, self._filled(server, endpoint, folder=folder, **values), endpoint))
        return endpoint

    def daemon(self, name: str, server: str, address: str, **values: object) -> Endpoint:
        """One of `tests.real.daemons`."""
        folder, endpoint = self._subfolder(name), free_endpoint(address)
        text = self._filled(server, endpoint, folder=folder, **values)
        self.enter_context(running_daemon(name, folder, text, endpoint))
        return endpoint

    def exporter(self, config: str, probed: Endpoint, **values: object) -> Exporter:
        text = self.config(config, probed, **values)
        return self.enter_context(running_exporter(self._subfolder("exporter"), text))

    def config(self, config: str, probed: Endpoint, **values: object) -> str:
        """A configuration of the exporter as `exporter` starts it."""
        return self._filled(config, probed, **values)

    def prometheus(self, scraped: Endpoint) -> Prometheus:
        return self.enter_context(running_prometheus(self._subfolder("prometheus"), scraping(scraped)))

    def refusing(self, address: str = "127.0.0.1", port: int = 0) -> Endpoint:
        return self.enter_context(refusing_endpoint(address, port))

    def silent(self, address: str = "127.0.0.1") -> Endpoint:
        return self.enter_context(silent_endpoint(address))

    def _subfolder(self, name: str) -> Path:
        folder = self._folder / f"{next(self._serial)}-{name}"
        folder.mkdir()
        return folder

    def _filled(self, text: str, endpoint: Endpoint, **values: object) -> str:
        place = {"address": endpoint.address, "port": endpoint.port, "endpoint": endpoint}
        return Blueprint(text).substitute(ca=self.authority.ca_file, **place, **values)
