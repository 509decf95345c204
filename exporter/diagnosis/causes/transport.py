"""No answer: what happens below HTTP, named by the phase in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exporter.diagnosis.cause import BOTH, Cause, Draft, cause
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import answer_of
from exporter.diagnosis.wording import asked, lines, where
from exporter.model import Failure, Phase, Protocol, Severity

_Holds = Callable[[Failure], bool]


def _failing(evidence: Evidence, holds: _Holds, summary: str, severity: Severity | None = None) -> Draft | None:
    """The draft for a failure of the domain's own probes for which `holds` is true."""
    worst, failure = evidence.worst, evidence.failure
    if worst is None or failure is None or not holds(failure):
        return None
    shown = tuple(sample.seen for sample in evidence.wrong if sample.failure is not None and holds(sample.failure))
    detail = f" ({failure.detail})" if failure.detail else ""
    partly = evidence.split is not Split.EVERYWHERE
    return Draft(
        confidence=BOTH if len(shown) > 1 else 0.85,
        summary=f"{evidence.domain}: {summary}{where(evidence)}: {asked(worst.seen.probe)} ended in phase "
        f"{failure.phase}{detail}",
        shown=(worst.seen, *shown),
        code=evidence.code,
        severity=severity or (Severity.WARNING if partly else None),
        evidence=lines(shown),
        against=lines([sample.seen for sample in evidence.right], 2),
    )


def _on(kinds: tuple[str, ...], *phases: Phase) -> _Holds:
    return lambda failure: failure.kind in kinds and (not phases or failure.phase in phases)


def _transport(id_: str, number: int, title: str, holds: _Holds, summary: str) -> Cause:
    return cause(id_, number, title)(lambda evidence: _failing(evidence, holds, summary))


connection_refused: Final = _transport(
    "connection-refused", 501, "Connection refused",
    _on(("refused",), Phase.CONNECT), "nothing listens at the port, or a firewall says so",
)  # fmt: skip
connection_timeout: Final = _transport(
    "connection-timeout", 502, "Connection timed out",
    _on(("timeout", "unreachable"), Phase.CONNECT), "no TCP connection could be made",
)  # fmt: skip
connection_reset: Final = _transport(
    "connection-reset", 503, "Connection reset",
    _on(("reset",), Phase.CONNECT, Phase.PROCESSING), "the server resets the connection instead of answering",
)  # fmt: skip
closed_without_answer: Final = _transport(
    "closed-without-answer", 505, "Closed without an answer",
    _on(("closed",), Phase.PROCESSING), "the server takes the request and closes the connection without an answer",
)  # fmt: skip
tls_handshake_timeout: Final = _transport(
    "tls-handshake-timeout", 506, "TLS handshake timed out",
    _on(("timeout",), Phase.TLS), "the port takes connections, but nobody answers the TLS hello",
)  # fmt: skip
port_speaks_plain_http: Final = _transport(
    "port-speaks-plain-http", 508, "The port speaks plain HTTP",
    _on(("plain-http",), Phase.TLS), "the port answers a TLS hello in plain HTTP: TLS is not switched on there",
)  # fmt: skip
response_headers_too_big: Final = _transport(
    "response-headers-too-big", 510, "The answer's header section is too big",
    _on(("headers-too-big",)), "the header section is bigger than clients take",
)  # fmt: skip
response_timeout: Final = _transport(
    "response-timeout", 511, "No answer in time",
    _on(("timeout",), Phase.PROCESSING), "the request is taken, but no answer comes in time",
)  # fmt: skip
body_truncated: Final = _transport(
    "body-truncated", 513, "The body is cut off",
    _on(("truncated", "malformed", "reset", "closed"), Phase.TRANSFER), "the body ends before its announced end",
)  # fmt: skip
body_never_ends: Final = _transport(
    "body-never-ends", 514, "The body never ends",
    _on(("timeout", "slow"), Phase.TRANSFER), "the body does not end in time",
)  # fmt: skip


@cause("tls-handshake-failed", 507, "TLS handshake failed")
def tls_handshake_failed(evidence: Evidence) -> Draft | None:
    """Both sides speak TLS and find nothing in common, or one breaks it off."""
    agreed = "the TLS handshake fails: protocol version, cipher or certificate do not suit both sides"
    return _failing(evidence, _on(("alert", "handshake", "alpn", "quic-error"), Phase.TLS), agreed)


@cause("connection-reset-on-hello", 504, "Connection ends at the TLS hello")
def connection_reset_on_hello(evidence: Evidence) -> Draft | None:
    """A router without a route, a firewall that reads SNI, or a port that is no TLS."""
    ended = "the connection ends as soon as the TLS hello comes"
    return _failing(evidence, _on(("reset", "closed"), Phase.TLS), ended)


@cause("not-http", 509, "What answers is not HTTP")
def not_http(evidence: Evidence) -> Draft | None:
    """Another service listens there; but a proxy that passes on what its upstream says is not this."""
    other = {sample.protocol for sample in evidence.own if sample.status is not None}
    if Protocol.H2 in other:
        return None
    return _failing(evidence, _on(("not-http", "not-tls")), "what answers there does not speak HTTP")


