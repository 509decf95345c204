"""What kind of page an answer is, so that a sibling's page in the wrong place is seen even where both say 200. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from exporter.model import Page, Response

_COMPARED = 16 * 1024  # bytes of the body; the head and the frame of a page stand at its beginning
_LONGEST_TITLE = 200

_TITLE = re.compile(r"<title[^>]*>([^<]{0,1000})", re.IGNORECASE)
_CHANGING = re.compile(r"[0-9]+|[0-9A-Fa-f-]{16,}|[A-Za-z0-9+/_=-]{24,}")
"""Times, counters, identifiers, tokens: what differs between two answers of one page."""
_TAG = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]{0,20})")
_CHANGING_WORD = re.compile(r"\S*[0-9]\S*|\S{24,}")
"""The same in plain text, where a word is all the structure there is."""
_KEY = re.compile(r'"([A-Za-z_][^"\\]{0,40})"\s*:')


def page_of(response: Response) -> Page:
    """The page that `response` is."""
    text = response.body[:_COMPARED].decode("utf-8", "replace")
    title = _TITLE.search(text)
    content_type = (response.header("content-type") or "").partition(";")[0].strip().lower()
    return Page(
        status=response.status,
        redirect_host=_host(response.header("location") or ""),
        server=response.header("server") or "",
        content_type=content_type,
        title=" ".join(_CHANGING.sub("0", title[1]).split())[:_LONGEST_TITLE] if title else "",
        cookies=tuple(sorted({value.partition("=")[0] for key, value in response.headers if key == "set-cookie"})),
        digest=_digest(_CHANGING.sub("0", " ".join(text.split()))),
        outline=_digest(" ".join(_structure(text, is_json="json" in content_type))),
    )


def _structure(text: str, *, is_json: bool) -> list[str]:
    """What stays while a page changes: tags or keys, and of text that has neither, all words but the changing ones.

    Two plain texts would else be alike whatever they say. JSON without keys is a list or a value, which may change.
    """
    found = _TAG.findall(text) or sorted(set(_KEY.findall(text)))
    if found or is_json:
        return found
    return _CHANGING_WORD.sub("0", text).split()


def differences(fresh: Page, reused: Page, *, is_restless: bool = False) -> tuple[str, ...]:
    """How `reused` is another page than `fresh`, for people; empty: they are of one kind.

    A body may differ in words as long as its title, structure and server are the same: pages are dynamic. With
    `is_restless`, title and structure tell nothing, as they change from answer to answer on connections of its own too.
    """
    told = [
        f"{what} {_shown(was)} instead of {_shown(should)}"
        for what, should, was in (
            ("status", fresh.status, reused.status),
            ("redirect to", fresh.redirect_host, reused.redirect_host),
        )
        if should != was
    ]
    if told or fresh.digest == reused.digest:
        return tuple(told)
    return tuple(
        f"{what} {_shown(was)} instead of {_shown(should)}"
        for what, should, was in (
            ("server", fresh.server, reused.server),
            ("content type", fresh.content_type, reused.content_type),
            *(() if is_restless else (("title", fresh.title, reused.title),)),
            *(() if is_restless else (("structure", fresh.outline[:8], reused.outline[:8]),)),
        )
        if should != was
    )


def is_restless(pages: Collection[Page]) -> bool:
    """Whether these answers of one site to one question differ in title or structure, though in nothing else."""
    first, *others = pages or (None,)
    return first is not None and any(
        differences(first, other) and not differences(first, other, is_restless=True) for other in others
    )


def _host(location: str) -> str:
    try:
        return (urlsplit(location).hostname or "").lower()
    except ValueError:
        return location[:100]


def _shown(value: str | int) -> str:
    return str(value) if isinstance(value, int) else repr(value)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
