"""Programs as ordinary processes on loopback: started, awaited, and ended by their id, each step within a bound."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

STARTS_WITHIN_SECONDS = 20.0
ENDS_WITHIN_SECONDS = 10.0
POLL_SECONDS = 0.05

T = TypeVar("T")


class Endpoint(NamedTuple):
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


def free_endpoint(address: str = "127.0.0.1") -> Endpoint:
    """An endpoint that nothing listened on a moment ago."""
    with socket.create_server((address, 0)) as probe:
        return Endpoint(address, probe.getsockname()[1])


@contextlib.contextmanager
def refusing_endpoint(address: str = "127.0.0.1", port: int = 0) -> Iterator[Endpoint]:
    """An endpoint that refuses connections: its port is taken, but not listened on."""
    with socket.socket() as taken:
        taken.bind((address, port))
        yield Endpoint(address, taken.getsockname()[1])


@contextlib.contextmanager
def silent_endpoint(address: str = "127.0.0.1") -> Iterator[Endpoint]:
    """An endpoint where connections succeed (the kernel accepts them) and nobody ever answers."""
    with socket.create_server((address, 0), backlog=256) as listener:
        yield Endpoint(address, listener.getsockname()[1])


def awaited(question: Callable[[], T | None], *, within_seconds: float, what: str) -> T:
    """Ask until the answer is neither None nor False; AssertionError with `what` when the time is over."""
    deadline = time.monotonic() + within_seconds
    while True:
        answer = question()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_seconds:g} s: {what}")
        time.sleep(POLL_SECONDS)


def is_listening(endpoint: Endpoint) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(endpoint, timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[], bool],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ready; what it writes goes to `log`. It is ended on leaving, whatever happened."""
    env = {**os.environ, **(environment or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env)
    try:
        _await_ready(process, ready, log)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end, insist after a while; its exit status."""
    process.terminate()
    try:
        return process.wait(ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(ENDS_WITHIN_SECONDS)


def _await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    def ready_or_over() -> bool:
        return process.poll() is not None or ready()

    name = Path(str(process.args[0])).name  # type: ignore[index]
    awaited(ready_or_over, within_seconds=STARTS_WITHIN_SECONDS, what=f"{name} is ready; its log: {log}")
    if process.poll() is not None:
        raise AssertionError(f"{name} ended with status {process.returncode}: {log.read_text(errors='replace')}")
