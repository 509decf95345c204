"""Programs on loopback: started, awaited, measured by /proc, and ended by their id."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
_STARTS_WITHIN_SECONDS = 60.0
_ENDS_WITHIN_SECONDS = 20.0  # the exporter gives rounds in flight 15
_POLL_SECONDS = 0.05
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class MissingProgramError(Exception):
    """A program that the benchmark needs is not installed."""


def program(name: str) -> str:
    """The path of an installed program. Debian keeps daemons where an ordinary user's PATH does not look."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if found is None:
        raise MissingProgramError(f"{name} is not installed")
    return found


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


@dataclass(frozen=True, slots=True)
class Running:
    """A started program, as the kernel accounts for it."""

    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far, in steps of 10 ms (proc(5), fields 14 and 15 of stat)."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS_PER_SECOND

    def memory_bytes(self, field: str) -> int:
        """`VmRSS` (resident now) or `VmHWM` (at most so far)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


@contextlib.contextmanager
def running(
    argv: Sequence[str], log: Path, ready: Callable[[], bool], environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A program that is ready; what it writes goes to `log`. It is ended on leaving, whatever happened."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        _await(process, ready, log)
        yield Running(process.pid)
    finally:
        _end(process)


def _await(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not ready: {log.read_text(errors='replace')}")
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
