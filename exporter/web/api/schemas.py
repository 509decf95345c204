"""The shapes of the API's JSON, as OpenAPI 3.1 (JSON Schema 2020-12) describes them. Data only."""

from __future__ import annotations

from exporter.documents import Json
from exporter.model import ChangeKind, Client, Combination, Connection, Experiment, Phase, Protocol, Severity, Stage
from exporter.web.state import STATES

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "number"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_BOOLEAN: Json = {"type": "boolean"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_CODE: Json = {
    "type": ["integer", "null"],
    "minimum": 100,
    "maximum": 999,
    "description": "null: clients get no status",
}


def nullable(kind: str) -> Json:
    return {"type": [kind, "null"]}


def list_of(name: str) -> Json:
    return {"type": "array", "items": shape(name)}


def shape(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _seconds(description: str, kind: Json = "number") -> Json:
    return {"type": kind, "description": description}


def _at(description: str) -> Json:
    return _seconds(f"{description}; Unix time in seconds")


def _at_or_null(description: str) -> Json:
    return _seconds(f"{description}; Unix time in seconds", ["number", "null"])


def _words(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def _object(**members: Json) -> dict[str, Json]:
    """All members are always there."""
    return {"type": "object", "required": list(members), "properties": members}


def _null_or(schema: Json) -> Json:
    return {"oneOf": [schema, {"type": "null"}]}


_FAILURE = _object(phase=_words(*Phase), kind=_TEXT, detail=_TEXT)
_SESSION = _object(version=_TEXT, cipher=_TEXT, alpn=nullable("string"), faults=_TEXTS, resumed=_BOOLEAN)

_ANSWER: dict[str, Json] = {
    "sni": {"type": ["string", "null"], "description": "null: no server name was sent"},
    "host": _TEXT,
    "address": {"type": ["string", "null"], "description": "null: the domain did not resolve"},
    "port": {"type": ["integer", "null"], "description": "of an alternative service; null: the domain's own"},
    "protocol": _words(*Protocol),
    "connection": _words(*Connection),
    "status": nullable("integer"),
    "server": {"type": ["string", "null"], "description": "the field Server, bounded and printable"},
    "location": {"type": ["string", "null"], "description": "the field Location, bounded and printable"},
    "failure": _null_or(_FAILURE),
    "seconds": {"type": "object", "description": "by phase", "additionalProperties": _NUMBER},
    "tls": _null_or(_SESSION),
    "certificate": {"type": ["string", "null"], "description": "sha256 of the leaf that was shown"},
}

_DOMAIN: dict[str, Json] = {
    "domain": _TEXT,
    "group": _TEXT,
    "interval_seconds": _NUMBER,
    "state": _words(*STATES),
    "cause": nullable("string"),
    "code": _CODE,
    "severity": {"type": ["string", "null"], "enum": [*Severity, None]},
    "last_round_at": _at_or_null("when the last round ended"),
    "age_seconds": _seconds("of the last round", ["number", "null"]),
    "stale": _BOOLEAN,
    "certificate_not_after": _at_or_null("when the first certificate of its chains expires"),
    "incidents": {"type": "array", "items": _TEXT, "description": "ids of the open ones"},
    "since": _at_or_null("when the first of its open incidents began"),
}

_INCIDENT: dict[str, Json] = {
    "id": _TEXT,
    "state": _words(*Stage),
    "cause": _TEXT,
    "code": _CODE,
    "severity": _words(*Severity),
    "since": _at("when it was first seen"),
    "opened": _at_or_null("when it was confirmed"),
    "until": _at_or_null("when it was found to be over"),
    "domains": {"type": "array", "items": _TEXT, "description": "whom it concerns now, or did until it was over"},
    "affected": {"type": "array", "items": _TEXT, "description": "whom it ever concerned"},
    "flaps": _COUNT,
    "merged_into": nullable("string"),
    "turns": list_of("Turn"),
    "finding": shape("Finding"),
}

SCHEMAS: dict[str, Json] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "required": ["title", "status"],
        "properties": {"title": _TEXT, "status": _COUNT, "detail": _TEXT, "parameter": _TEXT},
    },
    "Finding": _object(
        cause=_TEXT,
        code=_CODE,
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        severity=_words(*Severity),
        domains=_TEXTS,
        summary=_TEXT,
        evidence=_TEXTS,
        against=_TEXTS,
        excluded={"type": "array", "items": _object(cause=_TEXT, why=_TEXT)},
        would_confirm=_TEXT,
        noticed_by=_TEXTS,
        reproduce=_TEXTS,
        fix=_TEXTS,
        runbook=_TEXT,
    ),
    "Cell": _object(
        combination=_words(*Combination),
        **_ANSWER,
        expected=_BOOLEAN,
        conclusive={"type": "boolean", "description": "false: no question was put to the server"},
        reason=_TEXT,
    ),
    "Trial": _object(
        experiment=_words(*Experiment),
        domain=_TEXT,
        address=_TEXT,
        protocol=_words(*Protocol),
        neighbour=nullable("string"),
        path=nullable("string"),
        answers={"type": "array", "items": _object(variation=_TEXT, **_ANSWER)},
    ),
    "Certificate": _object(
        sha256=_TEXT,
        subject=_TEXT,
        issuer=_TEXT,
        names=_TEXTS,
        names_total=_COUNT,
        not_before=_at("from when on it is valid"),
        not_after=_at("until when it is valid"),
    ),
    "Exposure": _object(domain=_TEXT, sibling=_TEXT, client=_words(*Client), address=_TEXT),
    "Round": _object(
        domain=_TEXT,
        started_at=_at("when it began"),
        ended_at=_at("when it ended"),
        duration_seconds=_NUMBER,
        addresses=_TEXTS,
        up=_BOOLEAN,
        state=_words(*STATES),
        cells=list_of("Cell"),
        certificates=list_of("Certificate"),
        exposures=list_of("Exposure"),
        trials=list_of("Trial"),
        findings=list_of("Finding"),
    ),
    "Domain": _object(**_DOMAIN),
    "DomainWithRound": _object(**_DOMAIN, round=_null_or(shape("Round"))),
    "Running": _object(domain=_TEXT, running={"const": True}),
    "Turn": _object(at=_at("from when on"), cause=_TEXT, code=_CODE, summary=_TEXT),
    "Incident": _object(**_INCIDENT),
    "KeptRound": _object(
        kind=_words(*ChangeKind), at=_at("when it changed the incident"), note=_TEXT, round=_null_or(shape("Round"))
    ),
    "IncidentWithRounds": _object(**_INCIDENT, rounds=list_of("KeptRound")),
    "Cause": _object(cause=_TEXT, number=_COUNT, title=_TEXT, severity=_words(*Severity), runbook=_TEXT),
    "Domains": _object(cursor=_TEXT, domains=list_of("Domain")),
    "Incidents": _object(cursor=_TEXT, incidents=list_of("Incident")),
    "Causes": _object(causes=list_of("Cause")),
    "Status": _object(
        version=_TEXT,
        started_at=_at("of the process"),
        uptime_seconds=_NUMBER,
        ready=_BOOLEAN,
        domains={
            "type": "object",
            "description": "how many, in all, stale, and by state",
            "additionalProperties": _COUNT,
        },
        incidents_open=_COUNT,
        rounds={"type": "object", "additionalProperties": _NUMBER},
        store={
            "type": "object",
            "properties": {"up": _BOOLEAN},
            "additionalProperties": _NUMBER,
        },
        configuration={
            "type": "object",
            "properties": {"successful": _BOOLEAN, "complaints": _TEXTS},
            "additionalProperties": _NUMBER,
        },
        listeners=_COUNT,
        troubles={"type": "array", "items": _object(id=_TEXT, title=_TEXT, lines=_TEXTS)},
    ),
}
