"""What curl sees in a cell: the witness of the laboratory, which knows nothing of the exporter."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.scenario import Cell
from tests.programs import program
from tests.real.processes import Endpoint

TIMEOUT_SECONDS = 5  # the first page of a Java server takes seconds where the machine is busy
NEVER_SECONDS = 1  # where nothing is expected to come, there is nothing to wait for
WORDS = {
    1: "not HTTP",  # HTTP/0.9 is off, so bytes that are no HTTP are an "unsupported protocol"
    6: "no address",
    7: "refused",
    16: "HTTP/2 broken",
    18: "cut off",
    28: "timeout",
    35: "handshake failed",
    47: "redirects for ever",
    52: "closed without answer",
    56: "broken off",
    60: "not trusted",
    92: "HTTP/2 stream broken",
}
"""curl's exit status (`curl.1`, EXIT CODES) in our words."""


def seen(cell: Cell, endpoints: Mapping[str, Endpoint], ca_file: Path) -> tuple[int | str, str]:
    """(a status, or a word for what came instead; the body)."""
    endpoint = endpoints[cell.at]
    output = subprocess.run(_argv(cell, endpoint, ca_file), capture_output=True, check=False)
    body, _, status = output.stdout.decode("utf-8", "replace").rpartition("\n")
    if output.returncode:
        return WORDS.get(output.returncode, f"curl {output.returncode}: {output.stderr.decode()[-200:]}"), body
    return int(status), body


def _argv(cell: Cell, endpoint: Endpoint, ca_file: Path) -> list[str | Path]:
    trust: list[str | Path] = ["--cacert", ca_file] if cell.verifies else ["--insecure"]
    follow = ["--location", "--max-redirs", "5"] if cell.follows else []
    header = ["--header", cell.header] if cell.header else []
    # Redirects bring a Host of their own, which a fixed field would overrule.
    host = [] if cell.sni == cell.host else ["--header", f"Host: {cell.host}:{endpoint.port}"]
    patience = NEVER_SECONDS if cell.seen == WORDS[28] else TIMEOUT_SECONDS
    return [
        program("curl"),
        *("--silent", "--show-error", "--max-time", str(patience), "--write-out", "\n%{http_code}"),
        "--http2" if cell.http2 else "--http1.1",
        *("--connect-to", f"::{endpoint}"),
        *trust,
        *follow,
        *header,
        *host,
        f"https://{cell.sni or endpoint.address}:{endpoint.port}{cell.path}",
    ]
