"""What can be said on the command line. Imports nothing that takes time."""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from exporter import __version__

DEFAULT_LISTEN_ADDRESS = ":10421"
IN_MEMORY = ":memory:"
_SIZES = {"KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_LEVELS = ("debug", "info", "warning", "error")
_LOG_FORMATS = ("logfmt", "json")
_MOST_ROUNDS = 100


def parser() -> argparse.ArgumentParser:
    """`options.command` is `<room>:<function>` under `exporter.cli`."""
    parser = argparse.ArgumentParser(
        prog="statuscode-exporter",
        description="Asks HTTPS domains as different clients do, tells Prometheus what came back, and names the cause.",
    )
    version = f"statuscode-exporter {__version__} (Python {platform.python_version()})"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_check(commands)
    _add_replay(commands)
    _add_runbook(commands)
    _add_demo(commands)
    _add_config(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="probe by schedule and serve /metrics")
    _add_config_file(serve, default="config.yaml")
    _add_storage(serve, default="data/")
    _add_serving(serve)
    serve.set_defaults(command="serve:serve")


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="serve, on a laboratory of well- and misconfigured servers here")
    _add_config_file(demo, default=None)
    _add_storage(demo, default=IN_MEMORY)
    _add_serving(demo)
    demo.set_defaults(command="serve:demonstrate")


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="diagnose now: what is wrong with these domains, and why",
        description="Asks the domains as different clients do and names the cause of what is wrong. "
        "Exit status: 0 healthy, 1 findings of warning or worse, 2 usage or configuration.",
    )
    check.add_argument(
        "domains",
        nargs="*",
        metavar="DOMAIN",
        help="the names to check, or addresses out of a browser: https://shop.example.com:8443/cart",
    )
    check.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="check all domains of a configuration instead",
    )
    check.add_argument(
        "--sibling",
        dest="siblings",
        action="append",
        default=[],
        metavar="NAME",
        help="another name that is served together with the domains; may be given several times",
    )
    check.add_argument(
        "--address",
        dest="addresses",
        action="append",
        default=[],
        metavar="IP",
        help="ask at this address instead of those in DNS; may be given several times",
    )
    check.add_argument("--port", type=int, metavar="N", help="default: 443")
    check.add_argument("--path", metavar="PATH", help="default: /")
    check.add_argument("--ca-file", dest="ca_file", metavar="FILE", help="PEM bundle to trust instead of the system's")
    check.add_argument("--timeout", metavar="DURATION", help="default: 10s")
    check.add_argument("--rounds", type=_rounds, default=1, metavar="N", help="look so many times; default: 1")
    check.add_argument(
        "--save", type=Path, metavar="FILE", help="write all that was seen, for `replay`; without secrets"
    )
    _add_output(check)
    _add_logging(check, default="warning")
    check.set_defaults(command="check:check")


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = commands.add_parser("replay", help="diagnose what `check --save` has written")
    replay.add_argument("file", type=Path, metavar="FILE")
    _add_output(replay)
    _add_logging(replay, default="warning")
    replay.set_defaults(command="check:replay")


def _add_runbook(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    runbook = commands.add_parser("runbook", help="print what to do about a cause or a status code, as Markdown")
    runbook.add_argument(
        "id", nargs="?", metavar="ID", help="of a cause, or a status code; without it: all that there are"
    )
    runbook.set_defaults(command="runbook:runbook", log_level="warning", log_format="logfmt")


def _add_config(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    configuration = commands.add_parser("config", help="work with configuration files")
    checks = configuration.add_subparsers(required=True, metavar="COMMAND")
    check = checks.add_parser("check", help="say everything that is wrong with a file; exit status 2 if anything is")
    check.add_argument("file", type=Path)
    _add_logging(check)
    check.set_defaults(command="check:check_config")


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
        type=address,
        action="append",
        metavar="HOST:PORT",
        help=f"where to listen; may be given several times; default: {DEFAULT_LISTEN_ADDRESS}",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS and users, in the form of Prometheus' exporter-toolkit; default: plain HTTP for everybody",
    )
    parser.add_argument(
        "--web.external-url", dest="external_url", default="", metavar="URL", help="under which people reach the pages"
    )
    parser.add_argument(
        "--web.runbook-url",
        dest="runbook_url",
        default="",
        metavar="URL",
        help="below which alerts and dashboards find the runbooks; default: /runbooks of this exporter",
    )
    _add_logging(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--json", dest="output", action="store_const", const="json", help="the same as --output=json")


def _add_logging(parser: argparse.ArgumentParser, default: str = "info") -> None:
    parser.add_argument("--log.level", dest="log_level", choices=_LEVELS, default=default, help=f"default: {default}")
    parser.add_argument(
        "--log.format", dest="log_format", choices=_LOG_FORMATS, default="logfmt", help="default: logfmt"
    )


def _rounds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_ROUNDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_ROUNDS}")
    return int(text)


def address(text: str) -> tuple[str, int]:
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
    from exporter.config import durations  # noqa: PLC0415  # the configuration's libraries take a while to load

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
