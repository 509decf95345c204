"""`runbook`: the pages of `/runbooks/` for who has a terminal and no exporter at hand."""

from __future__ import annotations

import argparse
import difflib
import sys

from exporter import runbooks
from exporter.cli.status import EXIT_OK, EXIT_USAGE


def runbook(options: argparse.Namespace) -> int:
    if options.id is None:
        return _say(_index())
    text = runbooks.markdown(options.id)
    if text is None:
        return _refuse(options.id)
    return _say(text.rstrip())


def _index() -> str:
    width = max(map(len, runbooks.titles()))
    return "\n".join(f"{id_:<{width}}  {title}" for id_, title in runbooks.titles().items())


def _refuse(id_: str) -> int:
    close = difflib.get_close_matches(id_, runbooks.titles())
    hint = f"did you mean {' or '.join(close)}?" if close else "`statuscode-exporter runbook` lists all"
    print(f"there is no runbook {id_!r}: {hint}", file=sys.stderr)  # noqa: T201  # the answer to a person
    return EXIT_USAGE


def _say(text: str) -> int:
    print(text)  # noqa: T201
    sys.stdout.flush()
    return EXIT_OK
