"""Old connections and resumed sessions: what was agreed before still counts."""

from __future__ import annotations

from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import answer_of, status_of
from exporter.diagnosis.wording import lines, told
from exporter.model import (
    Experiment,
    Observation,
    Severity,
    Variation,
)

_POLICY_MAKERS = ("caddy", "haproxy", "traefik", "envoy")
"""Servers whose own 421 is a rule about SNI and Host, and not a matter of virtual hosts' settings."""


@cause(
    "tls-resumption-across-names",
    114,
    "Only resumed TLS sessions fail",
    also_where_right=True,
    severity=Severity.WARNING,
)
def tls_resumption_across_names(evidence: Evidence) -> Draft | None:
    """A session is taken up again, and the answer is another one than after a full handshake."""
    if not evidence.right or evidence.wrong:
        return None
    resumed = [(how, seen) for trial in evidence.tried(Experiment.RESUMED) for how, seen in trial.answers]
    found = [(how, seen) for how, seen in resumed if _is_bad(evidence, seen) and (seen.tls is None or seen.tls.resumed)]
    if not found:
        return None
    bad = [seen for _, seen in found]
    own = any(how is Variation.OWN_SESSION for how, _ in found)
    return Draft(
        confidence=confidence(experiment=True),
        summary=f"{evidence.domain} answers {answer_of(bad[0])} after a resumed TLS handshake, and rightly after "
        "a full one",
        shown=tuple(bad),
        code=status_of(bad[0]),
        severity=Severity.WARNING if own else Severity.INFO,  # few clients take one name's session to another
        evidence=(*(f"{how}: {told(seen)}" for how, seen in found), *lines([evidence.right[0].seen])),
        noticed_by=("clients that come back within the life of a session ticket",),
    )


def _is_bad(evidence: Evidence, seen: Observation) -> bool:
    if seen.response is None:
        return seen.failure is not None and seen.failure.kind in ("alert", "closed", "reset", "handshake")
    return not evidence.is_right(seen)


@cause(
    "stale-connection",
    115,
    "Old connections still get the old answer",
    also_where_right=True,
    severity=Severity.WARNING,
)
def stale_connection(evidence: Evidence) -> Draft | None:
    """A connection that was opened before a change is still served by what was there then."""
    if not evidence.right or evidence.wrong:
        return None
    old = [seen for seen in evidence.held if seen.asked_before and _is_bad(evidence, seen)]
    if not old:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True) if len(old) > 1 else 0.85,
        summary=f"{evidence.domain} answers {answer_of(old[-1])} on a connection that was kept open, and rightly "
        "on new ones",
        shown=(old[-1], evidence.right[-1].seen),
        code=status_of(old[-1]),
        evidence=(*lines(old), f"{old[-1].asked_before} requests were answered on that connection before"),
        noticed_by=("clients and proxies that keep connections open: for as long as they live",),
    )
