"""Errors in the form that the asker reads: problem details in the API, a page for browsers, else one line of text."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.web.api import FOLDER
from exporter.web.api.answers import ProblemError
from exporter.web.api.problems import problem
from exporter.web.asking import AskedError
from exporter.web.templating import TEMPLATES

_KEPT = ("Allow", "WWW-Authenticate")
"""What a 405 and a 401 must say besides (RFC 9110, sections 15.5.6 and 15.5.2)."""


@web.middleware
async def told_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """With the fields that belong to a status."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        kept = {name: error.headers[name] for name in _KEPT if name in error.headers}
        return _told(request, error.status, "", None, kept)
    except AskedError as error:
        return _told(request, 400, str(error), error.parameter, {})
    except ProblemError as error:
        retry = {"Retry-After": str(error.retry_after_seconds)} if error.retry_after_seconds else {}
        return _told(request, error.status, error.detail, error.parameter, retry)
    except ConnectionError:
        # aiohttp would log a fault of ours where a browser only went to another page. Nobody gets this answer.
        if not _has_left(request):
            raise
        return web.Response()


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _told(
    request: web.Request, status: int, detail: str, parameter: str | None, headers: dict[str, str]
) -> web.Response:
    if request.path.startswith(FOLDER):
        return problem(status, detail, headers, parameter=parameter)
    phrase = HTTPStatus(status).phrase
    if "text/html" in request.headers.get("Accept", ""):
        root = "../" * (request.path.count("/") - 1)
        text = TEMPLATES.get_template("error.html").render(root=root, status=status, phrase=phrase, detail=detail)
        return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)
    return web.Response(status=status, text=f"{status} {phrase}{detail and ': '}{detail}\n", headers=headers)
