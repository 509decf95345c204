"""The one table that the benchmark prints, as plain text or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

HEAD = ("measured", "exporter", "peer", "ratio", "goal", "reached")


@dataclass(frozen=True, slots=True)
class Row:
    """One line, ready to be printed; what there is nothing to say about is empty.

    Attributes:
        exporter, peer: the figure with its unit.
        ratio: of the exporter's to the peer's.
        reached: `yes` or `no`; empty where there is no goal.
    """

    measured: str
    exporter: str
    peer: str = ""
    ratio: str = ""
    goal: str = ""
    reached: str = ""


def answer(reached: bool) -> str:
    return "yes" if reached else "no"


def plain(rows: Sequence[Row]) -> str:
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def markdown(rows: Sequence[Row]) -> str:
    lines = [HEAD, ("---",) * len(HEAD), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(astuple(row))
