"""What there is to tell when an incident is no longer as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporter.model import Change, ChangeKind, Incident, Stage

_MOST_LISTED = 3


def change(before: Incident | None, after: Incident, at: float) -> Change | None:
    """What there is to tell of the difference; None: nothing."""
    was = Stage.PENDING if before is None else before.stage
    if after.stage is Stage.PENDING or after == before:
        return None
    if after.stage is Stage.RESOLVED:
        note = f"part of incident {after.merged_into}" if after.merged_into else "over"
        return Change(ChangeKind.RESOLVED, after, at, note)
    if was is Stage.PENDING or before is None:
        return Change(ChangeKind.OPENED, after, at, after.finding.summary)
    notes = "; ".join(_notes(before, after))
    return Change(ChangeKind.UPDATED, after, at, notes) if notes else None


def _notes(before: Incident, after: Incident) -> Iterator[str]:
    if before.cause != after.cause:
        yield f"the cause is {after.cause} now, it was {before.cause}"
    if before.code != after.code:
        yield f"the status is {_status(after.code)} now, it was {_status(before.code)}"
    if before.severity != after.severity:
        yield f"it is {after.severity} now, it was {before.severity}"
    if joined := sorted(set(after.domains) - set(before.domains)):
        yield f"{_listed(joined)} too"
    if left := sorted(set(before.domains) - set(after.domains)):
        yield f"no longer {_listed(left)}"
    if after.flaps > before.flaps:
        yield f"it is back, for the {after.flaps}. time"


def _status(code: int | None) -> str:
    return "none" if code is None else str(code)


def _listed(domains: Sequence[str]) -> str:
    more = len(domains) - _MOST_LISTED
    return ", ".join(domains[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
