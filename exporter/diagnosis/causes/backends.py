"""Several answers to one question: backends that differ, and caches that keep an old error."""

from __future__ import annotations

from itertools import pairwise

from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import answer_of, is_right
from exporter.diagnosis.wording import lines, names, told, where
from exporter.model import Excluded, Experiment, Observation, Phase, Severity, Variation

_AT_ONCE_SECONDS = 0.5  # a cache answers in less

_NOT_BACKENDS = (429, 503)
"""Statuses that come and go by themselves: limits and load."""


@cause("one-backend-misconfigured", 210, "Some backends behind one address fail", severity=Severity.WARNING,
       masks=("vhost-missing", "application-answers-421", "rewrite-rule-421", "application-error", "content-missing",
              "upstream-down", "upstream-bad-answer", "proxy-sends-no-sni-upstream", "proxy-sends-wrong-sni-upstream",
              "access-denied", "application-rejects-host", "no-route-for-host", "auth-required",
              "closed-without-answer",
              "cert-name-mismatch", "cert-expired", "cert-untrusted", "connection-reset-on-hello", "tls-name-rejected",
              "tls-handshake-failed", "cached-error", "method-not-allowed", "upstream-too-slow", "rate-limited",
              "sni-router-with-shared-cert", "vhost-tls-params-differ", "sni-policy-forbids-connection-reuse",
              "vhost-certs-overlap", "address-sets-overlap"))  # fmt: skip
def one_backend_misconfigured(evidence: Evidence) -> Draft | None:
    """One address stands for several servers, and a share of them answers wrongly."""
    if evidence.split is not Split.SOMETIMES or evidence.code in _NOT_BACKENDS or _changed_once(evidence):
        return None
    worst = evidence.worst
    if worst is None or (worst.failure is not None and worst.failure.kind in ("timeout", "slow")):
        return None
    if evidence.code in _SLOW and not _others_are_quick(evidence):
        return None
    wrong, total = evidence.share
    stacks = _stacks(evidence)
    return Draft(
        confidence=confidence(text=stacks, experiment=True) if total >= 6 else 0.6,
        summary=f"behind {names(evidence.wrong_addresses)} some backends fail: {evidence.domain} is answered "
        f"{worst.answer} "
        f"in {wrong} of {total} requests, and rightly in the others",
        shown=(worst.seen, *(s.seen for s in evidence.right[:1])),
        code=evidence.code,
        evidence=(
            f"in turn: {_series(evidence)}",
            *lines([worst.seen, *(s.seen for s in evidence.right[:1])]),
            *(["right and wrong answers come from different servers (Server field or certificate)"] if stacks else []),
        ),
        excluded=(
            Excluded("address-serves-other-hosts", "one and the same address answers both ways"),
            *(
                [Excluded("proxy-reuses-upstream-connection", "who was asked for before makes no difference")]
                if evidence.tried(Experiment.INTERLEAVED)
                else []
            ),
        ),
        would_confirm="each backend asked by itself",
        noticed_by=(f"about {round(100 * wrong / total)} % of requests, whoever sends them",),
    )


_SLOW = (504, 524)


def _others_are_quick(evidence: Evidence) -> bool:
    """Whether right answers take a small part of the time after which the proxy gives up: load would slow down all."""
    waited = min(sum(sample.seen.seconds.values()) for sample in evidence.wrong)
    return all(sum(sample.seen.seconds.values()) < waited / 3 for sample in evidence.right)


def _series(evidence: Evidence) -> str:
    return ", ".join(sample.answer for sample in evidence.own if sample.address in evidence.wrong_addresses)


def _changed_once(evidence: Evidence) -> bool:
    """Whether it was wrong for a while and then right, or the other way round: a change in time, not a share."""
    runs = [sample.is_right for sample in evidence.own if sample.address in evidence.wrong_addresses]
    changes = sum(one != other for one, other in pairwise(runs))
    return changes <= 1 and len(runs) >= 6


def _stacks(evidence: Evidence) -> bool:
    def stack(seen: Observation) -> tuple[str, str]:
        leaf = seen.tls.leaf if seen.tls is not None else None
        return (seen.response.header("server") or "" if seen.response else "", leaf.sha256 if leaf is not None else "")

    wrong, right = ({stack(s.seen) for s in samples} for samples in (evidence.wrong, evidence.right))
    return not wrong & right


@cause("cached-error", 211, "A cache serves an old error",
       masks=("application-answers-421", "vhost-missing", "rewrite-rule-421", "content-missing", "upstream-down",
              "application-error", "proxy-sends-no-sni-upstream", "upstream-bad-answer", "access-denied", "overloaded",
              "proxy-loses-host", "maintenance", "upstream-too-slow", "no-route-for-host"))  # fmt: skip
def cached_error(evidence: Evidence) -> Draft | None:
    """The error is kept by a cache, and the origin may be well again."""
    worst, response = evidence.worst, evidence.response
    if worst is None or response is None or response.status < 400:
        return None
    hit = _hit(worst.seen)
    fresh = evidence.varied(Experiment.OTHER_PATH, Variation.NEW_QUERY)
    heals = fresh is not None and is_right(evidence.target, fresh)
    if not hit or (fresh is not None and not heals):
        return None
    if not heals and not all(_hit(sample.seen) for sample in evidence.wrong if sample.status is not None):
        return None  # who was asked anew had the error too
    return Draft(
        confidence=confidence(text=True, experiment=heals),
        summary=f"a cache serves {evidence.domain} an old {worst.answer}{where(evidence)} ({hit})"
        + (
            f"; with a query that no cache knows the answer is {answer_of(fresh)}"
            if heals and fresh is not None
            else ""
        ),
        shown=(worst.seen, *([fresh] if heals and fresh is not None else [])),
        code=evidence.code,
        evidence=(
            *lines([worst.seen]),
            hit,
            *([told(fresh) + " with a new query"] if heals and fresh is not None else []),
        ),
        would_confirm="" if heals else "the same request past the cache",
    )


def _hit(seen: Observation) -> str:
    """How the answer shows that it is a cache's; empty: it does not, or somebody behind was waited for first.

    Varnish calls it a hit, too, where one request has waited for the backend on behalf of several.
    """
    response = seen.response
    if response is None or seen.seconds.get(Phase.PROCESSING, 0.0) >= _AT_ONCE_SECONDS:
        return ""
    age = response.header("age") or "0"
    if age.isascii() and age.isdigit() and int(age[:12]) > 0:
        return f"Age: {age[:12]}"
    for name in ("x-cache", "x-cache-status", "cf-cache-status", "x-proxy-cache"):
        value = response.header(name) or ""
        if value.upper().startswith("HIT"):
            return f"{name}: {value[:40]}"
    varnish = (response.header("x-varnish") or "").split()
    return f"X-Varnish: {' '.join(varnish)[:40]}" if len(varnish) == 2 and all(map(str.isdigit, varnish)) else ""
