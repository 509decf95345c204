"""One exporter at a time keeps its incidents in a directory: two would end and adopt each other's."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

FILE = "incidents.lock"

# What flock(2) says on file systems that have no locks: some network shares, some container volumes.
_WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})


class InUseError(Exception):
    """Another exporter keeps its incidents there."""


class Lock:
    """Holds `folder` for this process, until it is released or the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._held: int | None = None

    def take(self) -> None:
        """Take it, if it is not held yet. Raises InUseError, and OSError where the disk is at fault."""
        if self._is_held():
            return
        self.release()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._held = descriptor

    def release(self) -> None:
        descriptor, self._held = self._held, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_held(self) -> bool:
        """Whether what is locked is still the file of that name: somebody may have cleared the directory."""
        try:
            return self._held is not None and os.path.samestat(os.fstat(self._held), self._path.stat())
        except FileNotFoundError:
            return False

    def _lock(self, descriptor: int) -> None:
        if sys.platform == "win32":  # two exporters are not told apart there
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            raise InUseError(
                f"{self._path.parent}: another exporter (process {holder}) keeps its incidents there; end it, or name "
                "another directory with --storage.path"
            ) from error
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            logger.warning("storage: %s cannot be locked (%s): see that no other exporter uses it", self._path, error)
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
