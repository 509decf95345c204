"""The database file: its tables, how older files become newer ones, and what is done with one that cannot be used."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

logger = logging.getLogger(__name__)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE incident (
            id TEXT PRIMARY KEY, stage TEXT NOT NULL, cause TEXT NOT NULL, code INTEGER, since REAL NOT NULL,
            until REAL, body BLOB NOT NULL
        )""",
        "CREATE INDEX incident_by_time ON incident (since, id)",
        "CREATE INDEX incident_by_stage ON incident (stage, until)",
        """CREATE TABLE incident_domain (
            domain TEXT NOT NULL, since REAL NOT NULL, incident TEXT NOT NULL, PRIMARY KEY (domain, since, incident)
        ) WITHOUT ROWID""",
        "CREATE INDEX incident_domain_by_incident ON incident_domain (incident)",
        """CREATE TABLE round (
            id INTEGER PRIMARY KEY, incident TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL, note TEXT NOT NULL,
            body BLOB NOT NULL, UNIQUE (incident, at, kind)
        )""",
        "CREATE INDEX round_by_incident ON round (incident, id)",
        """CREATE TABLE outbox (
            incident TEXT PRIMARY KEY, wanted INTEGER NOT NULL, told INTEGER NOT NULL, annotation INTEGER
        ) WITHOUT ROWID""",
    ),
)
"""What leads from each version to the next. A released one is never changed; a new one is added at the end."""

VERSION = len(MIGRATIONS)

_MAGIC = b"SQLite format 3\0"
_BUSY_SECONDS = 5.0


class NewerError(Exception):
    """The file was written by a newer version."""


class CorruptError(Exception):
    """The file is no database, or a broken one."""


_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_corrupt(error: sqlite3.Error) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BROKEN


def opened(path: Path | None, *, check: bool) -> sqlite3.Connection:
    """A connection to a database of this version, made or brought up to it; None: in memory.

    Raises NewerError and CorruptError, and sqlite3.Error or OSError where the disk is at fault. `check` reads all of
    it, about a second for 500 MB.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_newer(_version_in_header(path), path)
    connection = _connected(path)
    try:
        _prepare(connection, path, check)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and is_corrupt(error):
            raise CorruptError(str(error)) from error
        raise
    return connection


def reading(path: Path) -> sqlite3.Connection:
    """A connection that only reads; the file must be there."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def set_aside(path: Path, now: float) -> Path:
    """Give a broken file another name, with what belongs to it; `now` in Unix time."""
    aside = path.with_name(f"{path.name}.corrupt-{now:.0f}")
    for suffix in ("-wal", "-shm", ""):  # the database last: it must not be opened without its log
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _version_in_header(path: Path) -> int:
    """Read without SQLite, as even opening may write: the file format's section 1.3, offset 60."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return 0
    return int.from_bytes(header[60:64]) if header.startswith(_MAGIC) else 0


def _refuse_newer(version: int, path: Path | None) -> None:
    if version > VERSION:
        raise NewerError(
            f"{path} was written by a newer version of the exporter (in format {version}, this one knows {VERSION}) "
            "and is left as it is: run that version, or give another place by --storage.path"
        )


def _connected(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(
        ":memory:" if path is None else path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _prepare(connection: sqlite3.Connection, path: Path | None, check: bool) -> None:
    version = _pragma(connection, "user_version")
    _refuse_newer(int(version), path)
    if version == 0:
        _pragma(connection, "auto_vacuum = INCREMENTAL")  # heeded as long as there is no table
    _pragma(connection, "journal_mode = WAL")
    # What was told must be there after a power cut too; changes are few, and no probe waits for them.
    _pragma(connection, "synchronous = FULL")
    for number in range(int(version), VERSION):
        _migrate(connection, number)
    _pragma(connection, "wal_checkpoint(TRUNCATE)")  # so that the header tells the version
    if check and version:
        _check(connection)  # last: it leaves a lock that a checkpoint stumbles over


def _pragma(connection: sqlite3.Connection, text: str) -> int | str:
    """Its first value; 0 where it has none. All rows are taken: one that is left would lock what follows."""
    rows: list[tuple[int | str, ...]] = connection.execute(f"PRAGMA {text}").fetchall()
    return rows[0][0] if rows else 0


def _check(connection: sqlite3.Connection) -> None:
    verdict = str(_pragma(connection, "quick_check(1)"))
    if verdict != "ok":
        raise CorruptError(" ".join(verdict.split()))


def _migrate(connection: sqlite3.Connection, number: int) -> None:
    """All of a migration or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        _pragma(connection, f"user_version = {number + 1}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
