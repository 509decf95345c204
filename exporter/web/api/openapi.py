"""The API described for programs: OpenAPI 3.1, by hand. Data only; tests hold the answers to it."""

from __future__ import annotations

from exporter import __version__
from exporter.diagnosis import CAUSES
from exporter.documents import Json
from exporter.model import Stage
from exporter.store import MOST_PER_PAGE
from exporter.web.api.schemas import SCHEMAS, shape
from exporter.web.asking import AGO, LONGEST_VALUE, MOST_SECONDS, TEXT
from exporter.web.state import STATES

_NAME: Json = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE}
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE, "pattern": TEXT}
_MOMENT: Json = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MOST_SECONDS},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": AGO},
    ]
}


def _asked(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _in_path(name: str, description: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _NAME, "description": description}


def _limit(most: int, usual: int) -> Json:
    schema: Json = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return _asked("limit", schema, "how many at most")


_DOMAIN = _in_path("domain", "as configured: the A-label form, lower case")
_CURSOR = _asked("cursor", {"type": "string", "maxLength": LONGEST_VALUE}, "of the page before; other text is refused")
_CAUSE = _asked("cause", {"type": "string", "enum": list(CAUSES)}, "its id")
_CODE: Json = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 999}, {"const": "none"}]}
_PROBLEM: Json = {"application/problem+json": {"schema": shape("Problem")}}

_PROBLEMS: dict[str, str] = {
    "400": "a parameter that cannot be understood",
    "403": "a browser asks for a page of another site",
    "404": "there is none",
    "429": "asked too fast; Retry-After says when to ask again",
    "503": "not now; Retry-After says when to ask again",
}


def _operation(
    summary: str, of: str, parameters: list[Json], problems: tuple[str, ...], content_type: str = "application/json"
) -> dict[str, Json]:
    schema: Json = shape(of) if of else {"type": "object"} if content_type == "application/json" else {"type": "string"}
    responses: dict[str, Json] = {"200": {"description": "as asked", "content": {content_type: {"schema": schema}}}}
    for status in ("400", *problems):
        responses[status] = {"description": _PROBLEMS[status], "content": _PROBLEM}
    operation: dict[str, Json] = {"summary": summary, "parameters": parameters, "responses": responses}
    return operation


def _check() -> dict[str, Json]:
    found = _operation("Runs a round of a domain now", "DomainWithRound", [_DOMAIN], ("403", "404", "429"))
    responses = found["responses"]
    assert isinstance(responses, dict)  # noqa: S101  # made above
    running: Json = {"application/json": {"schema": shape("Running")}}
    responses["202"] = {"description": "it takes long: ask for the domain later", "content": running}
    return found


_PATHS: dict[str, Json] = {
    "/domains": {
        "get": _operation(
            "All domains by name, a page at a time",
            "Domains",
            [
                _asked("state", {"type": "string", "enum": list(STATES)}, "how they stand"),
                _CAUSE,
                _asked("group", _TEXT, "of the configuration"),
                _limit(1000, 500),
                _CURSOR,
            ],
            (),
        )
    },
    "/domains/{domain}": {"get": _operation("A domain and its last round", "DomainWithRound", [_DOMAIN], ("404",))},
    "/domains/{domain}/check": {"post": _check()},
    "/incidents": {
        "get": _operation(
            "Incidents, the newest first, a page at a time",
            "Incidents",
            [
                _asked("domain", _TEXT, "that it concerns, or ever did"),
                _asked("code", _CODE, "that clients get; `none`: they get no status"),
                _CAUSE,
                _asked("state", {"type": "string", "enum": list(Stage)}, "pending ones are found only if asked for"),
                _asked("since", _MOMENT, "still going on then: Unix time, RFC 3339, or so long ago (`24h`)"),
                _asked("until", _MOMENT, "begun by then; written as `since`"),
                _limit(MOST_PER_PAGE, 50),
                _CURSOR,
            ],
            ("503",),
        )
    },
    "/incidents/{id}": {
        "get": _operation(
            "An incident and the rounds that opened, changed and closed it",
            "IncidentWithRounds",
            [_in_path("id", "of the incident")],
            ("404", "503"),
        )
    },
    "/causes": {"get": _operation("All causes that there are", "Causes", [], ())},
    "/status": {"get": _operation("How the exporter itself is", "Status", [], ())},
    "/events": {
        "get": _operation(
            "Server-sent events: `round` for each round that ends, `incident` for each change of one, `missed` "
            "where a client was too slow; a comment every 15 seconds",
            "",
            [_asked("domain", _TEXT, "events about this domain only")],
            ("503",),
            "text/event-stream",
        )
    },
    "/openapi.json": {"get": _operation("This description", "", [], ())},
}

_DESCRIPTION: dict[str, Json] = {
    "openapi": "3.1.0",
    "info": {
        "title": "statuscode-exporter",
        "version": __version__,
        "description": "Times are Unix time in seconds. A parameter that is not known is refused, not ignored.",
    },
    "paths": _PATHS,
    "components": {"schemas": SCHEMAS},
}


def description(folder: str) -> dict[str, Json]:
    """`folder`: the path of the API as clients reach it. (One relative to this document is misread by many tools.)"""
    return {**_DESCRIPTION, "servers": [{"url": folder}]}
