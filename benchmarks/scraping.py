"""Scrapes `/metrics` as Prometheus does, from outside the process that serves it."""

from __future__ import annotations

import gzip
import http.client
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import HOST, free_port, is_listening, running
from benchmarks.serving import STALL_PATH


def scrape(port: int, encoding: str, path: str = "/metrics") -> str:
    """The document; `encoding` is `gzip` or `identity`."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Accept-Encoding": encoding})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return (gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body).decode()


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest of one scrape, by the clock and in CPU time of the loop's thread."""

    seconds: float
    cpu_seconds: float


@contextmanager
def serving(folder: Path) -> Iterator[Callable[[str], Stall]]:
    """Called with an encoding, it scrapes once and gives the longest stall of the serving loop meanwhile."""
    port = free_port()
    argv = (sys.executable, "-m", "benchmarks.serving", str(port))
    with running(argv, folder / "serving.log", lambda: is_listening(port)):

        def longest_stall(encoding: str) -> Stall:
            scrape(port, encoding, STALL_PATH)
            scrape(port, encoding)
            return Stall(*json.loads(scrape(port, encoding, STALL_PATH)))

        yield longest_stall
