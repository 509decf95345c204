"""What a diagnosis reads: the observations about one domain, narrowed and compared. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from exporter.diagnosis.own import OwnAnswers
from exporter.diagnosis.samples import Shared, answer_of, is_right, page, status_of
from exporter.model import (
    MISDIRECTED,
    Client,
    Combination,
    Experiment,
    Observation,
    Page,
    Protocol,
    Round,
    TlsSession,
    Variation,
    Verdict,
)
from exporter.pages import differences, is_restless


class Evidence(OwnAnswers):
    """The observations about one domain, from its own rounds, its siblings' and the experiments made on it."""

    @cached_property
    def symptoms(self) -> frozenset[str]:
        """What is wrong, without what differs from round to round: the same symptoms need no new experiments."""
        own = {f"{sample.address} {sample.protocol} {sample.answer}" for sample in self.wrong}
        shared = {f"{one.opener} {one.seen.probe.address} {answer_of(one.seen)}" for one in self.shared}
        return frozenset(own | shared)

    # Other names.

    @cached_property
    def unknown_hosts(self) -> tuple[Observation, ...]:
        """What a Host that nobody configured was answered on the domain's own connections."""
        return self._own_round(Combination.UNKNOWN_HOST)

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


_SOME = 4  # pages to make out take a third of a millisecond each


def exposed_clients(opener: Round, domain: str) -> Mapping[str | None, frozenset[Client]]:
    """The browsers that would ask for `domain` on the connections that the round's own name opened, by address."""
    clients: dict[str | None, set[Client]] = {}
    for one in opener.exposures:
        if one.domain == domain:
            clients.setdefault(one.address, set()).add(one.client)
    return {address: frozenset(found) for address, found in clients.items()}
