"""What a diagnosis reads: the observations about one domain, narrowed and compared. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from exporter.diagnosis import servers
from exporter.diagnosis.samples import Sample, Shared, answer_of, is_right, page, relayed, status_of
from exporter.diagnosis.servers import Role, Server
from exporter.expectation import Comparison, judge
from exporter.model import (
    MISDIRECTED,
    Client,
    Combination,
    Experiment,
    Failure,
    Observation,
    Page,
    Protocol,
    Response,
    Round,
    TlsSession,
    Trial,
    Variation,
    Verdict,
)
from exporter.pages import differences, is_restless


class Split(StrEnum):
    """How wrong answers to the domain's own name are spread."""

    NOWHERE = "nowhere"
    EVERYWHERE = "everywhere"
    ADDRESSES = "some addresses"
    PROTOCOLS = "some protocols"
    SOMETIMES = "sometimes"


class Evidence:
    """The observations about one domain, from its own rounds, its siblings' and the experiments made on it.

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

    @cached_property
    def symptoms(self) -> frozenset[str]:
        """What is wrong, without what differs from round to round: the same symptoms need no new experiments."""
        own = {f"{sample.address} {sample.protocol} {sample.answer}" for sample in self.wrong}
        shared = {f"{one.opener} {one.seen.probe.address} {answer_of(one.seen)}" for one in self.shared}
        return frozenset(own | shared)

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

    # Other names.

    @cached_property
    def unknown_hosts(self) -> tuple[Observation, ...]:
        """What a Host that nobody configured was answered on the domain's own connections."""
        found = self._own_round(Combination.UNKNOWN_HOST)
        return tuple(seen for seen in found if seen.failure is None or not _is_unasked(seen.failure))

    @cached_property
    def unknown_host(self) -> Observation | None:
        """One of them, at an address where the domain's own answer is wrong, if it is anywhere."""
        at = set(self.wrong_addresses)
        there = [seen for seen in self.unknown_hosts if not at or seen.probe.address in at]
        return next((seen for seen in there if seen.response is not None), there[0] if there else None)

    @cached_property
    def stranger(self) -> Observation | None:
        """What anybody is answered: by Host, or by SNI too where the server ended the connection before that."""
        here = self.unknown_host
        return here if here is not None and here.response is not None else self.unknown_name or here

    @property
    def unknown_name(self) -> Observation | None:
        """What a client was answered that asked for a name nobody owns, in SNI and Host."""
        return self.varied(Experiment.UNKNOWN_NAME, Variation.AS_CONFIGURED)

    @cached_property
    def without_sni(self) -> tuple[Observation, ...]:
        return (*self._own_round(Combination.NO_SNI), *self._answers(Experiment.NO_SNI))

    @cached_property
    def other_snis(self) -> tuple[Observation, ...]:
        """The domain as Host, a sibling as SNI, on new connections."""
        tried = self._answers(Experiment.SIBLING_SNI)
        return (*self._own_round(Combination.OTHER_SNI), *(o for o in tried if o.probe.domain == self.domain))

    @cached_property
    def held(self) -> tuple[Observation, ...]:
        return self._own_round(Combination.HELD)

    @cached_property
    def alternatives(self) -> tuple[Observation, ...]:
        return self._own_round(Combination.ALTERNATIVE)

    @cached_property
    def companions(self) -> Mapping[str, Round]:
        """The siblings that live at an address of the domain, at its port."""
        mine = set(self.round.addresses)
        return {
            name: round_
            for name, round_ in self.siblings.items()
            if round_.target.port == self.target.port and mine & set(round_.addresses)
        }

    def is_served(self, name: str) -> bool | None:
        """Whether a companion's own name was answered rightly wherever the domain is wrong; None: nobody asked."""
        at = set(self.wrong_addresses) or set(self.round.addresses)
        companion = self.companions[name]
        seen = [o for o, verdict in self._matched(name) if verdict.conclusive and o.probe.address in at]
        return all(is_right(companion.target, o) for o in seen) if seen else None

    @cached_property
    def served(self) -> tuple[str, ...]:
        """Companions that are served where the domain is wrong."""
        return tuple(name for name in self.companions if self.is_served(name))

    @cached_property
    def failing(self) -> tuple[str, ...]:
        """Companions that fail there with the same answer."""
        mine = {sample.answer for sample in self.wrong}
        return tuple(name for name in self.companions if self._fails_alike(name, mine))

    def _fails_alike(self, name: str, answers: set[str]) -> bool:
        return any(
            answer_of(seen) in answers and not is_right(self.companions[name].target, seen)
            for seen, _ in self._matched(name)
        )

    # Connections that are shared.

    @cached_property
    def shared(self) -> tuple[Shared, ...]:
        """What went wrong for the domain on siblings' connections that a browser would use for it."""
        return tuple(self._shared())

    def _shared(self) -> Iterator[Shared]:
        for name, round_ in self.siblings.items():
            exposed = exposed_clients(round_, self.domain)
            for seen, verdict in zip(round_.observations, round_.verdicts, strict=True):
                probe = seen.probe
                if probe.domain != self.domain or probe.combination is not Combination.COALESCED:
                    continue
                clients = exposed.get(probe.address, frozenset())
                is_refused = status_of(seen) == MISDIRECTED
                if verdict.conclusive and clients and (is_refused or not verdict.expected) and self._is_misrouted(seen):
                    yield Shared(name, seen, verdict, clients, is_refused)

    def _is_misrouted(self, seen: Observation) -> bool:
        """Whether this differs from the domain's own pages by more than those differ from each other."""
        there = page(seen)
        if there is None or not self._is_restless:
            return True
        return bool(differences(self._own_pages[0], there, is_restless=True))

    @cached_property
    def _is_restless(self) -> bool:
        return is_restless(self._own_pages)

    @cached_property
    def _own_pages(self) -> tuple[Page, ...]:
        """Those that are made out, as all are over protocols on which connections are shared; or a few others."""
        made_out = [sample.seen.page for sample in self.right if sample.seen.page is not None]
        return tuple(made_out) or tuple(found for s in self.right[:_SOME] if (found := page(s.seen)) is not None)

    def reversed(self, name: str) -> Observation | None:
        """What the sibling `name` was answered on the domain's own connection."""
        pairs = zip(self.round.observations, self.round.verdicts, strict=True)
        return next(
            (
                seen
                for seen, verdict in pairs
                if seen.probe.domain == name and seen.probe.sni == self.domain and verdict.conclusive
            ),
            None,
        )

    def tls(self, name: str, address: str | None = None, protocol: Protocol | None = None) -> TlsSession | None:
        """What the handshake with `name` (the domain or a sibling) as SNI showed."""
        return next(
            (
                seen.tls
                for seen, _ in self._matched(name)
                if seen.tls is not None
                and address in (None, seen.probe.address)
                and protocol in (None, seen.probe.protocol)
            ),
            None,
        )

    def _matched(self, name: str) -> tuple[tuple[Observation, Verdict], ...]:
        """What the newest round of the domain or a sibling saw on connections of its own; picked out once."""
        if name not in self._matched_by_name:
            round_ = self.round if name == self.domain else self.siblings.get(name)
            self._matched_by_name[name] = round_.matched if round_ is not None else ()
        return self._matched_by_name[name]

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


_SOME = 4  # pages to make out take a third of a millisecond each


def exposed_clients(opener: Round, domain: str) -> Mapping[str | None, frozenset[Client]]:
    """The browsers that would ask for `domain` on the connections that the round's own name opened, by address."""
    clients: dict[str | None, set[Client]] = {}
    for one in opener.exposures:
        if one.domain == domain:
            clients.setdefault(one.address, set()).add(one.client)
    return {address: frozenset(found) for address, found in clients.items()}


def _body(seen: Observation) -> bytes:
    return seen.response.body if seen.response is not None else b""


_UNASKED = frozenset({"not-asked", "not-covered", "not-reused"})


def _is_unasked(failure: Failure) -> bool:
    return failure.kind in _UNASKED
