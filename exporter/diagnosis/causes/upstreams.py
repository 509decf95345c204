"""Upstreams: what a proxy says of the application behind it, by the proxy's own page and by the time it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exporter.diagnosis.cause import TEXT_ONLY, Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.wording import lines, page_told, where
from exporter.model import Excluded, Observation, Phase, Protocol

# Proxies give up at round numbers; what answers faster was refused, or closed on.
_AT_ONCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Upstream:
    """What a proxy's own page says about its upstream: one row a page."""

    maker: str
    code: int
    says: str
    cause: str
    sure: float = 0.8


_DOWN, _SLOW, _BAD, _BUSY = "upstream-down", "upstream-too-slow", "upstream-bad-answer", "overloaded"

_UPSTREAM = (
    _Upstream("envoy", 503, "no healthy upstream", _DOWN),
    _Upstream("envoy", 503, "reset reason: overflow", _BUSY),
    _Upstream("envoy", 503, "delayed connect error", _DOWN),
    _Upstream("envoy", 503, "connection failure", _DOWN),
    _Upstream("envoy", 503, "connection timeout", _DOWN),
    _Upstream("envoy", 503, "connect", _BAD, 0.7),
    _Upstream("envoy", 503, "", _BAD, 0.6),
    _Upstream("envoy", 502, "", _BAD),
    _Upstream("haproxy", 503, "No server is available", _DOWN),
    _Upstream("haproxy", 502, "", _BAD),
    _Upstream("apache", 503, "", _DOWN, 0.7),
    _Upstream("apache", 502, "", _BAD, 0.7),
    _Upstream("nginx", 502, "", _DOWN, 0.6),
    _Upstream("openresty", 502, "", _DOWN, 0.6),
    _Upstream("caddy", 502, "", _DOWN, 0.6),
    _Upstream("caddy", 503, "", _DOWN, 0.6),
    _Upstream("varnish", 503, "", _DOWN, 0.6),
    _Upstream("traefik", 502, "", _DOWN, 0.6),
    _Upstream("traefik", 503, "no available server", _DOWN),
    _Upstream("aws-alb", 502, "", _BAD),
    _Upstream("aws-alb", 503, "", _DOWN),
    _Upstream("kong", 502, "invalid response", _BAD),
    _Upstream("kong", 503, "failure to get a peer", _DOWN),
    _Upstream("kong", 503, "name resolution failed", _DOWN),
    _Upstream("squid", 503, "ERR_CONNECT_FAIL", _DOWN),
    _Upstream("traffic-server", 502, "", _DOWN, 0.6),
    _Upstream("cloudflare", 520, "", _BAD),
    _Upstream("cloudflare", 521, "", _DOWN),
    _Upstream("cloudflare", 522, "", _DOWN),
    _Upstream("cloudflare", 523, "", _DOWN),
    _Upstream("cloudflare", 525, "", _BAD),
    _Upstream("cloudflare", 526, "", _BAD),
    _Upstream("cloudflare", 530, "", _DOWN),
    _Upstream("*", 502, "", _DOWN, 0.5),
)
"""The first row that fits holds (measured; the servers' documentation); `*`: whoever said it. 504 and 524: slowness."""


def _about_upstream(evidence: Evidence) -> _Upstream | None:
    worst = evidence.worst
    if worst is None or evidence.code is None or (evidence.retry_after and evidence.code == 503):
        return None
    maker = evidence.generator.id if evidence.generator is not None else ""
    if evidence.code in (504, 524):
        return _Upstream(maker, evidence.code, "", _SLOW)
    row = next(
        (r for r in _UPSTREAM if r.maker in (maker, "*") and r.code == evidence.code and r.says in evidence.text), None
    )
    if row is not None and row.cause != _BUSY and _seconds(worst.seen) >= _waiting_seconds(row):
        return _Upstream(row.maker, row.code, row.says, _SLOW, 0.7)
    return row


def _waiting_seconds(row: _Upstream) -> float:
    """From which time on an error means waiting: HAProxy queues and retries a dead server for some seconds itself."""
    return float("inf") if row.maker == "haproxy" and row.code == 503 else _AT_ONCE_SECONDS


def _seconds(seen: Observation) -> float:
    return seen.seconds.get(Phase.PROCESSING, 0.0)


def _upstream(
    evidence: Evidence, id_: str, why: Callable[[Evidence], str], excluded: tuple[Excluded, ...]
) -> Draft | None:
    row = _about_upstream(evidence)
    worst = evidence.worst
    if row is None or row.cause != id_ or worst is None:
        return None
    spent = _seconds(worst.seen)
    return Draft(
        confidence=row.sure if evidence.lasts else min(row.sure, TEXT_ONLY),
        summary=f"{evidence.domain} answers {worst.answer}{where(evidence)} after {spent:.2g} s: {why(evidence)}",
        shown=(worst.seen,),
        code=evidence.code,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            f"{page_told(evidence)}, after {spent:.2g} s",
        ),
        excluded=excluded,
        would_confirm="the proxy's error log, which says what its upstream did",
    )


@cause("upstream-down", 207, "The upstream is down")
def upstream_down(evidence: Evidence) -> Draft | None:
    """Nothing listens where the proxy expects the application, or no member of the pool is healthy."""
    return _upstream(
        evidence,
        _DOWN,
        lambda _: "the proxy could not connect to its upstream, or has no healthy one",
        (Excluded("upstream-too-slow", "the error comes at once"),),
    )


@cause("upstream-too-slow", 208, "The upstream is too slow")
def upstream_too_slow(evidence: Evidence) -> Draft | None:
    """The upstream did not answer within the time that the proxy gives it."""
    return _upstream(
        evidence,
        _SLOW,
        lambda _: "the upstream did not answer within the proxy's time",
        (Excluded("upstream-down", "a refused connection is answered at once"),),
    )


@cause("upstream-bad-answer", 209, "The upstream's answer is no HTTP")
def upstream_bad_answer(evidence: Evidence) -> Draft | None:
    """The upstream closed early or answered what is no HTTP; nginx hands such bytes on to clients of HTTP/1.1."""
    raw = [
        s
        for s in evidence.wrong
        if s.failure is not None and s.failure.kind == "not-http" and s.protocol is Protocol.HTTP11
    ]
    framed = [s for s in evidence.own if s.protocol is not Protocol.HTTP11 and s.status is not None]
    if raw and framed:
        return Draft(
            confidence=confidence(experiment=True),
            summary=f"the proxy in front of {evidence.domain} hands on an answer of its upstream that is no HTTP: "
            f"over HTTP/1.1 clients get the bytes as they are, over {framed[0].protocol} status {framed[0].answer}",
            shown=(raw[0].seen, framed[0].seen),
            evidence=(
                *lines([raw[0].seen, framed[0].seen]),
                raw[0].failure.detail if raw[0].failure is not None else "",
            ),
            excluded=(Excluded("not-http", f"the edge speaks {framed[0].protocol}"),),
        )
    return _upstream(evidence, _BAD, lambda _: "the upstream closed the connection early, or its answer is no HTTP", ())
