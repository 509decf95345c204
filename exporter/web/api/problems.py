"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int, detail: str = "", headers: Mapping[str, str] | None = None, **more: str | int | None
) -> web.Response:
    """`type` is left out: it is `about:blank`, the status says what is wrong (section 4.2.1).

    `more` are members of their own, such as the parameter at fault; None: left out.
    """
    said = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail or None, **more}
    body = json.dumps({name: value for name, value in said.items() if value is not None})
    return web.Response(
        status=status,
        body=body.encode(),
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
