"""The matrix: what each cell showed last, by the domain that it is about and the target whose round saw it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from exporter.exposition import labels
from exporter.model import Observation, Verdict


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix, ready to be written.

    Attributes:
        domain: that the answer is about.
        labels: the label set as written.
        status: 0 where no response came, as blackbox_exporter has it.
    """

    domain: str
    labels: str
    success: int
    status: int


def cell(observation: Observation, verdict: Verdict) -> Cell:
    probe = observation.probe
    return Cell(
        domain=probe.domain,
        labels=labels(
            ("domain", probe.domain),
            ("combination", probe.combination),
            ("sni", probe.sni or ""),
            ("host", probe.host),
            ("address", probe.place),
            ("protocol", probe.protocol),
            ("connection", probe.connection),
        ),
        success=int(verdict.expected),
        status=observation.response.status if observation.response else 0,
    )


class Matrix:
    """Cells by the domain that they are about and the target whose round saw them."""

    def __init__(self) -> None:
        # One flat table that keeps its order: a scrape takes it in one go, and max_series cuts it at the same place.
        self._cells: dict[tuple[str, str], tuple[Cell, ...]] = {}
        self._seers: dict[str, set[str]] = {}
        self._seen: dict[str, frozenset[str]] = {}

    def replace(self, target: str, cells: Iterable[Cell]) -> None:
        """Put `cells` in place of those that `target`'s last round saw. No label set is ever kept twice."""
        by_domain: dict[str, dict[str, Cell]] = {}
        for cell in cells:
            by_domain.setdefault(cell.domain, {})[cell.labels] = cell
        for domain in self._seen.get(target, frozenset()) - by_domain.keys():
            self._seers.get(domain, set()).discard(target)
            self._cells.pop((domain, target), None)
        for domain, distinct in by_domain.items():
            taken = self._labels_seen_by_others(domain, target)
            self._cells[domain, target] = tuple(cell for cell in distinct.values() if cell.labels not in taken)
        self._seen[target] = frozenset(by_domain)

    def forget(self, domain: str) -> None:
        self.replace(domain, ())
        del self._seen[domain]
        for target in self._seers.pop(domain, ()):
            self._cells.pop((domain, target), None)

    def cells(self) -> list[tuple[Cell, ...]]:
        return list(self._cells.values())

    def _labels_seen_by_others(self, domain: str, target: str) -> frozenset[str]:
        seers = self._seers.setdefault(domain, set())
        seers.add(target)
        return frozenset(cell.labels for seer in seers - {target} for cell in self._cells[domain, seer])


class Turning:
    """Cells that come up by rotation: they stay until every one had its turn."""

    def __init__(self) -> None:
        self._before: dict[str, deque[list[Cell]]] = {}

    def shown(self, target: str, cells: list[Cell], rounds_to_cover: int) -> list[Cell]:
        """`cells`, after those of earlier rounds that are still on; whose label set is the same, the last one holds."""
        if rounds_to_cover == 1 or not (cells or any(self._before.get(target, ()))):
            self._before.pop(target, None)
            return cells
        rounds = self._before.setdefault(target, deque())
        rounds.append(cells)
        while len(rounds) > rounds_to_cover:
            rounds.popleft()
        return list({cell.labels: cell for seen in rounds for cell in seen}.values())

    def forget(self, domain: str) -> None:
        self._before.pop(domain, None)
        for rounds in self._before.values():
            for cells in rounds:
                cells[:] = [cell for cell in cells if cell.domain != domain]
