"""What is written to the database, and what is forgotten again. Blocks, and is called in the store's threads only."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from exporter.model import ChangeKind, Incident, Round, Stage
from exporter.store.records import packed_incident, packed_round

logger = logging.getLogger(__name__)

FIRST_ROUNDS, LAST_ROUNDS = 10, 20
"""Kept of one incident, so that one that flaps for weeks has a bounded weight, its beginning and its end."""

_PRUNED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class RoundToKeep:
    """A round and what it changed; `at` and `note` as in `Change`."""

    incident: str
    kind: ChangeKind
    at: float
    note: str
    round: Round


@dataclass(slots=True)
class Batch:
    """What is to be written in one transaction.

    Attributes:
        incidents: by id, the newest state; None: it came to nothing.
        announce: ids of incidents of which Grafana is to be told.
    """

    incidents: dict[str, Incident | None] = field(default_factory=dict)
    rounds: list[RoundToKeep] = field(default_factory=list)
    announce: dict[str, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.incidents) + len(self.rounds)


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """All of it or nothing."""
    with _transaction(connection):
        for identity, incident in batch.incidents.items():
            _write_incident(connection, identity, incident)
        for kept in batch.rounds:
            _write_round(connection, kept)
        connection.executemany(_ANNOUNCE, [(identity,) for identity in batch.announce])


_ANNOUNCE = "INSERT INTO outbox VALUES (?, 1, 0, NULL) ON CONFLICT (incident) DO UPDATE SET wanted = wanted + 1"


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _write_incident(connection: sqlite3.Connection, identity: str, incident: Incident | None) -> None:
    if incident is None:
        connection.execute("DELETE FROM incident WHERE id = ?", (identity,))
        connection.execute("DELETE FROM incident_domain WHERE incident = ?", (identity,))
        return
    row = (
        identity,
        incident.stage,
        incident.cause,
        incident.code,
        incident.since,
        incident.until,
        packed_incident(incident),
    )
    connection.execute("INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    domains = [(domain, incident.since, identity) for domain in incident.affected]
    connection.executemany("INSERT OR IGNORE INTO incident_domain VALUES (?, ?, ?)", domains)


def _write_round(connection: sqlite3.Connection, kept: RoundToKeep) -> None:
    try:
        body = packed_round(kept.round)
    except ValueError:  # whatever a server made it hold must not keep the others from being written
        logger.exception("a round of %s cannot be stored", kept.round.target.domain)
        return
    note = kept.note.encode("utf-8", "replace").decode()
    row = (kept.incident, kept.kind, kept.at, note, body)
    connection.execute("INSERT OR IGNORE INTO round (incident, kind, at, note, body) VALUES (?, ?, ?, ?, ?)", row)
    connection.execute(
        """DELETE FROM round WHERE incident = :incident
            AND id NOT IN (SELECT id FROM round WHERE incident = :incident ORDER BY id LIMIT :first)
            AND id NOT IN (SELECT id FROM round WHERE incident = :incident ORDER BY id DESC LIMIT :last)""",
        {"incident": kept.incident, "first": FIRST_ROUNDS, "last": LAST_ROUNDS},
    )


def used_bytes(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def prune(connection: sqlite3.Connection, *, oldest: float, most_bytes: int) -> int:
    """Forget what was over before `oldest` (Unix time), and then the oldest that is over, until the rest is small.

    How many incidents were forgotten. What is open is never forgotten.
    """
    forgotten = 0
    while True:
        is_big = used_bytes(connection) > most_bytes
        until = float("inf") if is_big else oldest
        rows = connection.execute(
            "SELECT id FROM incident WHERE stage = ? AND until < ? ORDER BY until LIMIT ?",
            (Stage.RESOLVED, until, _PRUNED_AT_ONCE),
        ).fetchall()
        if not rows:
            break
        _forget(connection, [identity for (identity,) in rows])
        forgotten += len(rows)
    if forgotten:
        connection.executescript("PRAGMA incremental_vacuum")  # by `execute`, it would take one page
    return forgotten


def _forget(connection: sqlite3.Connection, identities: list[str]) -> None:
    keys = [(identity,) for identity in identities]
    with _transaction(connection):
        connection.executemany("DELETE FROM round WHERE incident = ?", keys)
        connection.executemany("DELETE FROM incident_domain WHERE incident = ?", keys)
        connection.executemany("DELETE FROM outbox WHERE incident = ?", keys)
        connection.executemany("DELETE FROM incident WHERE id = ?", keys)
