"""Takes what is secret out of what is kept and told: a server may say again what it was sent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from exporter.model import Finding, Secret, Target

HIDDEN = "<secret>"
_SHORTEST = 4
"""A shorter secret could be a part of any word; it is hidden where it is known to stand, not searched for."""


def secrets_of(target: Target) -> tuple[str, ...]:
    """What the target's servers are sent and nobody is to see, the longest first."""
    values = {value.reveal for _, value in target.headers if isinstance(value, Secret)}
    return tuple(sorted((one for one in values if len(one) >= _SHORTEST), key=len, reverse=True))


def hidden(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def finding_without(secrets: Sequence[str], finding: Finding) -> Finding:
    """The finding, with nothing secret in what it quotes; the same object where there are no secrets."""
    if not secrets:
        return finding

    def each(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(hidden(line, secrets) for line in lines)

    return replace(
        finding,
        summary=hidden(finding.summary, secrets),
        evidence=each(finding.evidence),
        against=each(finding.against),
        excluded=tuple(replace(one, why=hidden(one.why, secrets)) for one in finding.excluded),
        would_confirm=hidden(finding.would_confirm, secrets),
        reproduce=each(finding.reproduce),
        fix=each(finding.fix),
    )
