"""What is kept of a body, whoever sends it and however long it is."""

from __future__ import annotations

import hashlib

MOST_BODY_KEPT = 64 * 1024  # bytes
MOST_BODY_READ = 1024 * 1024


class Body:
    """Takes a body in pieces: keeps its beginning, hashes and counts what is read, and says when that is enough."""

    def __init__(self) -> None:
        self.read = 0
        self._kept = bytearray()
        self._hash = hashlib.sha256()

    @property
    def is_enough(self) -> bool:
        """Whether as much was read as is ever read."""
        return self.read >= MOST_BODY_READ

    @property
    def kept(self) -> bytes:
        return bytes(self._kept)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def take(self, data: bytes) -> None:
        taken = data[: MOST_BODY_READ - self.read]
        self.read += len(taken)
        self._hash.update(taken)
        self._kept += taken[: MOST_BODY_KEPT - len(self._kept)]
