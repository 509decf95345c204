"""The memory: incidents, and the rounds that opened, changed and closed them, in SQLite. The only home of sqlite3."""

from exporter.store.lock import InUseError
from exporter.store.outbox import Letter
from exporter.store.query import MOST_PER_PAGE, NO_CODE, CursorError, KeptRound, Page, Query, Record
from exporter.store.schema import NewerError
from exporter.store.store import Retention, Store, UnavailableError
from exporter.store.waiting import Kept

__all__ = [
    "MOST_PER_PAGE",
    "NO_CODE",
    "CursorError",
    "InUseError",
    "Kept",
    "KeptRound",
    "Letter",
    "NewerError",
    "Page",
    "Query",
    "Record",
    "Retention",
    "Store",
    "UnavailableError",
]
