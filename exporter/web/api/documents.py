"""Rounds, domains and incidents as JSON. Pure. The description of it is `openapi.py`."""

from __future__ import annotations

from collections.abc import Sequence

from exporter import documents
from exporter.diagnosis import CAUSES, Cause, leading
from exporter.documents import Json
from exporter.metrics import certificate_not_after
from exporter.model import Certificate, Incident, Observation, Round, Target, TlsSession, Trial, Turn, Verdict
from exporter.store import KeptRound
from exporter.web.state import ended_at, is_stale, state_of
from exporter.web.words import line

_MOST_NAMES = 50
"""Of one certificate; `names_total` counts all."""


def domain(target: Target, round_: Round | None, incidents: Sequence[Incident], now: float) -> dict[str, Json]:
    """How a domain stands; `incidents` are those that are open about it, `now` is Unix time in seconds."""
    first = leading(round_.findings) if round_ is not None else None
    return {
        "domain": target.domain,
        "group": target.group,
        "interval_seconds": target.interval_seconds,
        "state": state_of(round_).id,
        "cause": first.cause if first is not None else None,
        "code": first.code if first is not None else None,
        "severity": first.severity.value if first is not None else None,
        "last_round_at": ended_at(round_) if round_ is not None else None,
        "age_seconds": max(0.0, now - ended_at(round_)) if round_ is not None else None,
        "stale": round_ is not None and is_stale(target, round_, now),
        "certificate_not_after": certificate_not_after(round_) if round_ is not None else None,
        "incidents": [incident.id for incident in incidents],
        "since": min((incident.since for incident in incidents), default=None),
    }


def round_(done: Round) -> dict[str, Json]:
    pairs = zip(done.observations, done.verdicts, strict=True)
    return {
        "domain": done.target.domain,
        "started_at": done.started_at,
        "ended_at": ended_at(done),
        "duration_seconds": done.duration_seconds,
        "addresses": list(done.addresses),
        "up": done.up,
        "state": state_of(done).id,
        "cells": [_cell(seen, verdict) for seen, verdict in pairs],
        "certificates": [_certificate(one) for one in _leaves(done.observations).values()],
        "exposures": [
            {"domain": one.domain, "sibling": one.sibling, "client": one.client.value, "address": one.address}
            for one in done.exposures
        ],
        "trials": [_trial(one) for one in done.trials],
        "findings": [documents.finding(one) for one in done.findings],
    }


def incident(one: Incident) -> dict[str, Json]:
    return {
        "id": one.id,
        "state": one.stage.value,
        "cause": one.cause,
        "code": one.code,
        "severity": one.severity.value,
        "since": one.since,
        "opened": one.opened,
        "until": one.until,
        "domains": list(one.domains),
        "affected": list(one.affected),
        "flaps": one.flaps,
        "merged_into": one.merged_into or None,
        "turns": [_turn(turn) for turn in one.turns],
        "finding": documents.finding(one.finding),
    }


def kept_round(kept: KeptRound) -> dict[str, Json]:
    """`round` is null where it was kept by a version whose rounds this one cannot read."""
    return {
        "kind": kept.kind.value,
        "at": kept.at,
        "note": kept.note,
        "round": None if kept.round is None else round_(kept.round),
    }


def causes() -> list[Json]:
    return [_cause(one) for one in CAUSES.values()]


def _cause(one: Cause) -> dict[str, Json]:
    return {
        "cause": one.id,
        "number": one.number,
        "title": one.title,
        "severity": one.severity.value,
        "runbook": f"runbooks/{one.id}",
    }


def _turn(one: Turn) -> dict[str, Json]:
    return {"at": one.at, "cause": one.cause, "code": one.code, "summary": one.summary}


def _cell(seen: Observation, verdict: Verdict) -> dict[str, Json]:
    return {
        "combination": seen.probe.combination.value,
        **_answer(seen),
        "expected": verdict.expected,
        "conclusive": verdict.conclusive,
        "reason": verdict.reason,
    }


def _answer(seen: Observation) -> dict[str, Json]:
    probe, response, failure = seen.probe, seen.response, seen.failure
    leaf = seen.tls.leaf if seen.tls is not None else None
    return {
        "sni": probe.sni,
        "host": probe.host,
        "address": probe.address,
        "port": probe.port,
        "protocol": probe.protocol.value,
        "connection": probe.connection.value,
        "status": response.status if response is not None else None,
        "server": _field(seen, "server"),
        "location": _field(seen, "location"),
        "failure": None
        if failure is None
        else {"phase": failure.phase.value, "kind": failure.kind, "detail": failure.detail},
        "seconds": {phase.value: seconds for phase, seconds in seen.seconds.items()},
        "tls": _session(seen.tls),
        "certificate": leaf.sha256 if leaf is not None else None,
    }


def _field(seen: Observation, name: str) -> str | None:
    value = seen.response.header(name) if seen.response is not None else None
    return None if value is None else line(value)


def _session(session: TlsSession | None) -> Json:
    if session is None:
        return None
    return {
        "version": session.version,
        "cipher": session.cipher,
        "alpn": session.alpn,
        "faults": list(session.faults),
        "resumed": session.resumed,
    }


def _leaves(observations: Sequence[Observation]) -> dict[str, Certificate]:
    """Every leaf that was shown, once."""
    sessions = (seen.tls for seen in observations if seen.tls is not None)
    return {session.leaf.sha256: session.leaf for session in sessions if session.leaf is not None}


def _certificate(one: Certificate) -> dict[str, Json]:
    return {
        "sha256": one.sha256,
        "subject": line(one.subject),
        "issuer": line(one.issuer),
        "names": [line(name) for name in one.names[:_MOST_NAMES]],
        "names_total": one.names_total,
        "not_before": one.not_before,
        "not_after": one.not_after,
    }


def _trial(one: Trial) -> dict[str, Json]:
    return {
        "experiment": one.experiment.value,
        "domain": one.domain,
        "address": one.address,
        "protocol": one.protocol.value,
        "neighbour": one.neighbour or None,
        "path": one.path or None,
        "answers": [{"variation": how.value, **_answer(seen)} for how, seen in one.answers],
    }
