"""Answers of the API, and the questions that they answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping

from aiohttp import web

from exporter.documents import Json
from exporter.model import Target
from exporter.web.asking import Parameters
from exporter.web.house import HOUSE
from exporter.web.streaming import stream

_ITEMS_PER_STEP = 20  # a step of some 2 ms, measured with incidents


class ProblemError(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, detail: str, parameter: str | None = None, retry_after_seconds: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.parameter = parameter
        self.retry_after_seconds = retry_after_seconds


def parameters(request: web.Request, known: Collection[str] = ()) -> Parameters:
    """Raises AskedError."""
    return Parameters(tuple(request.query.items()), known, ("cursor",))


def form(request: web.Request, known: Collection[str] = ()) -> Parameters:
    """Those of a page: a form sends its empty fields too. Raises AskedError."""
    return Parameters(tuple(request.query.items()), known, known)


def target_of(request: web.Request) -> Target:
    """Raises ProblemError where the path's domain is not configured."""
    target = request.app[HOUSE].targets().get(request.match_info["domain"].lower().removesuffix("."))
    if target is None:
        raise ProblemError(404, "no domain of this name is configured")
    return target


async def answer(request: web.Request, document: Mapping[str, Json]) -> web.StreamResponse:
    return await stream(request, "application/json", [_text(document), b"\n"])


async def answer_list(
    request: web.Request, document: Mapping[str, Json], name: str, items: Iterable[Mapping[str, Json]]
) -> web.StreamResponse:
    """The document with one more member: a list whose items are made while it is sent."""
    return await stream(request, "application/json", _pieces(document, name, items))


def _pieces(document: Mapping[str, Json], name: str, items: Iterable[Mapping[str, Json]]) -> Iterator[bytes]:
    piece = _text(document).removesuffix(b"}") + (b", " if document else b"") + _text(name) + b": ["
    for number, item in enumerate(items):
        if number and number % _ITEMS_PER_STEP == 0:
            yield piece
            piece = b""
        piece += (b",\n" if number else b"\n") + _text(item)
    yield piece + b"]}\n"


def _text(document: Mapping[str, Json] | Json) -> bytes:
    """Servers decide what is in a certificate's names: as ASCII, lone surrogates are text too."""
    return json.dumps(document, allow_nan=False).encode()
