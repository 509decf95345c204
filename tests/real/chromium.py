"""Chromium, headless, with profiles of its own that trust the tests' authority."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from tests.programs import program

LOADS_WITHIN_SECONDS = 60
FLAGS = (
    "--headless",
    "--no-sandbox",  # or it would not start as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--dump-dom",
    "--virtual-time-budget=5000",  # ms, which stand still while something is being fetched
)


class Chromium:
    """Every document is loaded with a new profile, which trusts the authorities in `ca_files`."""

    def __init__(self, folder: Path, *ca_files: Path) -> None:
        self._chromium = program("chromium")
        self._folder = folder
        self._serial = count(1)
        _trust(folder, ca_files)

    def dom(self, url: str, addresses: Mapping[str, str], *, over_http3: bool = False) -> str:
        """The document of `url` once nothing more is being fetched; names without an address do not resolve.

        Arguments:
            over_http3: at once and only, without which an authority of our own would not do for HTTP/3; else never.
        """
        rules = [f"MAP {name} {address}" for name, address in addresses.items()]
        profile = f"--user-data-dir={self._folder}/{next(self._serial)}"
        resolver = f"--host-resolver-rules={', '.join([*rules, 'MAP * ~NOTFOUND'])}"
        quic = f"--origin-to-force-quic-on={urlsplit(url).netloc}" if over_http3 else "--disable-quic"
        with _group((self._chromium, *FLAGS, quic, profile, resolver, url), self._folder) as process:
            return process.communicate(timeout=LOADS_WITHIN_SECONDS)[0].decode()


def _trust(home: Path, ca_files: Sequence[Path]) -> None:
    """Chromium reads the user's NSS database, which it looks for at this place."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    certutil = (program("certutil"), "-d", f"sql:{database}")
    subprocess.run((*certutil, "-N", "--empty-password"), check=True, timeout=30)
    for number, ca_file in enumerate(ca_files):
        subprocess.run((*certutil, "-A", "-t", "C,,", "-n", f"{number}", "-i", ca_file), check=True, timeout=30)


@contextlib.contextmanager
def _group(argv: tuple[str | Path, ...], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose children are ended with it."""
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    with (home / "chromium.log").open("ab") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
