"""What is wrong with a configuration, where it stands, and the one exception that says all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the top of the document, as in `("groups", 0, "domains")`."""

MAX_SHOWN = 1_000
"""A file that was broken by a program has as many faults as lines; a person reads the first few."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ConfigError(Exception):
    """The configuration cannot be used; nothing of it was applied.

    Attributes:
        complaints: everything that is wrong, one line each, in order of position.
    """

    def __init__(self, complaints: Iterable[str]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(self.complaints))


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """One fault. The message never repeats a value that may be secret."""

    place: Place
    path: KeyPath
    message: str

    def __str__(self) -> str:
        path = shown(self.path)
        return f"{self.place.line}: {path}: {self.message}" if path else f"{self.place.line}: {self.message}"


class Complaints:
    """Gathers what is found wrong while reading goes on."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[Complaint, None] = {}

    def add(self, place: Place, path: KeyPath, message: str) -> None:
        """Note a fault; the same fault at the same place counts once."""
        self._found[Complaint(place, path, message)] = None

    def raise_any(self) -> None:
        """Raise ConfigError if anything was found."""
        if not self._found:
            return
        ordered = sorted(self._found, key=lambda complaint: (complaint.place.line, complaint.place.column))
        lines = [f"{self._file}:{complaint}" for complaint in ordered[:MAX_SHOWN]]
        if len(ordered) > MAX_SHOWN:
            lines.append(f"{self._file}: {len(ordered) - MAX_SHOWN} further faults are not listed")
        raise ConfigError(lines)


def shown(path: KeyPath) -> str:
    """The path for people.

    >>> shown(("groups", 0, "headers", "Authorization", "file"))
    'groups[0].headers.Authorization'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{_printable(part)}" for part in _without_secrets(path))
    return "".join(parts).removeprefix(".")


def _without_secrets(path: KeyPath) -> KeyPath:
    """Cut what stands under a header's name, as the secret is a key in `Authorization: {hunter2}`, and a bad name."""
    if "headers" not in path:
        return path
    end = path.index("headers") + 1
    name = path[end] if end < len(path) else ""
    return path[: end + 1] if isinstance(name, str) and _PLAIN_KEY.fullmatch(name) else path[:end]


def _printable(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else ascii(key[:64])
