"""Rounds as JSON text and back. Secrets do not get in, not even where a server says them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from exporter.model import Observation, Round, Secret
from exporter.secrecy import HIDDEN, hidden, secrets_of

MAX_BODY_BYTES = 1024 * 1024
"""Of one round's bodies together; those beyond are left out."""

BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
# The tuple is for pydantic, which takes no settings for a dataclass that is none of its own.
_ROUND = TypeAdapter(tuple[Round], config=BYTES)

T = TypeVar("T")


class UnreadableError(Exception):
    """What is stored is not what this version stores."""


def text_of_round(round_: Round) -> str:
    """The whole round, but for secrets and for bodies beyond the bound."""
    secrets = secrets_of(round_.target)
    text = to_text(_ROUND, _without_secrets(round_, secrets))
    return hidden(text, [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets])


def round_of_text(text: str) -> Round:
    """Raises UnreadableError."""
    return of_text(_ROUND, text)


def to_text(adapter: TypeAdapter[tuple[T]], value: T) -> str:
    # Not dump_json, which refuses lone surrogates: servers decide what is in a certificate's names.
    return json.dumps(adapter.dump_python((value,), mode="json")[0], ensure_ascii=False)


def of_text(adapter: TypeAdapter[tuple[T]], text: str | bytes) -> T:
    """Raises UnreadableError."""
    try:
        inner = text.encode() if isinstance(text, str) else text
        return adapter.validate_json(b"[%b]" % inner)[0]
    except (ValidationError, UnicodeError) as error:
        raise UnreadableError(_first_complaint(error)) from error


def _first_complaint(error: ValidationError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "it is no text"
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _without_secrets(round_: Round, secrets: Sequence[str]) -> Round:
    headers = tuple((name, _hidden(value)) for name, value in round_.target.headers)
    known = [secret.encode("latin-1", "replace") for secret in secrets]
    bounded = _Bounded(known)
    return replace(
        round_,
        target=replace(round_.target, headers=headers),
        observations=tuple(bounded.all(round_.observations)),
        trials=tuple(
            replace(
                trial,
                answers=tuple(
                    (how, seen)
                    for (how, _), seen in zip(trial.answers, bounded.all([o for _, o in trial.answers]), strict=True)
                ),
            )
            for trial in round_.trials
        ),
    )


def _hidden(value: str | Secret) -> str | Secret:
    return Secret(HIDDEN, value.source) if isinstance(value, Secret) else value


class _Bounded:
    """Bodies within the bound, without secrets."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._left = MAX_BODY_BYTES
        self._secrets = secrets

    def all(self, observations: Sequence[Observation]) -> Iterator[Observation]:
        for each in observations:
            seen = replace(each, seconds=dict(each.seconds))  # of all mappings, pydantic writes only dicts
            if seen.response is None or not seen.response.body:
                yield seen
                continue
            body = seen.response.body if len(seen.response.body) <= self._left else b""
            self._left -= len(body)
            for secret in self._secrets:
                body = body.replace(secret, HIDDEN.encode())
            yield replace(seen, response=replace(seen.response, body=body))
