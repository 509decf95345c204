"""Names in the TLS hello and in Host: refused for what they are, how they are spelled, or for being absent."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import answer_of, status_of
from exporter.diagnosis.wording import lines, names, told, where
from exporter.model import Excluded, Experiment, Observation, Phase, Severity, Variation

_ROUTERS = ("envoy", "kong", "kubernetes-default-backend", "traefik")
_GO_NOT_FOUND = "404 page not found"


@cause("server-rejects-sni", 111, "The server rejects the name in SNI",
       masks=("proxy-loses-host", "vhost-missing"))  # fmt: skip
def server_rejects_sni(evidence: Evidence) -> Draft | None:
    """Jetty compares SNI and Host with its certificate, and answers 400 where they do not fit."""
    if evidence.code != 400 or evidence.worst is None:
        return None
    said = next(
        (text for text in ("Invalid SNI", "Host does not match SNI", "SNI required") if text in evidence.text), ""
    )
    if not said:
        return None
    worst = evidence.worst.seen
    covered = worst.tls is not None and worst.tls.covers(evidence.domain)
    return Draft(
        confidence=confidence(text=True, experiment=not covered),
        summary=f"the server rejects {evidence.domain} in SNI{where(evidence)}: {said}"
        + ("" if covered else "; its certificate does not cover the name"),
        shown=(worst,),
        code=400,
        evidence=lines([s.seen for s in evidence.wrong]),
        would_confirm="" if not covered else "a certificate in the server's keystore that names the host",
    )


@cause("tls-name-rejected", 112, "The TLS handshake is refused for this name",
       masks=("tls-handshake-failed", "connection-reset-on-hello", "address-unreachable"))  # fmt: skip
def tls_name_rejected(evidence: Evidence) -> Draft | None:
    """The server ends the handshake for this name, and shakes hands for others."""
    worst = evidence.worst
    failure = evidence.failure
    if worst is None or failure is None or failure.phase is not Phase.TLS:
        return None
    if failure.kind not in ("alert", "closed", "reset") or failure.detail in _NOT_ABOUT_NAMES:
        return None
    at = set(evidence.wrong_addresses)
    others = [seen for seen in _other_handshakes(evidence) if seen.tls is not None and seen.probe.address in at]
    unrecognized = failure.detail == "unrecognized_name"
    if not others and not unrecognized:
        return None
    return Draft(
        confidence=confidence(text=unrecognized, experiment=bool(others)),
        summary=f"the server refuses the TLS handshake for {evidence.domain}{where(evidence)} "
        f"({failure.detail or failure.kind})" + (f", and shakes hands {_with(others[0])}" if others else ""),
        shown=(worst.seen, *others[:1]),
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *(f"{told(seen)}: the handshake is done" for seen in others[:3]),
        ),
        excluded=(Excluded("tls-handshake-failed", "the same client's handshake is accepted for another name"),)
        if others
        else (),
    )


_NOT_ABOUT_NAMES = ("protocol_version", "certificate_required", "insufficient_security", "no_application_protocol")


def _other_handshakes(evidence: Evidence) -> Sequence[Observation]:
    companions = [seen for round_ in evidence.companions.values() for seen, _ in round_.matched]
    unknown = [evidence.unknown_name] if evidence.unknown_name is not None else []
    return (*companions, *evidence.without_sni, *evidence.other_snis, *unknown)


def _with(seen: Observation) -> str:
    return f"for {seen.probe.sni}" if seen.probe.sni is not None else "where no name is sent"


@cause("host-header-shape", 113, "Only a variant of the name fails", severity=Severity.INFO)
def host_header_shape(evidence: Evidence) -> Draft | None:
    """Host in upper case, with the port or a trailing dot is the same name (RFC 9110, 4.2.3), but refused."""
    if not evidence.right or evidence.wrong:
        return None
    failing = {
        variation: seen
        for variation in (Variation.UPPER_CASE, Variation.WITH_PORT, Variation.WITHOUT_PORT, Variation.TRAILING_DOT)
        if (seen := evidence.varied(Experiment.HOST_SHAPE, variation)) is not None and not evidence.is_right(seen)
    }
    if evidence.target.port != 443:
        failing.pop(Variation.WITHOUT_PORT, None)  # then it names another port, and may be refused
    if not failing:
        return None
    first = next(iter(failing.values()))
    return Draft(
        confidence=confidence(experiment=True),
        summary=f"{evidence.domain} is served, but not where it is spelled otherwise: "
        + names(f"{variation}: {answer_of(seen)}" for variation, seen in failing.items()),
        shown=(first,),
        code=status_of(first),
        evidence=tuple(f"{variation}: {answer_of(seen)}" for variation, seen in failing.items()),
        noticed_by=("clients that spell the name so: crawlers, scripts, links with a trailing dot",),
    )


@cause("strict-sni-rejects-clients-without-sni", 110, "Clients without SNI are refused", severity=Severity.INFO)
def strict_sni_rejects_clients_without_sni(evidence: Evidence) -> Draft | None:
    """A policy refuses whoever names no host in the handshake: old clients and monitors that ask by address."""
    refused = [seen for seen in evidence.without_sni if _is_refused(seen) and status_of(seen) != 421]
    return _only_without_sni(evidence, refused, "the server refuses clients that send no SNI")


@cause("monitor-sends-no-sni", 117, "Only clients without SNI get the error", severity=Severity.INFO)
def monitor_sends_no_sni(evidence: Evidence) -> Draft | None:
    """The edge is fine: a client that asks by address without SNI reaches the default virtual host's connection."""
    refused = [seen for seen in evidence.without_sni if status_of(seen) == 421]
    return _only_without_sni(evidence, refused, "only clients that send no SNI, as some monitors, are refused")


def _only_without_sni(evidence: Evidence, refused: Sequence[Observation], why: str) -> Draft | None:
    if not refused or evidence.wrong or not evidence.right:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"{why}: {told(refused[0])}; with SNI {evidence.domain} is served",
        shown=(refused[0], evidence.right[0].seen),
        code=status_of(refused[0]),
        evidence=(*lines(refused), *lines([evidence.right[0].seen])),
        noticed_by=("monitors, scripts and proxies that connect by address", "browsers do not"),
    )


def _is_refused(seen: Observation) -> bool:
    status = status_of(seen)
    if status is not None:
        return status in (400, 403, 404)
    return (
        seen.failure is not None
        and seen.failure.phase is Phase.TLS
        and seen.failure.kind in ("alert", "closed", "reset")
    )
