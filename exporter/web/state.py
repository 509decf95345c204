"""How a domain stands after its last round, in a word. Pure."""

from __future__ import annotations

from enum import Enum

from exporter.model import Round, Target

# One round may be late or missed; more is worth a word.
STALE_INTERVALS = 3


class State(Enum):
    """How a domain stands, the worst first: the word for it, and which total counts it."""

    DOWN = ("Down", "bad")
    PARTLY_DOWN = ("Partly down", "bad")
    NOT_YET_PROBED = ("Not yet probed", "pending")
    ODD = ("Up, but odd", "odd")
    UP = ("Up", "good")

    def __init__(self, word: str, total: str) -> None:
        self.word = word
        self.total = total
        self.rank = len(type(self).__members__)

    @property
    def id(self) -> str:
        """For the API, query strings and style sheets."""
        return self.name.lower().replace("_", "-")


STATES = {state.id: state for state in State}


def state_of(round_: Round | None) -> State:
    if round_ is None:
        return State.NOT_YET_PROBED
    if round_.up:
        return State.UP if all(verdict.expected for verdict in round_.verdicts) else State.ODD
    answers = (verdict.conclusive and verdict.expected for _, verdict in round_.matched)
    return State.PARTLY_DOWN if any(answers) else State.DOWN


def ended_at(round_: Round) -> float:
    """Unix time in seconds."""
    return round_.started_at + round_.duration_seconds


def is_stale(target: Target, round_: Round, now: float) -> bool:
    """Whether the domain should have had another round long ago; `now` in Unix time."""
    return now - ended_at(round_) > STALE_INTERVALS * target.interval_seconds
