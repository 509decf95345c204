"""`serve` and `demo`: the daemon."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

from exporter import app, demo
from exporter.app import Options
from exporter.cli.loop import run
from exporter.cli.parser import DEFAULT_LISTEN_ADDRESS, address
from exporter.cli.status import EXIT_BROKEN, EXIT_OK
from exporter.config import Config, WebConfig
from exporter.demo import Laboratory, LaboratoryError
from exporter.store import InUseError, NewerError, Retention


def _options(options: argparse.Namespace, config_file: Path, scheme: str) -> Options:
    listen = tuple(options.listen or [address(DEFAULT_LISTEN_ADDRESS)])
    external = options.external_url.rstrip("/")
    pages = external or _guessed_url(scheme, listen[0])
    return Options(
        config_file=config_file,
        listen=listen,
        external_url=external,
        pages_url=pages,
        runbook_url=options.runbook_url.rstrip("/") or f"{pages}/runbooks",
        storage=options.storage,
        retention=Retention(options.retention_seconds, options.retention_bytes),
        web_config_file=options.web_config_file,
    )


def _scheme(web_config: WebConfig) -> str:
    return "http" if web_config.tls is None else "https"


def _guessed_url(scheme: str, listen: tuple[str, int]) -> str:
    """Of the pages, by this machine's name, as Prometheus does."""
    host, port = listen
    name = f"[{host}]" if ":" in host else host or socket.gethostname()
    return f"{scheme}://{name}:{port}"


def serve(options: argparse.Namespace) -> int:
    loaded, web_config = app.load(options.config_file, options.web_config_file)
    serving = _options(options, options.config_file, _scheme(web_config))
    try:
        run(app.serve(serving, loaded, web_config))
    except (InUseError, NewerError) as error:
        return _broken(error)
    return EXIT_OK


def demonstrate(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="statuscode-exporter-demo-") as directory:
        try:
            run(_demonstrate(options, Path(directory)))
        except (LaboratoryError, InUseError, NewerError) as error:
            return _broken(error)
    return EXIT_OK


def _broken(error: Exception) -> int:
    print(error, file=sys.stderr)  # noqa: T201  # the answer to a person
    return EXIT_BROKEN


async def _demonstrate(options: argparse.Namespace, directory: Path) -> None:
    config_file = options.config_file or demo.example_config()
    loaded, web_config = app.load(config_file, options.web_config_file)
    serving = _options(options, config_file, _scheme(web_config))
    async with Laboratory(directory) as laboratory:
        os.environ["SSL_CERT_FILE"] = str(laboratory.ca_file)  # what OpenSSL takes for the system's trust
        _greet(f"{_scheme(web_config)}://{_reached(serving)}", config_file, laboratory, loaded)
        await app.serve(serving, loaded, web_config)


def _reached(options: Options) -> str:
    host, port = options.listen[0]
    return f"{host or 'localhost'}:{port}"


def _greet(address: str, config_file: Path, laboratory: Laboratory, loaded: Config) -> None:
    rows = [(server.address, ", ".join(server.names), server.story) for server in laboratory.servers]
    lines = [
        "A laboratory of servers runs on loopback; the exporter probes it:",
        *(f"  {address:<12} {names:<42} {fault}" for address, names, fault in rows),
        f"{len(loaded.targets)} domains, from {config_file}",
        "",
        f"  overview  {address}/",
        f"  metrics   {address}/metrics",
        "",
        "Ctrl-C ends both.",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
