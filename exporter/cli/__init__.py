"""The command line, with flags in the Prometheus manner. A command's rooms are opened only by who asks for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from exporter.cli.parser import parser
from exporter.cli.status import EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_USAGE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. The exit status: 0 well, 1 it broke or something is found, 2 usage or configuration.

    130 is what shells expect of a program that Ctrl-C ended.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal need not know every letter
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    room, _, function = options.command.partition(":")
    # Loading what probes and serves takes half a second, which `--help` and `--version` need not.
    command = getattr(import_module(f"exporter.cli.{room}"), function)
    from exporter.config import ConfigError  # noqa: PLC0415
    from exporter.logs import LogFormat, set_up  # noqa: PLC0415

    set_up(options.log_level, LogFormat(options.log_format))
    try:
        status: int = command(options)
    except ConfigError as error:
        return _say(str(error), EXIT_USAGE)
    except BrokenPipeError:
        return EXIT_BROKEN
    except OSError as error:
        return _say(f"cannot {room}: {error}", EXIT_BROKEN)
    return status


def _say(message: str, status: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201  # the answer to a person
    return status
