"""Builders of the nouns for tests: sane defaults, any field by keyword."""

from __future__ import annotations

from typing import Any

from exporter.model import (
    Certificate,
    Finding,
    Observation,
    Phase,
    Probe,
    Response,
    Round,
    Severity,
    Target,
    TlsSession,
    Verdict,
)

DOMAIN = "shop.test"
NOON = 1_700_000_000.0
SECONDS = {
    Phase.RESOLVE: 0.001,
    Phase.CONNECT: 0.002,
    Phase.TLS: 0.004,
    Phase.PROCESSING: 0.008,
    Phase.TRANSFER: 0.016,
}
AS_EXPECTED = Verdict(expected=True, reason="200 as expected")


def target(domain: str = DOMAIN, **settings: Any) -> Target:
    return Target(**{"domain": domain, "group": "shop", **settings})


def probe(domain: str = DOMAIN, **settings: Any) -> Probe:
    """A matched probe, unless `settings` say otherwise."""
    return Probe(**{"domain": domain, "sni": domain, "host": domain, "address": "127.0.0.1", **settings})


def certificate(*names: str, **settings: Any) -> Certificate:
    covered = names or (DOMAIN,)
    defaults = {
        "sha256": "00" * 32,
        "subject": f"CN={covered[0]}",
        "issuer": "CN=Test authority",
        "names": covered,
        "names_total": len(covered),
        "not_before": NOON - 86_400,
        "not_after": NOON + 90 * 86_400,
    }
    return Certificate(**{**defaults, **settings})


def tls(**settings: Any) -> TlsSession:
    defaults = {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "alpn": "http/1.1",
        "chain": (certificate(),),
    }
    return TlsSession(**{**defaults, **settings})


def response(status: int = 200, **settings: Any) -> Response:
    return Response(**{"status": status, "reason": "", **settings})


def observation(of: Probe | None = None, *, status: int = 200, **settings: Any) -> Observation:
    """What a probe saw: a trusted session and `status`; with a `failure` given, neither."""
    failed = settings.get("failure") is not None
    defaults = {
        "probe": of or probe(),
        "started_at": NOON,
        "seconds": SECONDS,
        "tls": None if failed else tls(),
        "response": None if failed else response(status),
    }
    return Observation(**{**defaults, **settings})


def round_(*observations: Observation, of: Target | None = None, **settings: Any) -> Round:
    """A round that is as expected throughout, unless `verdicts` say otherwise."""
    about = of or target()
    seen = observations or (observation(probe(about.domain)),)
    defaults = {
        "target": about,
        "started_at": NOON,
        "duration_seconds": 0.5,
        "addresses": ("127.0.0.1",),
        "observations": seen,
        "verdicts": (AS_EXPECTED,) * len(seen),
    }
    return Round(**{**defaults, **settings})


def finding(cause: str = "upstream-down", *domains: str, **settings: Any) -> Finding:
    defaults = {
        "cause": cause,
        "domains": domains or (DOMAIN,),
        "code": 502,
        "confidence": 0.8,
        "severity": Severity.CRITICAL,
        "summary": f"{cause} at {', '.join(domains or (DOMAIN,))}",
    }
    return Finding(**{**defaults, **settings})
