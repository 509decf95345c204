"""The plainest values: text, and words out of a closed set. Each check takes what YAML gave and raises ValueError."""

from __future__ import annotations

from collections.abc import Callable, Sized
from enum import StrEnum
from typing import TypeVar

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
