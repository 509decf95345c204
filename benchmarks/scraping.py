"""Scrapes `/metrics` as Prometheus does, from outside the process that serves it."""

from __future__ import annotations

import gzip
import http.client
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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


@contextmanager
def serving(folder: Path) -> Iterator[Callable[[str], float]]:
    """Called with an encoding, it gives the longest stall of the serving loop during one scrape, in seconds."""
    port = free_port()
    argv = (sys.executable, "-m", "benchmarks.serving", str(port))
    with running(argv, folder / "serving.log", lambda: is_listening(port)):

        def longest_stall(encoding: str) -> float:
            scrape(port, encoding, STALL_PATH)
            scrape(port, encoding)
            return float(scrape(port, encoding, STALL_PATH))

        yield longest_stall
