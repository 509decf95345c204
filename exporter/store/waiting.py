"""What is to be written and is not yet: bounded, and merged where it is put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.model import Change, Incident, Round, Stage
from exporter.store.tables import Batch, RoundToKeep

MOST_WAITING_ROUNDS = 500
"""At some 10 to 50 KB each: tens of megabytes at most while the disk does not take them."""
MOST_WAITING_INCIDENTS = 10_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What one step leaves to be kept.

    Attributes:
        incidents: those that are not as they were, resolved ones among them.
        changes: each is kept with the round.
        round: that made the changes; None: none did.
        dropped: ids of incidents that came to nothing.
    """

    incidents: Sequence[Incident] = ()
    changes: Sequence[Change] = ()
    round: Round | None = None
    dropped: Sequence[str] = ()


class Waiting:
    """The queue before the disk. Of each incident the newest state waits, so that only rounds can be many."""

    def __init__(self) -> None:
        self.batch = Batch()

    def __len__(self) -> int:
        return len(self.batch)

    def add(self, kept: Kept, *, announce: bool) -> int:
        """How much had to be given up for it."""
        batch = self.batch
        batch.incidents.update({incident.id: incident for incident in kept.incidents})
        batch.incidents.update(dict.fromkeys(kept.dropped))
        for change in kept.changes:
            if kept.round is not None:
                batch.rounds.append(RoundToKeep(change.incident.id, change.kind, change.at, change.note, kept.round))
            if announce:
                batch.announce[change.incident.id] = None
        return self._bound()

    def take(self) -> Batch:
        taken, self.batch = self.batch, Batch()
        return taken

    def put_back(self, batch: Batch) -> int:
        """What could not be written, before what came since; how much had to be given up for it."""
        newer = self.batch
        batch.incidents.update(newer.incidents)
        batch.rounds += newer.rounds
        batch.announce.update(newer.announce)
        self.batch = batch
        return self._bound()

    def _bound(self) -> int:
        """Give up the oldest of what there is no room for: rounds, and incidents that are over."""
        batch = self.batch
        rounds = max(0, len(batch.rounds) - MOST_WAITING_ROUNDS)
        del batch.rounds[:rounds]
        excess = max(0, len(batch.incidents) - MOST_WAITING_INCIDENTS)
        over = (
            [key for key, one in batch.incidents.items() if one is None or one.stage is Stage.RESOLVED]
            if excess
            else []
        )
        for key in over[:excess]:
            del batch.incidents[key]
        return rounds + len(over[:excess])
