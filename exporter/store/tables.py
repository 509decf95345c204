"""What is written to the database and read from it. Blocks, and is called in the store's threads only."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter.model import ChangeKind, Incident, Round, Stage
from exporter.store.query import MOST_PER_PAGE, NO_CODE, KeptRound, Page, Query, Record, cursor_after, place_of
from exporter.store.records import (
    UnreadableError,
    packed_incident,
    packed_round,
    unpacked_incident,
    unpacked_round,
)

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


@dataclass(frozen=True, slots=True)
class Letter:
    """What Grafana is to be told of an incident.

    Attributes:
        wanted: counts the changes; says which of them the letter is about.
        annotation: its number in Grafana; None: not known.
    """

    incident: Incident
    wanted: int
    annotation: int | None


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


def open_incidents(connection: sqlite3.Connection) -> tuple[Incident, ...]:
    """Those that are not resolved, the oldest first."""
    rows = connection.execute("SELECT id, body FROM incident WHERE stage != ? ORDER BY since, id", (Stage.RESOLVED,))
    return tuple(_readable(rows))


def _readable(rows: Iterable[tuple[str, bytes]]) -> Iterator[Incident]:
    for identity, body in rows:
        try:
            yield unpacked_incident(body)
        except UnreadableError as error:
            logger.warning("stored incident %s cannot be read: %s", identity, error)


def page(connection: sqlite3.Connection, query: Query) -> Page:
    """One page. Raises CursorError."""
    limit = max(1, min(query.limit, MOST_PER_PAGE))
    where, values = _where(query)
    by = _BY_TIME if query.domain is None else _BY_DOMAIN
    order = f"{by.since} DESC, {by.identity} DESC"
    columns = "incident.since, incident.id, incident.body"
    select = f"SELECT {columns} FROM {by.tables} WHERE {where} ORDER BY {order} LIMIT :limit"  # noqa: S608
    rows = connection.execute(select, {**values, "limit": limit + 1}).fetchall()
    shown = rows[:limit]
    more = cursor_after(*shown[-1][:2]) if len(rows) > limit else ""
    return Page(tuple(_readable((identity, body) for _, identity, body in shown)), more)


class _Way(NamedTuple):
    """Tables in the order of one of their indices, so that no more is looked at than is shown."""

    tables: str
    since: str
    identity: str


_BY_TIME = _Way("incident", "incident.since", "incident.id")
_BY_DOMAIN = _Way(
    "incident_domain CROSS JOIN incident ON incident.id = incident_domain.incident",
    "incident_domain.since",
    "incident_domain.incident",
)


def _where(query: Query) -> tuple[str, Mapping[str, object]]:
    """The conditions, made of fixed texts only, and the values that they name."""
    clauses = [clause for is_asked, clause in _clauses(query) if is_asked]
    since, identity = place_of(query.cursor) if query.cursor else (0.0, "")
    values = {
        "domain": query.domain,
        "code": query.code,
        "cause": query.cause,
        "stage": query.stage,
        "after": query.after,
        "before": query.before,
        "pending": Stage.PENDING,
        "since": since,
        "identity": identity,
    }
    return " AND ".join(clauses), values


def _clauses(query: Query) -> Iterator[tuple[bool, str]]:
    yield query.stage is None, "stage != :pending"
    yield query.stage is not None, "stage = :stage"
    yield query.domain is not None, "incident_domain.domain = :domain"
    yield query.code is not None, "code IS NULL" if query.code == NO_CODE else "code = :code"
    yield query.cause is not None, "cause = :cause"
    yield query.after is not None, "(until IS NULL OR until >= :after)"
    by = _BY_TIME if query.domain is None else _BY_DOMAIN
    yield query.before is not None, f"{by.since} <= :before"
    yield bool(query.cursor), f"({by.since}, {by.identity}) < (:since, :identity)"


def record(connection: sqlite3.Connection, identity: str) -> Record | None:
    """An incident with its rounds; None: there is none of this id that can be read."""
    rows = connection.execute("SELECT id, body FROM incident WHERE id = ?", (identity,))
    incident = next(_readable(rows), None)
    if incident is None:
        return None
    kept = connection.execute("SELECT kind, at, note, body FROM round WHERE incident = ? ORDER BY id", (identity,))
    return Record(incident, tuple(KeptRound(ChangeKind(kind), at, note, _round(body)) for kind, at, note, body in kept))


def _round(body: bytes) -> Round | None:
    with contextlib.suppress(UnreadableError):
        return unpacked_round(body)
    return None


def announce_all(connection: sqlite3.Connection) -> None:
    """Put what is open and was never announced into the outbox."""
    connection.execute(
        "INSERT OR IGNORE INTO outbox SELECT id, 1, 0, NULL FROM incident WHERE stage = ?", (Stage.FIRING,)
    )


def letters(connection: sqlite3.Connection, limit: int) -> tuple[tuple[Letter, ...], int]:
    """What Grafana is still to be told, the oldest incidents first, and how many letters there are in all."""
    due = "FROM outbox JOIN incident ON incident.id = outbox.incident WHERE outbox.wanted > outbox.told"
    (total,) = connection.execute(f"SELECT count(*) {due}").fetchone()
    columns = "incident.id, incident.body, outbox.wanted, outbox.annotation"
    rows = connection.execute(f"SELECT {columns} {due} ORDER BY incident.since, incident.id LIMIT ?", (limit,))
    found = []
    for identity, body, wanted, annotation in rows:
        found += [Letter(incident, wanted, annotation) for incident in _readable([(identity, body)])]
    return tuple(found), total


def posted(connection: sqlite3.Connection, letter: Letter, annotation: int | None, told: bool) -> None:
    """Note the annotation's number, and, if it was `told`, that this letter has been delivered."""
    connection.execute(
        "UPDATE outbox SET annotation = ?, told = max(told, ?) WHERE incident = ?",
        (annotation, letter.wanted if told else 0, letter.incident.id),
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