@cause("response-too-slow", 512, "The answer comes too slowly", also_where_right=True)
def response_too_slow(evidence: Evidence) -> Draft | None:
    """The answer dribbles in, or takes longer than `expect.max_seconds`."""
    draft = _failing(
        evidence, _on(("slow",), Phase.PROCESSING), "the answer begins, but comes too slowly to end in time"
    )
    if draft is not None:
        return draft
    bound = evidence.target.expect.max_seconds
    late = [s.seen for s in evidence.right if bound is not None and sum(s.seen.seconds.values()) > bound]
    if not late:
        return None
    slowest = max(late, key=lambda seen: sum(seen.seconds.values()))
    phase = max(slowest.seconds, key=lambda phase: slowest.seconds[phase])
    return Draft(
        confidence=BOTH,
        summary=f"{evidence.domain} takes {sum(slowest.seconds.values()):.3g} s, longer than {bound:g} s, most of "
        f"it in phase {phase}",
        shown=tuple(late),
        code=slowest.response.status if slowest.response is not None else None,
        severity=Severity.WARNING,
        evidence=tuple(f"{asked(o.probe)}: {answer_of(o)} after {sum(o.seconds.values()):.3g} s" for o in late[:6]),
    )


@cause("client-cert-required", 515, "A client certificate is demanded of everybody",
       masks=("tls-handshake-failed", "access-denied", "connection-reset", "closed-without-answer",
              "proxy-loses-host", "vhost-missing"))  # fmt: skip
def client_cert_required(evidence: Evidence) -> Draft | None:
    """The server asks for a client certificate in the handshake and serves nobody without one."""
    worst = evidence.worst
    if worst is None:
        return None
    requested = [s for s in evidence.wrong if s.seen.tls is not None and s.seen.tls.client_certificate_requested]
    failure = worst.failure
    alert = failure is not None and failure.kind == "alert" and failure.detail in _CERTIFICATE_ALERTS
    by_text = any(word in evidence.text for word in _CERTIFICATE_TEXTS)
    by_status = bool(requested) and evidence.code in (400, 401, 403, 495, 496)
    ended = bool(requested) and failure is not None and failure.kind in ("reset", "closed", "alert")
    if not (alert or by_text or by_status or ended):
        return None
    return Draft(
        confidence=BOTH if requested and (alert or by_text) else 0.8,
        summary=f"{evidence.domain} serves nobody without a client certificate{where(evidence)}: "
        f"{answer_of(worst.seen)}" + (", and the handshake asks for one" if requested else ""),
        shown=(worst.seen,),
        code=evidence.code,
        evidence=(
            *lines([worst.seen]),
            *(["the handshake has a CertificateRequest"] if requested else []),
        ),
        would_confirm="the same probe with a client certificate (`client_certificate` in the configuration)",
    )


_CERTIFICATE_ALERTS = ("certificate_required", "bad_certificate", "unknown_ca", "certificate_unknown")
_CERTIFICATE_TEXTS = ("No required SSL certificate was sent", "The SSL certificate error")


@cause("http2-protocol-error", 516, "HTTP/2 breaks", severity=Severity.WARNING)
def http2_protocol_error(evidence: Evidence) -> Draft | None:
    """Over HTTP/2 the exchange breaks; the failure's detail says how."""
    broken = ("protocol-error", "stream-reset", "goaway", "h3-error", "quic-error")
    return _failing(evidence, lambda f: f.kind in broken and f.phase is not Phase.TLS, "the protocol breaks")


@cause("illegal-upgrade-header-in-h2", 216, "A proxied Upgrade header breaks HTTP/2", masks=("http2-protocol-error",))
def illegal_upgrade_header_in_h2(evidence: Evidence) -> Draft | None:
    """An origin offers `Upgrade: h2`, and the proxy in front hands it on, which HTTP/2 forbids (RFC 9113, 8.2.2)."""
    broken = [s for s in evidence.wrong if s.failure is not None and s.protocol is not Protocol.HTTP11]
    offers = [s for s in evidence.right if s.protocol is Protocol.HTTP11 and _header(s.seen, "upgrade")]
    if not broken or not offers:
        return None
    named = any("connection-specific" in s.failure.detail.lower() or "upgrade" in s.failure.detail.lower()
                for s in broken if s.failure is not None)  # fmt: skip
    return Draft(
        confidence=BOTH if named else 0.8,
        summary=f"{evidence.domain} breaks over HTTP/2: over HTTP/1.1 its answer carries Upgrade: "
        f"{_header(offers[0].seen, 'upgrade')}, which HTTP/2 forbids and a proxy hands on",
        shown=(broken[0].seen, offers[0].seen),
        evidence=(*lines([broken[0].seen]), *lines([offers[0].seen]), *_details(broken[0].failure)),
        noticed_by=("every client that speaks HTTP/2", "clients of HTTP/1.1 do not"),
    )


def _details(failure: Failure | None) -> tuple[str, ...]:
    return (failure.detail,) if failure is not None and failure.detail else ()


def _header(seen: object, name: str) -> str:
    response = getattr(seen, "response", None)
    return (response.header(name) or "")[:60] if response is not None else ""
