"""Grafana's "Annotations HTTP API": `GET`, `POST` and `PATCH` of `/api/annotations`."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from exporter.config import Grafana
from exporter.grafana.content import line

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 1024 * 1024


class Result(StrEnum):
    """What became of a letter."""

    WRITTEN = "written"
    REFUSED = "refused"
    """This one is not taken; others may be."""
    FORBIDDEN = "forbidden"
    """Nothing is, until a person has given us a right token."""
    FAILED = "failed"
    """Nothing is at the moment."""


class TroubleError(Exception):
    """Grafana did not take it."""

    def __init__(self, result: Result, text: str) -> None:
        super().__init__(text)
        self.result = result


@asynccontextmanager
async def session_for(settings: Grafana) -> AsyncIterator[aiohttp.ClientSession]:
    token = await asyncio.to_thread(_token, settings.token_file)
    context = await asyncio.to_thread(ssl.create_default_context)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context),
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
    ) as session:
        yield session


def _token(file: str) -> str:
    """Read whenever it is used, so that it can be renewed under the same name."""
    try:
        token = Path(file).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TroubleError(Result.FORBIDDEN, f"token_file {file} cannot be read: {type(error).__name__}") from None
    if not token or not token.isprintable() or " " in token:
        raise TroubleError(Result.FORBIDDEN, f"token_file {file} holds no token")
    return token


@dataclass(frozen=True, slots=True)
class Api:
    """The three requests. Each raises TroubleError."""

    session: aiohttp.ClientSession
    settings: Grafana

    async def find(self, tag: str) -> int | None:
        """The annotation that carries the tag; None: there is none."""
        found = await self._ask("GET", "", params={"tags": tag, "type": "annotation", "limit": "1"})
        first = found[0] if isinstance(found, list) and found else None
        return _number(first) if first is not None else None

    async def post(self, content: Mapping[str, Any]) -> int:
        return _number(await self._ask("POST", "", json=content))

    async def patch(self, annotation: int, content: Mapping[str, Any]) -> None:
        """Also well where a person has deleted it: then it is not to be there."""
        changed = {key: value for key, value in content.items() if key != "dashboardUID"}
        await self._ask("PATCH", f"/{annotation}", json=changed, gone_is_well=True)

    async def _ask(self, method: str, path: str, *, gone_is_well: bool = False, **what: Any) -> object:  # noqa: ANN401
        url = f"{self.settings.url}/api/annotations{path}"
        try:
            async with self.session.request(method, url, allow_redirects=False, **what) as answer:
                if gone_is_well and answer.status == HTTPStatus.NOT_FOUND:
                    return None
                body = await _read(answer)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            text = f"{method} {url}: {type(error).__name__}: {line(str(error))}"
            raise TroubleError(Result.FAILED, text) from error
        _judge(f"{method} {url}", answer.status, body)
        try:
            found: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise TroubleError(Result.FAILED, f"{method} {url} is answered with what is no JSON") from error
        return found


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in answer.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            raise ValueError(f"an answer of more than {_MAX_ANSWER_BYTES} bytes")
    return body


def _judge(asked: str, status: int, body: bytes) -> None:
    """Raise TroubleError unless it is an answer to go on with."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    result = _RESULTS.get(status, Result.REFUSED if ours else Result.FAILED)
    moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    hint = _MOVED if moved else _HINTS.get(status, "")
    raise TroubleError(
        result, f"{asked} is answered with {status}: {line(body[:1000].decode('utf-8', 'replace'))}{hint}"
    )


_RESULTS: Mapping[int, Result] = {
    HTTPStatus.UNAUTHORIZED: Result.FORBIDDEN,
    HTTPStatus.FORBIDDEN: Result.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Result.FAILED,
    HTTPStatus.METHOD_NOT_ALLOWED: Result.FAILED,
    HTTPStatus.REQUEST_TIMEOUT: Result.FAILED,
    HTTPStatus.TOO_MANY_REQUESTS: Result.FAILED,
}
_HINTS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: " (is the token in grafana.token_file valid?)",
    HTTPStatus.FORBIDDEN: " (the service account needs annotations:read, annotations:create and annotations:write)",
    HTTPStatus.NOT_FOUND: " (is grafana.url Grafana's own address, and grafana.dashboard_uid one of its dashboards?)",
}
_MOVED = " (redirects are not followed, as the token would go along: give the right grafana.url)"


def _number(answer: object) -> int:
    """The annotation's, out of an answer."""
    number = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(number, int):
        raise TroubleError(Result.FAILED, "an answer without the annotation's id")
    return number
