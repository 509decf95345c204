"""The newest round of each target, slimmed so that thousands of them can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from exporter.model import MISDIRECTED, Combination, Observation, Page, Phase, Protocol, Response, Round, Verdict
from exporter.pages import is_restless

# 512 bodies of the 64 KiB that a response keeps: far more incidents at once than a person reads.
MAX_BODY_BYTES = 32 * 1024 * 1024

MAX_SHARED_FIELDS = 10_000  # header fields that are kept once for all rounds


class Latest:
    """Rounds by domain. Bodies and times are kept only where they are evidence, and only so many bodies.

    Attributes:
        max_body_bytes: of all kept bodies together; those of the oldest rounds are dropped first.
    """

    def __init__(self, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self.max_body_bytes = max_body_bytes
        self._rounds: dict[str, Round] = {}
        self._matched: dict[str, dict[tuple[str | None, Protocol], Observation]] = {}  # of domains with siblings
        self._restless: dict[str, int] = {}  # rounds for which that is remembered
        self._body_bytes: dict[str, int] = {}  # by domain, the oldest round first; only where there are any
        self._total_body_bytes = 0
        self._fields: dict[tuple[str, str], tuple[str, str]] = {}

    def put(self, round_: Round) -> None:
        """Keep `round_` in place of its domain's last one, without the bodies of expected observations."""
        domain = round_.target.domain
        self._release(domain)
        if len(self._fields) > MAX_SHARED_FIELDS:
            self._fields.clear()
        slim = _slim(round_, self._fields)
        self._rounds[domain] = slim
        if len(slim.target.siblings) > 1:
            before = self._matched.get(domain, {})
            self._matched[domain] = {(seen.probe.address, seen.probe.protocol): seen for seen, _ in slim.matched}
            self._note_restlessness(domain, before)
        self._hold(domain, _body_bytes(slim))

    def forget(self, domain: str) -> None:
        self._release(domain)
        self._rounds.pop(domain, None)
        self._matched.pop(domain, None)
        self._restless.pop(domain, None)

    def is_restless(self, domain: str) -> bool:
        """Whether the domain's own page has changed its title or structure from one of the last rounds to the next."""
        return domain in self._restless

    def get(self, domain: str) -> Round | None:
        return self._rounds.get(domain)

    def fresh(self, domain: str, address: str | None, protocol: Protocol) -> Observation | None:
        """What the domain's last round saw of it on a connection of its own, there."""
        return self._matched.get(domain, {}).get((address, protocol))

    def pages(self, domain: str, protocol: Protocol) -> tuple[Page, ...]:
        """The pages that the domain's last round saw of it on connections of its own, at any address."""
        matched = self._matched.get(domain, {})
        return tuple(seen.page for (_, spoken), seen in matched.items() if spoken is protocol and seen.page is not None)

    def rounds(self) -> tuple[Round, ...]:
        """A snapshot, in the order in which the domains were first seen."""
        return tuple(self._rounds.values())

    def _note_restlessness(self, domain: str, before: Mapping[tuple[str | None, Protocol], Observation]) -> None:
        now = self._matched[domain]
        pairs = [(before[key].page, now[key].page) for key in before.keys() & now.keys()]
        if any(is_restless([one, other]) for one, other in pairs if one is not None and other is not None):
            self._restless[domain] = _RESTLESS_ROUNDS
        elif self._restless.get(domain, 0) > 1:
            self._restless[domain] -= 1
        else:
            self._restless.pop(domain, None)

    def _hold(self, domain: str, size: int) -> None:
        if size:
            self._body_bytes[domain] = size
            self._total_body_bytes += size
        while self._total_body_bytes > self.max_body_bytes:
            oldest = next(iter(self._body_bytes))
            self._release(oldest)
            self._rounds[oldest] = _without_bodies(self._rounds[oldest])

    def _release(self, domain: str) -> None:
        self._total_body_bytes -= self._body_bytes.pop(domain, 0)


def _slim(round_: Round, shared: dict[tuple[str, str], tuple[str, str]]) -> Round:
    pairs = zip(round_.observations, round_.verdicts, strict=True)
    return replace(round_, observations=tuple(_slim_observation(seen, verdict, shared) for seen, verdict in pairs))


def _slim_observation(
    seen: Observation, verdict: Verdict, shared: dict[tuple[str, str], tuple[str, str]]
) -> Observation:
    if seen.response is None:
        return seen
    # Answers repeat most of one another's fields: measured, this halves what a round weighs.
    headers = tuple([shared.setdefault(pair, pair) for pair in seen.response.headers])
    if not verdict.expected:
        return replace(seen, response=replace(seen.response, headers=headers))
    # How long an expected answer took is asked of matched probes only; the metrics have counted the others.
    seconds = seen.seconds if seen.probe.combination is Combination.MATCHED else _NO_SECONDS
    # Who says 421, and rightly, is told by the page.
    body = seen.response.body[:_TELLING_BYTES] if seen.response.status == MISDIRECTED else b""
    return replace(seen, seconds=seconds, response=replace(seen.response, headers=headers, body=body, body_sha256=""))


_TELLING_BYTES = 1024
_RESTLESS_ROUNDS = 100
"""A page that changed once may just have been deployed anew; one that changes often is never forgotten to."""


_NO_SECONDS: Mapping[Phase, float] = {}  # one for all; no proxy, which could not be stored with its round


def _without_bodies(round_: Round) -> Round:
    return replace(round_, observations=tuple(_without_body(seen) for seen in round_.observations))


def _without_body(seen: Observation) -> Observation:
    response: Response | None = seen.response
    return seen if response is None else replace(seen, response=replace(response, body=b""))


def _body_bytes(round_: Round) -> int:
    return sum(len(seen.response.body) for seen in round_.observations if seen.response is not None)
