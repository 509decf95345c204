"""The matrix of a round as a heat map: rows of SNI, Host and connection, columns of protocol and address. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from exporter.diagnosis.samples import answer_of
from exporter.diagnosis.wording import asked
from exporter.model import Combination, Connection, Observation, Protocol, Round
from exporter.outcomes import Outcome, outcomes

MOST_ROWS, MOST_COLUMNS, MOST_REASONS = 60, 24, 12
"""What a person can look over; those in which something is wrong are never the ones that are left out first."""


_COMBINATIONS = {
    Combination.MATCHED: "its own name, as everybody asks",
    Combination.HELD: "its own name, on the connection that is kept",
    Combination.COALESCED: "on a sibling's connection, as browsers may",
    Combination.NO_SNI: "without SNI, as old clients ask",
    Combination.OTHER_SNI: "with a sibling's SNI",
    Combination.UNKNOWN_HOST: "a Host that nobody owns",
    Combination.ALTERNATIVE: "where it advertises an alternative",
}
_SIBLING = "a sibling on this name's connection, as browsers may"
_AGAIN = "its own name again, after its siblings"
_RANKS = {combination: rank for rank, combination in enumerate(_COMBINATIONS)}

PROTOCOLS = {Protocol.HTTP11: "HTTP/1.1", Protocol.H2: "HTTP/2", Protocol.H3: "HTTP/3"}
CONNECTIONS = {Connection.FRESH: "new", Connection.REUSED: "shared", Connection.HELD: "kept"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one probe was answered.

    Attributes:
        reason: of the verdict.
    """

    outcome: Outcome
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One way to ask.

    Attributes:
        sni: empty: none is sent.
        cells: one per column; None: it is not asked there.
    """

    sni: str
    host: str
    connection: str
    combination: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The heat map.

    Attributes:
        protocols: each with the addresses of its columns, in the order of the columns.
        legend: each outcome that occurs, with how many cells are of it, also of those left out.
        reasons: what is not as expected, a line each; `reasons_left_out` counts the others, and so on.
    """

    protocols: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[Row, ...]
    legend: tuple[tuple[Outcome, int], ...]
    reasons: tuple[tuple[str, str], ...]
    rows_left_out: int
    columns_left_out: int
    reasons_left_out: int


_T = TypeVar("_T")
_Key = tuple[Combination, str, str, str]
_Column = tuple[Protocol, str]


def grid(round_: Round) -> Grid:
    cells: dict[_Key, dict[_Column, Cell]] = {}
    for seen, verdict, outcome in zip(round_.observations, round_.verdicts, outcomes(round_), strict=True):
        cells.setdefault(_key(seen), {})[_column(seen)] = Cell(outcome, answer_of(seen), verdict.reason)
    columns = _chosen(_columns(cells.values()), MOST_COLUMNS)
    keys = _chosen(_rows(cells), MOST_ROWS)
    reasons = tuple(wrong(round_))
    counted = Counter(cell.outcome for row in cells.values() for cell in row.values())
    return Grid(
        protocols=tuple(_headings(columns)),
        rows=tuple(_row(key, cells[key], columns, round_.target.domain) for key in keys),
        legend=tuple((each, counted[each]) for each in Outcome if counted[each]),
        reasons=reasons[:MOST_REASONS],
        rows_left_out=len(cells) - len(keys),
        columns_left_out=len(set().union(*cells.values())) - len(columns),
        reasons_left_out=max(0, len(reasons) - MOST_REASONS),
    )


def wrong(round_: Round) -> Iterable[tuple[str, str]]:
    """What was asked and why the answer is not as expected; the domain's own probes first."""
    pairs = zip(round_.observations, round_.verdicts, strict=True)
    unexpected = [pair for pair in pairs if not pair[1].expected]
    told = ((_RANKS[seen.probe.combination], asked(seen.probe), verdict.reason) for seen, verdict in unexpected)
    for _, question, reason in sorted(told):
        yield question, reason


def _key(seen: Observation) -> _Key:
    probe = seen.probe
    return probe.combination, probe.sni or "", probe.host, CONNECTIONS[probe.connection]


def _column(seen: Observation) -> _Column:
    return seen.probe.protocol, seen.probe.place or "no address"


def _columns(rows: Iterable[Mapping[_Column, Cell]]) -> list[tuple[_Column, bool]]:
    """All of them by protocol and address, whichever was answered first; and whether anything is wrong there."""
    found: dict[_Column, bool] = {}
    for row in rows:
        for column, cell in row.items():
            found[column] = found.get(column, False) or cell.outcome is Outcome.WRONG
    protocols = list(Protocol)
    return sorted(found.items(), key=lambda each: (protocols.index(each[0][0]), each[0][1]))


def _rows(cells: Mapping[_Key, Mapping[_Column, Cell]]) -> list[tuple[_Key, bool]]:
    wrong_rows = {key: any(cell.outcome is Outcome.WRONG for cell in row.values()) for key, row in cells.items()}
    return sorted(wrong_rows.items(), key=lambda each: (_RANKS[each[0][0]], each[0][1:]))


def _chosen(found: Sequence[tuple[_T, bool]], most: int) -> list[_T]:
    """In their order, as many as may be: where some must go, those go first in which nothing is wrong."""
    first = sorted(range(len(found)), key=lambda index: not found[index][1])[:most]
    return [found[index][0] for index in sorted(first)]


def _headings(columns: Sequence[_Column]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for protocol, words in PROTOCOLS.items():
        places = tuple(place for spoken, place in columns if spoken is protocol)
        if places:
            yield words, places


def _row(key: _Key, row: Mapping[_Column, Cell], columns: Sequence[_Column], domain: str) -> Row:
    combination, sni, host, connection = key
    cells = tuple(row.get(column) for column in columns)
    return Row(sni, host, connection, _words(combination, sni, host, domain), cells)


def _words(combination: Combination, sni: str, host: str, domain: str) -> str:
    if combination is Combination.COALESCED and sni == domain:
        return _AGAIN if host == domain else _SIBLING
    return _COMBINATIONS[combination]
