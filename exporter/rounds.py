"""One round of one target: sweep, and find out why where it is not as it should be. Where thinking and probing meet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exporter import vantage
from exporter.diagnosis import Evidence, Wish, diagnose, joined, next_wish, undiagnosed
from exporter.experiments import Subject
from exporter.model import Round, Target, Trial
from exporter.sweep import Instruments, experiment, sweep

__all__ = ["Instruments", "Investigator", "run"]

logger = logging.getLogger(__name__)

_CONFIRM_AGAIN_SECONDS = 600.0
"""Experiments are made again after so long where nothing has changed: servers should see few of them."""

_BETWEEN_SECONDS = 5.0
"""Between the experiments on one name of a group and those on the next: such names often share a server."""

_MOST_REMEMBERED = 4  # sets of symptoms of one domain; what comes and goes has a few

_RELAPSE_SECONDS = 60.0
"""What was well in between and has the same symptoms again so soon comes and goes; later it may have another cause."""

_OUTLOOK_SECONDS = 1.0


async def run(target: Target, turn: int, instruments: Instruments, investigator: Investigator) -> Round:
    """One round. Never raises but for cancellation, or for a fault of ours."""
    return await investigator.investigate(await sweep(target, turn, instruments), instruments)


@dataclass(slots=True)
class _Confirmation:
    """The experiments that were made last for a domain, and what they were made for."""

    symptoms: frozenset[str]
    trials: tuple[Trial, ...]
    at: float
    is_over: bool = False


@dataclass(slots=True)
class Investigator:
    """Makes findings of sweeps. Remembers which experiments were made, so that few are.

    Attributes:
        is_thorough: also ask healthy names in other spellings and on resumed sessions, and spare nobody: for a person
            who asks once.
        now: seconds of a clock that never goes back.
    """

    is_thorough: bool = False
    now: Callable[[], float] = time.monotonic
    _confirmations: dict[str, tuple[_Confirmation, ...]] = field(default_factory=dict)
    _groups: dict[str, float] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _outlook: tuple[float, str] = (0.0, "")

    async def investigate(self, swept: Round, instruments: Instruments, earlier: Sequence[Round] = ()) -> Round:
        """The round with its trials and findings; `earlier` are rounds of the same target, oldest first.

        A fault of ours in one of the causes must not lose what was seen: then what is wrong has no known cause.
        """
        try:
            return await self._investigated(swept, instruments, earlier)
        except Exception:
            logger.exception("the diagnosis of %s broke; this is a fault of the exporter", swept.target.domain)
            return replace(swept, findings=undiagnosed(swept))

    async def _investigated(self, swept: Round, instruments: Instruments, earlier: Sequence[Round]) -> Round:
        siblings = _siblings(swept.target, instruments)
        evidence = Evidence((*earlier, swept), siblings, (), self._network(swept, instruments))
        trials = await self._confirm(evidence, instruments)
        findings = diagnose(_with(evidence, trials))
        others = (finding for round_ in siblings.values() for finding in round_.findings)
        return replace(swept, trials=trials, findings=joined(findings, others))

    def forget(self, domain: str) -> None:
        self._confirmations.pop(domain, None)

    async def _confirm(self, evidence: Evidence, instruments: Instruments) -> tuple[Trial, ...]:
        """The trials to judge by: those that were made for the same symptoms, or new ones where it is their turn.

        Where it is not, the newest that were made for other symptoms: what comes and goes shows now these, now those.
        """
        known = self._remembered(evidence.domain)
        if next_wish(evidence, thorough=self.is_thorough) is None:
            if evidence.domain in self._confirmations:
                self._confirmations[evidence.domain] = tuple(replace(one, is_over=True) for one in known)
            return ()
        same = next((one for one in known if one.symptoms == evidence.symptoms), None)
        if same is not None and (not same.is_over or self.now() - same.at < _RELAPSE_SECONDS):
            return same.trials
        group = evidence.target.group
        if not self._is_turn(group, self.now()):
            return known[-1].trials if known else ()
        self._busy.add(group)
        try:
            trials = await self._experiments(evidence, instruments)
        finally:
            self._busy.discard(group)
            self._groups[group] = self.now()
        made = _Confirmation(evidence.symptoms, trials, self.now())
        others = tuple(one for one in known if one.symptoms != made.symptoms)
        self._confirmations[evidence.domain] = (*others, made)[-_MOST_REMEMBERED:]
        return trials

    def _remembered(self, domain: str) -> tuple[_Confirmation, ...]:
        """What was made for the domain and still holds, oldest first."""
        since = self.now() - _CONFIRM_AGAIN_SECONDS
        return tuple(one for one in self._confirmations.get(domain, ()) if one.at > since)

    def _is_turn(self, group: str, now: float) -> bool:
        if self.is_thorough:
            return True
        return group not in self._busy and now - self._groups.get(group, -_BETWEEN_SECONDS) >= _BETWEEN_SECONDS

    async def _experiments(self, evidence: Evidence, instruments: Instruments) -> tuple[Trial, ...]:
        trials: tuple[Trial, ...] = ()
        while (wish := next_wish(_with(evidence, trials), thorough=self.is_thorough)) is not None:
            trials = (*trials, await experiment(wish.experiment, _subject(wish, evidence, instruments), instruments))
        return trials

    def _network(self, swept: Round, instruments: Instruments) -> str:
        """Looked at only where the target itself is cut off, and for all targets of one second together."""
        if not vantage.is_cut_off(swept):
            return ""
        at, words = self._outlook
        now = self.now()
        if not at or now - at > _OUTLOOK_SECONDS:
            rounds = [one for one in instruments.latest.rounds() if one.target.domain != swept.target.domain]
            words = vantage.outlook((*rounds, swept))
            self._outlook = (now, words)
        return words


def _with(evidence: Evidence, trials: tuple[Trial, ...]) -> Evidence:
    return Evidence(evidence.rounds, evidence.siblings, trials, evidence.network_is_down) if trials else evidence


def _siblings(target: Target, instruments: Instruments) -> Mapping[str, Round]:
    found = {name: instruments.latest.get(name) for name in target.siblings if name != target.domain}
    return {name: round_ for name, round_ in found.items() if round_ is not None}


def _subject(wish: Wish, evidence: Evidence, instruments: Instruments) -> Subject:
    neighbour = instruments.targets.get(wish.neighbour) if wish.neighbour else None
    return Subject(evidence.target, wish.address, wish.protocol, neighbour, wish.path or None)
