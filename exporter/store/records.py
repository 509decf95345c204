"""Incidents and rounds as compressed JSON, and back. Secrets do not get in, not even where a server says them again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from exporter.model import Incident, Observation, Round, Secret

MAX_BODY_BYTES = 1024 * 1024
"""Of one round's bodies together; those beyond are left out."""

_FAST = 5  # of gzip's levels: measured on rounds, the default saves 3 % more for twice the time
_HIDDEN = "<secret>"
_SHORTEST = 4
"""A shorter secret could be a part of any word; it is hidden where it is known to stand, not searched for."""

# The tuple is for pydantic, which takes no settings for a dataclass that is none of its own.
_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_ROUND = TypeAdapter(tuple[Round], config=_BYTES)
_INCIDENT = TypeAdapter(tuple[Incident], config=_BYTES)

T = TypeVar("T")


class UnreadableError(Exception):
    """What is stored is not what this version stores."""


def packed_incident(incident: Incident) -> bytes:
    return gzip.compress(_text(_INCIDENT, incident).encode("utf-8", "replace"), _FAST, mtime=0)


def unpacked_incident(data: bytes) -> Incident:
    return _unpacked(_INCIDENT, data)


def packed_round(round_: Round) -> bytes:
    """The whole round, but for secrets and for bodies beyond the bound; a lone surrogate becomes `?`."""
    secrets = [value.reveal for _, value in round_.target.headers if isinstance(value, Secret)]
    known = sorted((one for one in secrets if len(one) >= _SHORTEST), key=len, reverse=True)
    text = _text(_ROUND, _without_secrets(round_, known))
    for secret in known:
        text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], _HIDDEN)
    return gzip.compress(text.encode("utf-8", "replace"), _FAST, mtime=0)


def unpacked_round(data: bytes) -> Round:
    return _unpacked(_ROUND, data)


def _text(adapter: TypeAdapter[tuple[T]], value: T) -> str:
    # Not dump_json, which refuses lone surrogates: servers decide what is in a certificate's names.
    return json.dumps(adapter.dump_python((value,), mode="json")[0], ensure_ascii=False)


def _unpacked(adapter: TypeAdapter[tuple[T]], data: bytes) -> T:
    try:
        return adapter.validate_json(b"[%b]" % gzip.decompress(data))[0]
    except (ValidationError, OSError, EOFError) as error:
        raise UnreadableError(type(error).__name__) from error


def _without_secrets(round_: Round, secrets: list[str]) -> Round:
    headers = tuple((name, _hidden(value)) for name, value in round_.target.headers)
    return replace(
        round_,
        target=replace(round_.target, headers=headers),
        observations=tuple(_bounded(round_.observations, [secret.encode("latin-1") for secret in secrets])),
    )


def _hidden(value: str | Secret) -> str | Secret:
    return Secret(_HIDDEN, value.source) if isinstance(value, Secret) else value


def _bounded(observations: tuple[Observation, ...], secrets: list[bytes]) -> Iterator[Observation]:
    left = MAX_BODY_BYTES
    for seen in observations:
        if seen.response is None or not seen.response.body:
            yield seen
            continue
        body = seen.response.body if len(seen.response.body) <= left else b""
        left -= len(body)
        for secret in secrets:
            body = body.replace(secret, _HIDDEN.encode())
        yield replace(seen, response=replace(seen.response, body=body))
