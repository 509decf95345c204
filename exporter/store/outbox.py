"""What Grafana is still to be told, by incident. Blocks, as all that takes a connection."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from exporter.model import Incident, Stage
from exporter.store.search import readable


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
        found += [Letter(incident, wanted, annotation) for incident in readable([(identity, body)])]
    return tuple(found), total


def posted(connection: sqlite3.Connection, letter: Letter, annotation: int | None, told: bool) -> None:
    """Note the annotation's number, and, if it was `told`, that this letter has been delivered."""
    connection.execute(
        "UPDATE outbox SET annotation = ?, told = max(told, ?) WHERE incident = ?",
        (annotation, letter.wanted if told else 0, letter.incident.id),
    )
