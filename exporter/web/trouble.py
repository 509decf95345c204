"""What is wrong with the exporter itself: it is told before all that the exporter tells of others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.health import Health

_LATE_LOOP_SECONDS = 1.0
"""Probes measure the exporter instead of the domains by then; a busy machine may well have a tenth of it."""

_MOST_COMPLAINTS = 10

_STORE_UP = "statuscode_exporter_store_up"
_STORE_WAITING = "statuscode_exporter_store_queue_length"
_STORE_DROPPED = "statuscode_exporter_store_dropped_total"
_ROUND_ERRORS = "statuscode_exporter_round_errors_total"
_LOOP_LAG = "statuscode_exporter_event_loop_lag_seconds"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong.

    Attributes:
        id: one word, for programs.
        lines: more about it.
    """

    id: str
    title: str
    lines: tuple[str, ...] = ()


def troubles(health: Health, complaints: Sequence[str], stale: int, total: int) -> tuple[Trouble, ...]:
    """All that is wrong. `stale`: how many of `total` domains had their last round too long ago."""
    values = health.values(_STORE_UP, _STORE_WAITING, _STORE_DROPPED, _ROUND_ERRORS, _LOOP_LAG)
    return tuple(_troubles(values, complaints, stale, total))


def _troubles(values: dict[str, float], complaints: Sequence[str], stale: int, total: int) -> Iterator[Trouble]:
    if stale:
        yield Trouble(
            "stale-rounds", f"{stale} of {total} domains were not probed in time: what is told of them is old"
        )
    if not values[_STORE_UP]:
        waiting = f"{values[_STORE_WAITING]:.0f} rounds and incidents wait in memory"
        dropped = values[_STORE_DROPPED]
        lines = (waiting, f"{dropped:.0f} were given up") if dropped else (waiting,)
        yield Trouble("store", "The disk does not take incidents", lines)
    if complaints:
        left = len(complaints) - _MOST_COMPLAINTS
        more = (f"and {left} more",) if left > 0 else ()
        lines = (*complaints[:_MOST_COMPLAINTS], *more)
        yield Trouble("reload", "The configuration was not reloaded: the last one stays in force", lines)
    if values[_ROUND_ERRORS]:
        yield Trouble(
            "round-errors", f"{values[_ROUND_ERRORS]:.0f} rounds broke by a fault of the exporter; see its log"
        )
    if values[_LOOP_LAG] > _LATE_LOOP_SECONDS:
        yield Trouble(
            "overloaded", f"The exporter was held up for {values[_LOOP_LAG]:.1f} s: times are not to be trusted"
        )
