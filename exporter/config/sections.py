"""Reads one mapping of the tree by its table of keys: what is valid is kept, what is not becomes a complaint."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from exporter.config.complaints import Complaints, KeyPath
from exporter.config.schema import GLOBAL, SETTINGS, Key
from exporter.config.source import Node
from exporter.config.surroundings import Surroundings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MESSAGES = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""pydantic's kinds of error in our words; what is not listed keeps pydantic's."""


WRONG: Final = object()
"""Stands for a value that was complained of."""


@dataclass(frozen=True, slots=True)
class Section:
    """The valid part of one mapping.

    Attributes:
        given: checked values by key; None: the default is asked for by `null`.
        broken: keys whose value is not known because it is wrong.
    """

    node: Node
    path: KeyPath
    given: Mapping[str, object]
    broken: frozenset[str] = frozenset()


class Reader:
    """Turns nodes into checked values."""

    def __init__(self, complaints: Complaints, surroundings: Surroundings) -> None:
        self._complaints = complaints
        self._surroundings = surroundings

    def section(self, node: Node, path: KeyPath, keys: Mapping[str, Key]) -> Section:
        """The mapping at `node`."""
        if not isinstance(node.value, Mapping):
            self._complaints.add(
                node.place, path, "must be a mapping" if path else f"must hold {_wanted(keys)} at its top"
            )
            return Section(node, path, {}, frozenset(keys))
        self._complain_of_keys(node, path, keys)
        given: dict[str, object] = {}
        broken = set()
        for name, child in node.value.items():
            if name not in keys:
                continue
            checked = self._checked(child, (*path, name), keys[name])
            if checked is WRONG:
                broken.add(name)
            else:
                given[name] = checked
        return Section(node, path, given, frozenset(broken))

    def _complain_of_keys(self, node: Node, path: KeyPath, keys: Mapping[str, Key]) -> None:
        """Keys that are not known, and keys that are missing."""
        present = node.value if isinstance(node.value, Mapping) else {}
        for name, child in present.items():
            if name not in keys:
                self._complaints.add(child.place, (*path, name), _unknown(name, keys))
        for name, key in keys.items():
            if key.required and name not in present:
                self._complaints.add(node.place, path, f"`{name}` is missing")

    def _checked(self, node: Node, path: KeyPath, key: Key) -> object:
        if node.value is None and not key.required:
            return None
        if key.check is None:
            return node
        if isinstance(key.check, TypeAdapter):
            return self.value(node, path, key.check)
        inner = self.section(node, path, key.check)
        return WRONG if inner.broken else inner.given

    def value(self, node: Node, path: KeyPath, check: TypeAdapter[object]) -> object:
        """The checked value, or `WRONG`."""
        try:
            return check.validate_python(node.plain(), strict=True, context=self._surroundings)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                found, inner = node.follow(tuple(part for part in detail["loc"] if part != "[key]"))
                self._complaints.add(found.place, (*path, *inner), _sentence(detail))
            return WRONG

    def items(self, section: Section, key: str) -> Iterator[tuple[KeyPath, Node]]:
        """The nodes of the non-empty list under `key`."""
        node = section.given.get(key)
        if not isinstance(node, Node):
            return
        path = (*section.path, key)
        if isinstance(node.value, tuple) and node.value:
            yield from (((*path, index), item) for index, item in enumerate(node.value))
        else:
            self._complaints.add(node.place, path, "must be a list that is not empty")


def _wanted(keys: Mapping[str, Key]) -> str:
    needed = [name for name, key in keys.items() if key.required] or list(keys)
    return " or ".join(f"`{name}`" for name in needed)


def _unknown(name: str, keys: Mapping[str, Key]) -> str:
    if name in GLOBAL:
        where = "`global`, at a group or at a domain" if name in SETTINGS else "`global` only"
        return f"is not known here: it stands at {where}"
    meant = difflib.get_close_matches(name[:64], keys, n=1)
    return f"is not a known key; did you mean `{meant[0]}`?" if meant else "is not a known key"


def _sentence(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    return _MESSAGES.get(detail["type"], detail["msg"]).format_map(context)
