"""`check`, `replay` and `config check`: one answer to a person, or one document to a program."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from exporter import config, documents, saved
from exporter.cli.loop import run
from exporter.cli.status import EXIT_FOUND, EXIT_OK
from exporter.config import Config, ConfigError
from exporter.model import Round


def check(options: argparse.Namespace) -> int:
    from exporter import checking, terminal  # noqa: PLC0415  # probing and its libraries, which `replay` need not load

    loaded = _configuration(options)
    with terminal.progress(quiet=options.output == "json") as told:
        series = run(checking.check(loaded, options.rounds, told))
    if options.save is not None:
        saved.save(options.save, series)
    return _show([row[-1] for row in series], options.output)


def replay(options: argparse.Namespace) -> int:
    return _show(saved.diagnosed_anew(saved.load(options.file)), options.output)


def check_config(options: argparse.Namespace) -> int:
    loaded = config.load(options.file, os.environ)
    groups = len({target.group for target in loaded.targets})
    print(f"{options.file}: fine, {len(loaded.targets)} domains in {groups} groups")  # noqa: T201
    return EXIT_OK


def _show(rounds: Sequence[Round], output: str) -> int:
    if output == "json":
        print(json.dumps(documents.report(rounds), indent=1, ensure_ascii=True))  # noqa: T201
    else:
        from exporter import terminal  # noqa: PLC0415  # who asks for JSON need not load it

        terminal.show(rounds)
    sys.stdout.flush()
    return EXIT_OK if documents.is_healthy(rounds) else EXIT_FOUND


def _configuration(options: argparse.Namespace) -> Config:
    """The file's, or one made of the arguments, which is held to the same rules."""
    given = {key: getattr(options, key) for key in ("port", "path", "ca_file", "timeout")}
    settings = {key: value for key, value in given.items() if value is not None}
    if options.config_file is not None:
        if options.domains or options.siblings or options.addresses or settings:
            raise ConfigError(["check: give names and settings, or --config.file, not both"])
        return config.load(options.config_file, os.environ)
    names = list(dict.fromkeys([*options.domains, *options.siblings]))
    if not options.domains:
        raise ConfigError(["check: give the names to check, or --config.file"])
    if options.addresses:
        settings["resolve"] = options.addresses
    if "timeout" in settings:
        settings["interval"] = "1h"  # which bounds the timeout, and means nothing here
    if "ca_file" in settings:
        settings["ca_file"] = str(Path(settings["ca_file"]).absolute())
    document = {"groups": [{"name": "check", **settings, "domains": names}]}
    return config.parse(json.dumps(document), Path("arguments"), os.environ)
