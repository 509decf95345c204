"""Programs of other people that tests run: found, or the test is skipped (with CI=true: failed) by their name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def program(name: str) -> Path:
    """The path of an installed program."""
    # Debian keeps daemons where an ordinary user's PATH does not look.
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if found is not None:
        return Path(found)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI=true allows no skips")
    pytest.skip(f"{name} is not installed")
