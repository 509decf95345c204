"""`check`, `replay` and `config check`: one answer to a person, or one document to a program."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from exporter import config, documents, saved
from exporter.cli.arguments import configuration
from exporter.cli.loop import run
from exporter.cli.status import EXIT_FOUND, EXIT_OK
from exporter.model import Round


def check(options: argparse.Namespace) -> int:
    from exporter import checking, terminal  # noqa: PLC0415  # probing and its libraries, which `replay` need not load

    loaded = configuration(options)
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
