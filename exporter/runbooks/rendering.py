"""Markdown to HTML, with headings that can be linked to. HTML in the Markdown is shown as text, never passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_NOT_IN_ANCHORS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level, and the anchor under which it is found."""

    anchor: str
    title: str


def rendered(markdown: str) -> tuple[str, tuple[Section, ...]]:
    """The HTML, and what stands in it."""
    tokens = _MARKDOWN.parse(markdown)
    sections = tuple(_with_anchors(tokens))
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html, sections


def _with_anchors(tokens: list[Token]) -> Iterator[Section]:
    """Give each heading an id that is unique on its page; yields those of the second level."""
    taken: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        name = _NOT_IN_ANCHORS.sub("-", inline.content.lower()).strip("-") or "section"
        taken[name] = taken.get(name, 0) + 1
        anchor = name if taken[name] == 1 else f"{name}-{taken[name]}"
        opening.attrSet("id", anchor)
        if opening.tag == "h2":
            yield Section(anchor, inline.content)
