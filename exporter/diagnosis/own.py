"""The domain's own answers, on connections of its own: right or wrong, where, and who spoke. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from exporter.diagnosis import servers
from exporter.diagnosis.samples import Sample, is_right, relayed, status_of
from exporter.diagnosis.servers import Role, Server
from exporter.expectation import Comparison, judge
from exporter.model import (
    Combination,
    Experiment,
    Failure,
    Observation,
    Protocol,
    Response,
    Round,
    Trial,
    Variation,
    Verdict,
)


class Split(StrEnum):
    """How wrong answers to the domain's own name are spread."""

    NOWHERE = "nowhere"
    EVERYWHERE = "everywhere"
    ADDRESSES = "some addresses"
    PROTOCOLS = "some protocols"
    SOMETIMES = "sometimes"


class OwnAnswers:
    """A domain's own rounds and the experiments made on it, narrowed.

    Attributes:
        rounds: the domain's own, oldest first; at least one.
        siblings: the newest round of each other name of the group that has one.
        trials: experiments made on the domain, in order.
        network_is_down: how the prober's own network fails, in words; empty: it does not.
    """

    def __init__(
        self,
        rounds: Sequence[Round],
        siblings: Mapping[str, Round],
        trials: Sequence[Trial] = (),
        network_is_down: str = "",
    ) -> None:
        self.rounds = tuple(rounds)
        self.siblings = siblings
        self.trials = tuple(trials)
        self.network_is_down = network_is_down
        self.round = self.rounds[-1]
        self.target = self.round.target
        self.domain = self.target.domain
        self._matched_by_name: dict[str, tuple[tuple[Observation, Verdict], ...]] = {}

    # The domain's own name on connections of its own.

    @cached_property
    def own(self) -> tuple[Sample, ...]:
        """All of them, in the order in which they were asked."""
        rounds = (
            Sample(seen, verdict, is_right(self.target, seen))
            for round_ in self.rounds
            for seen, verdict in round_.matched
            if verdict.conclusive
        )
        return _still((*rounds, *self._repeated), self.round)

    @property
    def _repeated(self) -> Iterator[Sample]:
        for trial in self.trials:
            if trial.experiment in (Experiment.REPEAT, Experiment.INTERLEAVED):
                for _, seen in trial.answers:
                    if seen.probe.domain == self.domain:
                        verdict = judge(self.target, seen, Comparison())
                        yield Sample(seen, verdict, is_right(self.target, seen))

    @cached_property
    def wrong(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.own if not sample.is_right)

    @cached_property
    def right(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.own if sample.is_right)

    @cached_property
    def worst(self) -> Sample | None:
        """The wrong sample that stands for the others: of the commonest answer, over HTTP/1.1 if there is one."""
        if not self.wrong:
            return None
        ((commonest, _),) = Counter(sample.answer for sample in self.wrong).most_common(1)
        alike = [sample for sample in self.wrong if sample.answer == commonest]
        return min(alike, key=lambda sample: (sample.protocol is not Protocol.HTTP11, not _body(sample.seen)))

    @property
    def code(self) -> int | None:
        """The status that clients get where it is wrong."""
        return self.worst.status if self.worst is not None and self.worst.failure is None else None

    @property
    def response(self) -> Response | None:
        """The wrong answer itself."""
        return self.worst.seen.response if self.worst is not None and self.code is not None else None

    @property
    def failure(self) -> Failure | None:
        """Why there is no answer."""
        return self.worst.failure if self.worst is not None else None

    @cached_property
    def split(self) -> Split:
        if not self.wrong:
            return Split.NOWHERE
        if not self.right:
            return Split.EVERYWHERE
        wrong, right = ({s.address for s in samples} for samples in (self.wrong, self.right))
        if not wrong & right:
            return Split.ADDRESSES
        wrong_cells, right_cells = ({(s.address, s.protocol) for s in samples} for samples in (self.wrong, self.right))
        return Split.SOMETIMES if wrong_cells & right_cells else Split.PROTOCOLS

    @property
    def wrong_addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sample.address for sample in self.wrong))

    @property
    def right_addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sample.address for sample in self.right))

    @property
    def share(self) -> tuple[int, int]:
        """(wrong, all) answers at the addresses at which some are wrong."""
        at = set(self.wrong_addresses)
        return len(self.wrong), sum(sample.address in at for sample in self.own)

    @property
    def lasts(self) -> bool:
        """Whether the wrong answer came more often than one round asks for, or experiments were made on it."""
        return sum(sample.status == self.code for sample in self.wrong) > 2 or bool(self.trials)

    @property
    def disagrees(self) -> bool:
        return self.split is Split.SOMETIMES

    # Who spoke.

    @cached_property
    def generator(self) -> Server | None:
        """Who made the wrong answer's page."""
        return servers.generator(self.response) if self.response is not None else None

    @cached_property
    def edge(self) -> Server | None:
        """Who calls itself the server in the wrong answer."""
        return servers.edge(self.response) if self.response is not None else None

    @cached_property
    def is_relayed(self) -> bool | None:
        """Whether the wrong answer came from behind the edge; None: that cannot be told."""
        if self.worst is None:
            return None
        told = relayed(self.worst.seen)
        by_rule = self.generator is not None and self.generator.closes_by_policy_only and self.edge == self.generator
        return None if told and by_rule else told

    @property
    def text(self) -> str:
        """The beginning of the wrong answer's body."""
        return servers.text_of(self.response) if self.response is not None else ""

    @property
    def is_an_applications(self) -> bool:
        """Whether the wrong answer is an application's page: a framework's, or no known server's and not empty."""
        maker = self.generator
        return bool(self.text.strip()) if maker is None else maker.role is Role.APPLICATION

    @cached_property
    def paths_differ(self) -> bool:
        """Whether another path of the name gets another status than the one that is asked for."""
        varied = (self.varied(Experiment.OTHER_PATH, one) for one in (Variation.NO_SUCH_PATH, Variation.ROOT_PATH))
        return any(seen is not None and status_of(seen) not in (None, self.code) for seen in varied)

    def is_right(self, seen: Observation) -> bool:
        """Whether this is an answer that the domain is expected to give."""
        return is_right(self.target, seen)

    @property
    def retry_after(self) -> str | None:
        """A Retry-After that somebody meant: Varnish puts one into each error page of its own."""
        if self.response is None or (self.generator is not None and self.generator.id == "varnish"):
            return None
        return self.response.header("retry-after")

    # Experiments.

    def tried(self, experiment: Experiment) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.experiment is experiment)

    def varied(self, experiment: Experiment, variation: Variation) -> Observation | None:
        """The newest answer of an experiment under one variation."""
        answers = [seen for trial in self.tried(experiment) for how, seen in trial.answers if how is variation]
        return answers[-1] if answers else None

    def _answers(self, experiment: Experiment) -> tuple[Observation, ...]:
        return tuple(seen for trial in self.tried(experiment) for _, seen in trial.answers)

    def _own_round(self, combination: Combination) -> tuple[Observation, ...]:
        return tuple(self._own_rounds.get(combination, ()))

    @cached_property
    def _own_rounds(self) -> Mapping[Combination, list[Observation]]:
        """What the rounds have seen of the domain, by the kind of probe."""
        found: dict[Combination, list[Observation]] = {}
        for round_ in self.rounds:
            for seen, verdict in zip(round_.observations, round_.verdicts, strict=True):
                if seen.probe.domain == self.domain and verdict.conclusive:
                    found.setdefault(seen.probe.combination, []).append(seen)
        return found


_ENOUGH_RIGHT = 6


def _still(samples: tuple[Sample, ...], last: Round) -> tuple[Sample, ...]:
    """The samples without what was wrong in earlier rounds only, where enough right answers came since: it is over."""
    since = next((n for n, sample in enumerate(samples) if sample.seen.started_at >= last.started_at), len(samples))
    later = samples[since:]
    if len(later) < _ENOUGH_RIGHT or not all(sample.is_right for sample in later):
        return samples
    return later


def _body(seen: Observation) -> bytes:
    return seen.response.body if seen.response is not None else b""
