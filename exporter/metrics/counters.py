"""True counters: what happened since the start."""

from __future__ import annotations

from collections.abc import ItemsView
from http import HTTPStatus

from exporter.exposition import labels
from exporter.model import Combination, Observation, Probe, Protocol, Verdict

# Registered statuses always have their own series, so that a server cannot hide a 421 behind made-up codes; of the
# others (nginx's 499, a CDN's 52x, a hostile server's anything) as many as any honest server sends, then `other`.
MAX_UNREGISTERED_CODES = 20
_REGISTERED_CODES = frozenset(map(int, HTTPStatus))


class _Counts:
    """Counts by label set, by the domain that they are about.

    The dicts never change but are replaced, so that a scrape need not copy what it shows.
    """

    def __init__(self) -> None:
        self._by_domain: dict[str, dict[str, int]] = {}

    def add(self, domain: str, amount: int, *pairs: tuple[str, str]) -> None:
        counts = self._by_domain.get(domain, {})
        text = labels(("domain", domain), *pairs)
        if amount or text not in counts:
            self._by_domain[domain] = {**counts, text: counts.get(text, 0) + amount}

    def forget(self, domain: str) -> None:
        self._by_domain.pop(domain, None)

    def samples(self) -> list[ItemsView[str, int]]:
        return [counts.items() for counts in self._by_domain.values()]


class Counters:
    """What happened since the start."""

    def __init__(self) -> None:
        self.responses = _Counts()
        self.misdirected = _Counts()
        self.failures = _Counts()
        self._unregistered: dict[str, dict[tuple[Combination, Protocol], set[int]]] = {}

    def count(self, observation: Observation, verdict: Verdict) -> None:
        """A response that broke off is a response and a failure."""
        probe, failure = observation.probe, observation.failure
        if failure is not None:
            self.failures.add(probe.domain, 1, ("phase", failure.phase), ("kind", failure.kind))
        if observation.response is not None:
            self._count_response(probe, observation.response.status, verdict)
        if probe.combination is Combination.MATCHED:
            # The series that pages is there from the first round on, so that `increase` sees its first event.
            self.misdirected.add(probe.domain, 0, ("combination", Combination.MATCHED), ("expected", "false"))

    def forget(self, domain: str) -> None:
        self.responses.forget(domain)
        self.misdirected.forget(domain)
        self.failures.forget(domain)
        self._unregistered.pop(domain, None)

    def _count_response(self, probe: Probe, status: int, verdict: Verdict) -> None:
        combination = ("combination", probe.combination)
        code = ("code", self._code(probe, status))
        self.responses.add(probe.domain, 1, combination, ("protocol", probe.protocol), code)
        if status == HTTPStatus.MISDIRECTED_REQUEST:
            expected = ("expected", "true" if verdict.expected else "false")
            self.misdirected.add(probe.domain, 1, combination, expected)

    def _code(self, probe: Probe, status: int) -> str:
        if status in _REGISTERED_CODES:
            return str(status)
        known = self._unregistered.setdefault(probe.domain, {}).setdefault((probe.combination, probe.protocol), set())
        if len(known) < MAX_UNREGISTERED_CODES:
            known.add(status)
        return str(status) if status in known else "other"
