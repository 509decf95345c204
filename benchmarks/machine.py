"""What the figures were taken on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
from pathlib import Path

from benchmarks.processes import program
from exporter import __version__


def facts() -> str:
    """One line. The load tells how many others want the cores: ask before the benchmark adds its own."""
    return "; ".join(
        (
            f"{len(os.sched_getaffinity(0))} cores ({_processor()}), load {os.getloadavg()[0]:.1f} before",
            f"Python {platform.python_version()}",
            " ".join(ssl.OPENSSL_VERSION.split()[:2]),
            f"statuscode-exporter {__version__}",
            f"nginx {_version('nginx', '-v')}",
            f"blackbox_exporter {_version('prometheus-blackbox-exporter', '--version')}",
        )
    )


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(name: str, flag: str) -> str:
    """The first thing in its answer that looks like a version; some answer on standard error."""
    done = subprocess.run([program(name), flag], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "of unknown version"
