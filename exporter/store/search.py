"""What is read from the database: pages of incidents, and one with its rounds. Blocks."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from exporter.model import ChangeKind, Incident, Round, Stage
from exporter.store.query import MOST_PER_PAGE, NO_CODE, KeptRound, Page, Query, Record, cursor_after, place_of
from exporter.store.records import UnreadableError, unpacked_incident, unpacked_round

logger = logging.getLogger(__name__)


def open_incidents(connection: sqlite3.Connection) -> tuple[Incident, ...]:
    """Those that are not resolved, the oldest first."""
    rows = connection.execute("SELECT id, body FROM incident WHERE stage != ? ORDER BY since, id", (Stage.RESOLVED,))
    return tuple(readable(rows))


def readable(rows: Iterable[tuple[str, bytes]]) -> Iterator[Incident]:
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
    return Page(tuple(readable((identity, body) for _, identity, body in shown)), more)


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
    incident = next(readable(rows), None)
    if incident is None:
        return None
    kept = connection.execute("SELECT kind, at, note, body FROM round WHERE incident = ? ORDER BY id", (identity,))
    return Record(incident, tuple(KeptRound(ChangeKind(kind), at, note, _round(body)) for kind, at, note, body in kept))


def _round(body: bytes) -> Round | None:
    with contextlib.suppress(UnreadableError):
        return unpacked_round(body)
    return None
