"""The command line, with flags in the Prometheus manner."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from exporter import __version__, app, config, demo
from exporter.app import Options
from exporter.config import Config, ConfigError, durations
from exporter.demo import Laboratory, LaboratoryError
from exporter.logs import LogFormat, set_up
from exporter.store import NewerError, Retention

logger = logging.getLogger(__name__)

EXIT_OK, EXIT_BROKEN, EXIT_USAGE = 0, 1, 2
DEFAULT_LISTEN_ADDRESS = ":10421"
IN_MEMORY = ":memory:"
_SIZES = {"KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_LEVELS = ("debug", "info", "warning", "error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. The exit status: 0 well, 1 it broke, 2 usage or configuration."""
    options = _parser().parse_args(arguments)
    set_up(options.log_level, LogFormat(options.log_format))
    try:
        status: int = options.command(options)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the answer to a person
        return EXIT_USAGE
    except (LaboratoryError, NewerError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return EXIT_BROKEN
    except OSError as error:
        print(f"cannot serve: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_BROKEN
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="statuscode-exporter",
        description="Asks HTTPS domains as different clients do, and tells Prometheus what came back.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="probe by schedule and serve /metrics")
    _add_config_file(serve, default="config.yaml")
    _add_storage(serve, default="data/")
    _add_serving(serve)
    serve.set_defaults(command=_serve)

    demonstrate = commands.add_parser("demo", help="serve, on a laboratory of well- and misconfigured servers here")
    _add_config_file(demonstrate, default=None)
    _add_storage(demonstrate, default=IN_MEMORY)
    _add_serving(demonstrate)
    demonstrate.set_defaults(command=_demo)

    configuration = commands.add_parser("config", help="work with configuration files")
    checks = configuration.add_subparsers(required=True, metavar="COMMAND")
    check = checks.add_parser("check", help="say everything that is wrong with a file; exit status 2 if anything is")
    check.add_argument("file", type=Path)
    _add_logging(check)
    check.set_defaults(command=_check_config)
    return parser


def _add_config_file(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        default=default,
        metavar="FILE",
        help=f"default: {default or 'the example that documents every key'}",
    )


def _add_storage(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--storage.path",
        dest="storage",
        type=_folder,
        default=default,
        metavar="DIRECTORY",
        help=f"where incidents are kept; {IN_MEMORY}: nowhere, they end with the process; default: {default}",
    )
    parser.add_argument(
        "--storage.retention.time",
        dest="retention_seconds",
        type=_duration,
        default="90d",
        metavar="DURATION",
        help="how long incidents that are over are kept; default: 90d",
    )
    parser.add_argument(
        "--storage.retention.size",
        dest="retention_bytes",
        type=_size,
        default="512MB",
        metavar="SIZE",
        help="of the database; beyond, the oldest that is over is forgotten; default: 512MB",
    )


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        type=_address,
        action="append",
        metavar="HOST:PORT",
        help=f"where to listen; may be given several times; default: {DEFAULT_LISTEN_ADDRESS}",
    )
    parser.add_argument(
        "--web.external-url", dest="external_url", default="", metavar="URL", help="under which people reach the pages"
    )
    _add_logging(parser)


def _add_logging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log.level", dest="log_level", choices=_LEVELS, default="info", help="default: info")
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[form.value for form in LogFormat],
        default=LogFormat.LOGFMT.value,
        help="default: logfmt",
    )


def _address(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `:PORT`, `[IPV6]:PORT`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise argparse.ArgumentTypeError(f"{text!r}: an IPv6 address stands in brackets, as in [::1]:10421")
    return host.strip("[]"), int(port)


def _folder(text: str) -> Path | None:
    return None if text == IN_MEMORY else Path(text)


def _duration(text: str) -> float:
    """Seconds."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def _size(text: str) -> int:
    """Bytes; units are powers of 1024, as Prometheus has them."""
    number, unit = text[:-2], text[-2:].upper()
    if not number.isascii() or not number.isdigit() or unit not in _SIZES or not 0 < int(number) < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 512MB or 2GB")
    return int(number) * _SIZES[unit]


def _version() -> str:
    return f"statuscode-exporter {__version__} (Python {platform.python_version()})"


def _options(options: argparse.Namespace, config_file: Path) -> Options:
    listen = tuple(options.listen or [_address(DEFAULT_LISTEN_ADDRESS)])
    return Options(
        config_file=config_file,
        listen=listen,
        external_url=options.external_url,
        storage=options.storage,
        retention=Retention(options.retention_seconds, options.retention_bytes),
    )


def _serve(options: argparse.Namespace) -> int:
    loaded = config.load(options.config_file, os.environ)
    _run(app.serve(_options(options, options.config_file), loaded))
    return EXIT_OK


def _demo(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="statuscode-exporter-demo-") as directory:
        _run(_demonstrate(options, Path(directory)))
    return EXIT_OK


async def _demonstrate(options: argparse.Namespace, directory: Path) -> None:
    config_file = options.config_file or demo.example_config()
    loaded = config.load(config_file, os.environ)
    serving = _options(options, config_file)
    async with Laboratory(directory) as laboratory:
        os.environ["SSL_CERT_FILE"] = str(laboratory.ca_file)  # what OpenSSL takes for the system's trust
        _greet(serving, laboratory, loaded)
        await app.serve(serving, loaded)


def _greet(options: Options, laboratory: Laboratory, loaded: Config) -> None:
    host, port = options.listen[0]
    address = f"http://{host or 'localhost'}:{port}"
    rows = [(server.address, ", ".join(server.names), server.story) for server in laboratory.servers]
    lines = [
        "A laboratory of servers runs on loopback; the exporter probes it:",
        *(f"  {address:<12} {names:<42} {fault}" for address, names, fault in rows),
        f"{len(loaded.targets)} domains, from {options.config_file}",
        "",
        f"  overview  {address}/",
        f"  metrics   {address}/metrics",
        "",
        "Ctrl-C ends both.",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201


def _check_config(options: argparse.Namespace) -> int:
    loaded = config.load(options.file, os.environ)
    groups = len({target.group for target in loaded.targets})
    print(f"{options.file}: fine, {len(loaded.targets)} domains in {groups} groups")  # noqa: T201
    return EXIT_OK


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """On uvloop where it exists; Windows has none."""
    try:
        import uvloop  # noqa: PLC0415  # optional
    except ImportError:
        asyncio.run(coroutine)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(coroutine)
