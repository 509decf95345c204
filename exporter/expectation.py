"""What each kind of probe is expected to show, and how an observation stands to it. Pure.

A status means something only next to how it was asked: 421 for a foreign name is a right refusal, for the domain's own
name on a connection of its own it is an outage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from exporter.model import (
    MISDIRECTED,
    Client,
    Combination,
    Expect,
    Failure,
    Observation,
    Page,
    Protocol,
    Response,
    Target,
    Verdict,
)
from exporter.pages import differences
from exporter.patterns import is_found

_UNASKED = frozenset({"not-asked", "not-covered", "not-reused"})
"""Kinds of failure that say nothing about the server: no question was put to it."""
_REFUSING_KINDS = frozenset({"alert", "closed", "reset", "stream-reset", "goaway"})
"""How servers refuse a name below HTTP: by an alert (RFC 6066, section 3), or by hanging up, as routers do."""
_TRY_ANOTHER_CONNECTION = "HTTP_1_1_REQUIRED"
"""The stream error after which clients ask anew over HTTP/1.1 (RFC 9113, sections 7 and 9.2.1)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a coalesced answer is held against.

    Attributes:
        fresh: the page that the name had last on a connection of its own, at this address; None: not known.
        clients: the browsers that would ask for the name on that connection.
        is_restless: whether the name's pages differ from answer to answer.
    """

    fresh: Page | None = None
    clients: frozenset[Client] = frozenset(Client)
    is_restless: bool = False


def judge(target: Target, observation: Observation, comparison: Comparison) -> Verdict:
    """`target` is the one that the observation's probe is about (`probe.domain`)."""
    failure = observation.failure
    if failure is not None and failure.kind in _UNASKED:
        return Verdict(expected=True, reason=f"not asked: {failure.detail}", conclusive=False)
    if failure is not None and failure.kind == "alpn" and len(target.protocols) > 1:
        reason = f"{observation.probe.protocol} is not spoken here: {failure.detail}"
        return Verdict(expected=True, reason=reason, conclusive=False)
    if observation.probe.combination is Combination.COALESCED:
        return _judge_coalesced(target, observation, comparison)
    return _JUDGES[observation.probe.combination](target, observation)


@lru_cache(maxsize=4096)
def _verdict(reason: str, *, expected: bool) -> Verdict:
    """Equal verdicts are one object: thousands of domains get the same."""
    return Verdict(expected=expected, reason=reason)


def _judge_matched(target: Target, observation: Observation) -> Verdict:
    """The domain's own name on a connection of its own: as configured, nothing else."""
    if observation.failure is not None:
        return _verdict(_told(observation.failure), expected=False)
    complaints = _complaints(target, observation)
    return _verdict("; ".join(complaints) or _status(observation.response), expected=not complaints)


def _judge_foreign(target: Target, observation: Observation) -> Verdict:
    """Names that need not fit: what the domain would answer is right, and so is a refusal by status or below HTTP."""
    failure, response = observation.failure, observation.response
    if failure is not None:
        refused = failure.kind in _REFUSING_KINDS
        return _verdict(("refused: " if refused else "") + _told(failure), expected=refused)
    if response is not None and 400 <= response.status < 500:
        return _verdict(f"refused: {_status(response)}", expected=True)
    return _judge_status(target.expect, response)


def _judge_coalesced(target: Target, observation: Observation, comparison: Comparison) -> Verdict:
    """A name on another's connection: the page that it has on its own, or 421 so that clients ask anew.

    Anything else is misrouted, even where both say 200; but what no browser would ask there alarms nobody.
    """
    verdict = _judge_shared(target, observation, comparison)
    if verdict.expected or comparison.clients or observation.probe.protocol is Protocol.HTTP11:
        return verdict
    return _verdict(f"{verdict.reason}, but no browser would ask for it on this connection", expected=True)


def _judge_shared(target: Target, observation: Observation, comparison: Comparison) -> Verdict:
    response, failure, fresh = observation.response, observation.failure, comparison.fresh
    if failure is not None or response is None:
        retried = failure is not None and _TRY_ANOTHER_CONNECTION in failure.detail
        return _verdict(_told(failure) if failure is not None else "no answer", expected=retried)
    if response.status == MISDIRECTED:
        return _verdict(f"refused: {_status(response)}", expected=True)
    if fresh is None or observation.page is None:
        return _judge_status(target.expect, response)
    told = differences(fresh, observation.page, is_restless=comparison.is_restless)
    if told:
        return _verdict(f"misrouted: {', '.join(told)} as on a connection of its own", expected=False)
    return _verdict(f"served: {_status(response)}", expected=True)


_JUDGES: dict[Combination, Callable[[Target, Observation], Verdict]] = {
    Combination.MATCHED: _judge_matched,
    Combination.NO_SNI: _judge_foreign,
    Combination.OTHER_SNI: _judge_foreign,
    Combination.UNKNOWN_HOST: _judge_foreign,
    Combination.HELD: _judge_matched,
    Combination.ALTERNATIVE: _judge_matched,
}


def _judge_status(expect: Expect, response: Response | None) -> Verdict:
    if response is not None and any(response.status in statuses for statuses in expect.status):
        return _verdict(_status(response), expected=True)
    return _verdict(_unexpected_status(expect, response), expected=False)


def _complaints(target: Target, observation: Observation) -> list[str]:
    expect, response, tls = target.expect, observation.response, observation.tls
    if response is None:
        return ["no answer"]
    complaints = []
    if not any(response.status in statuses for statuses in expect.status):
        complaints.append(_unexpected_status(expect, response))
    if target.verify and tls is not None and tls.faults:
        complaints.append(f"certificate {' and '.join(tls.faults)}: {tls.fault_detail}")
    if expect.body_regex is not None and not is_found(expect.body_regex, response.body.decode("latin-1")):
        complaints.append(f"the body of {_status(response)} has no match for {expect.body_regex!r}")
    for name, pattern in expect.header_regex:
        values = [value for key, value in response.headers if key == name]
        if not any(is_found(pattern, value) for value in values):
            complaints.append(f"no {name} field matches {pattern!r}")
    spent = sum(observation.seconds.values())
    if expect.max_seconds is not None and spent > expect.max_seconds:
        complaints.append(f"it took {spent:.3g} s, longer than {expect.max_seconds:g} s")
    return complaints


def _unexpected_status(expect: Expect, response: Response | None) -> str:
    wanted = ", ".join(map(str, expect.status))
    return f"{_status(response)} instead of {wanted}"


def _status(response: Response | None) -> str:
    return "no answer" if response is None else f"status {response.status}"


def _told(failure: Failure) -> str:
    return f"{failure.phase} failed: {failure.kind}" + (f" ({failure.detail})" if failure.detail else "")
