"""The plainest values: text, and words out of a closed set. Each check takes what YAML gave and raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from enum import StrEnum
from typing import TypeVar

MAX_TAG = 40
"""Grafana takes 500 characters of tags in all, and ours name the incident, its cause and its code."""

_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[!$&-;=A-Z_a-z~%]*)?")
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")

Word = TypeVar("Word", bound=StrEnum)
Collected = TypeVar("Collected", bound=Sized)


def text(value: object) -> str:
    """The value, if it is text."""
    if isinstance(value, bool | int | float):
        message = "must be text: write it in quotes"
        raise ValueError(message)  # noqa: TRY004 - pydantic gathers ValueError, not TypeError
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004
    return value


def one_of(words: type[Word]) -> Callable[[object], Word]:
    """A check that turns text into a member of `words`."""

    def check(value: object) -> Word:
        for word in words:
            if word.value == value:
                return word
        raise ValueError(f"must be one of {', '.join(words)}" if len(words) > 1 else f"must be {next(iter(words))}")

    return check


def url(value: object) -> str:
    """The address of a server that speaks HTTP, without a slash at its end.

    >>> url("https://grafana.example/sub/")
    'https://grafana.example/sub'
    """
    given = text(value)
    if not _URL.fullmatch(given):
        raise ValueError("must be a URL such as https://grafana.example, without a user, a query or a fragment")
    return given.rstrip("/")


def grafana_uid(value: object) -> str:
    """The id in a dashboard's URL: `/d/<uid>/...`."""
    given = text(value)
    if not _UID.fullmatch(given):
        raise ValueError("must be the uid in a dashboard's URL: up to 40 letters, digits, `-` and `_`")
    return given


def tag(value: object) -> str:
    given = text(value).strip()
    if not given or len(given) > MAX_TAG or not given.isprintable():
        raise ValueError(f"must be 1 to {MAX_TAG} printable characters")
    return given


def at_most(limit: int) -> Callable[[Collected], Collected]:
    """A check of how many entries a list or mapping has, made after each of them was found right."""

    def check(values: Collected) -> Collected:
        if len(values) > limit:
            raise ValueError(f"has {len(values)} entries, at most {limit} are allowed")
        return values

    return check


def not_empty(values: Collected) -> Collected:
    if not values:
        raise ValueError("must not be empty")
    return values


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    if len(set(values)) < len(values):
        raise ValueError("lists the same value twice")
    return values
