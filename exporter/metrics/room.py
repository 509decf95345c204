"""How much of what there is one answer may show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Generic, TypeVar
from typing import Protocol as Interface

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Group(Interface[T_co]):
    """Things that are counted before they are written."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...


class Room:
    """How many more series one answer may show, and how many found no room."""

    def __init__(self, max_series: int) -> None:
        self.left = max_series
        self.dropped = 0

    def take(self, groups: Sequence[Group[T]], series_each: int = 1) -> Cut[T]:
        """The first of what is in `groups`, as much as there is room for."""
        wanted = sum(map(len, groups))
        kept = min(wanted, self.left // series_each)
        self.left -= kept * series_each
        self.dropped += (wanted - kept) * series_each
        return Cut(groups, kept)


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The first `kept` of what is in `groups`."""

    groups: Sequence[Group[T]]
    kept: int

    def __iter__(self) -> Iterator[T]:
        return islice(chain.from_iterable(self.groups), self.kept)
