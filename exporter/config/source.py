"""A YAML document as a tree that knows where each value stands. Bounded in size, depth and expansion.

The tree is built from the parser's events and not by PyYAML's composer: that one recurses without a bound, lets the
later of two equal keys win in silence, and knows no limit for aliases.

Plain scalars are read by the core schema of YAML 1.2 (section 10.3.2), so `no`, `on`, `1:30` and `2026-01-01` are text.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import yaml

from exporter.config.complaints import Complaints, ConfigError, KeyPath, Place

MAX_BYTES = 16 * 1024 * 1024
MAX_NODES = 2_000_000
"""Values of the whole document with each alias written out: twenty for each target of the largest configuration."""
MAX_DEPTH = 16
"""The deepest key of the schema stands at 6."""

_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"

Scalar = None | bool | int | float | str

_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser is some ten times faster; both give the same events."""

_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_NOT_PRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CORE_SCHEMA = re.compile(
    r"(?P<null>|~|null|Null|NULL)|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]{1,18})|(?P<hexadecimal>0x[0-9a-fA-F]{1,15})"
    r"|(?P<float>[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?)"
)
_READ: Mapping[str | None, Callable[[str], Scalar]] = {
    "null": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "int": int,
    "hexadecimal": lambda text: int(text, 16),
    "float": float,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: at its key, or at its beginning where it is an item of a list."""

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    place: Place

    def follow(self, path: KeyPath) -> tuple[Node, KeyPath]:
        """The deepest node on `path`, and the part of the path that leads to it."""
        node = self
        for depth, part in enumerate(path):
            child = node.child(part)
            if child is None:
                return node, path[:depth]
            node = child
        return node, path

    def child(self, part: str | int) -> Node | None:
        if isinstance(self.value, tuple):
            return self.value[part] if isinstance(part, int) and part < len(self.value) else None
        return self.value.get(str(part)) if isinstance(self.value, Mapping) else None

    def plain(self) -> object:
        """The value without positions: scalars, tuples and dicts."""
        if isinstance(self.value, tuple):
            return tuple(node.plain() for node in self.value)
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value


class _Mark(Protocol):
    """A position of either parser; both count from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class _RefusedError(Exception):
    """The document cannot be read further than here."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def read(path: Path) -> str:
    """The text of the file; raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError([f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{path}: is larger than {MAX_BYTES // 1024 // 1024} MiB"])
    return _decoded(data, path)


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8 (byte 0x{data[error.start]:02x})"]) from None


def compose(text: str, complaints: Complaints, parser: type = _PARSER, wanted: str = "`groups`") -> Node | None:
    """The document's tree; None: nothing can be made of it, and the complaints say why. `wanted`: what it must hold.

    Duplicate keys, and keys that are no text, are left out and complained about.
    """
    try:
        _refuse_control_characters(text)
        return _Composer(yaml.parse(text, Loader=parser), complaints).document(wanted)
    except _RefusedError as error:
        complaints.add(error.place, (), str(error))
    except yaml.MarkedYAMLError as error:
        place = _at(error.problem_mark)
        # The tag's name is left out: an unquoted secret that begins with `!` reads as one.
        problem = re.sub(r" '!.*'", "", error.problem or "")
        if "nesting depth" in problem:  # PyYAML 6.0.4 looks ahead a thousand levels, and refuses more itself
            complaints.add(place, (), _TOO_DEEP)
            return None
        complaints.add(place, (), f"is not valid YAML at column {place.column}: {problem}{_hint(text, place)}")
    return None


def _hint(text: str, place: Place) -> str:
    """What people mostly mean whose file is refused there; never what the file says, which can be a secret."""
    line = next(itertools.islice(io.StringIO(text), place.line - 1, None), "")
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "; indent by spaces, not by tabs"
    if "*" in line[max(place.column - 2, 0) : place.column]:  # where an alias would begin
        return "; what begins with `*` stands in quotes"
    return ""


def _refuse_control_characters(text: str) -> None:
    """YAML 1.2, section 5.1; asked first because the two parsers report this without a usable position."""
    found = _NOT_PRINTABLE.search(text)
    if found:
        place = Place(text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start()))
        message = f"is not valid YAML at column {place.column}: character U+{ord(found[0]):04X} is not allowed"
        raise _RefusedError(place, message)


class _Composer:
    """Builds the tree from events, counting as it goes."""

    def __init__(self, events: Iterator[yaml.Event], complaints: Complaints) -> None:
        self._events = events
        self._complaints = complaints
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self, wanted: str) -> Node:
        next(self._events)  # the stream's start
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _RefusedError(Place(1, 1), f"is empty: {wanted} is needed")
        first = next(self._events)
        root = self._node(first, (), _place(first))
        next(self._events)  # the document's end
        self._refuse_further(next(self._events))
        return root

    @staticmethod
    def _refuse_further(event: yaml.Event) -> None:
        if not isinstance(event, yaml.StreamEndEvent):
            raise _RefusedError(_place(event), "begins a second document: one file holds one configuration")

    def _node(self, event: yaml.Event, path: KeyPath, place: Place) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        before = self._nodes
        self._count(event, 1)
        node = Node(self._value(event, path), place)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node, self._nodes - before
        return node

    def _count(self, event: yaml.Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _RefusedError(_place(event), f"holds more than {MAX_NODES:,} values, aliases written out")

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        found = self._anchors.get(event.anchor or "")
        if found is None:  # also while its anchor is still open, so no tree contains itself
            raise _RefusedError(
                _place(event), "is an alias (`*`) of nothing before it; text that begins so needs quotes"
            )
        node, nodes = found
        self._count(event, nodes)
        return replace(node, place=place)

    def _value(self, event: yaml.Event, path: KeyPath) -> Scalar | tuple[Node, ...] | Mapping[str, Node]:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if not isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent) or event.tag not in {None, "!"}:
            raise _RefusedError(_place(event), "has a tag (`!`): tags are not supported")
        if len(path) >= MAX_DEPTH:
            raise _RefusedError(_place(event), _TOO_DEEP)
        return self._items(path) if isinstance(event, yaml.SequenceStartEvent) else self._entries(path)

    def _items(self, path: KeyPath) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), _place(event)))
        return tuple(items)

    def _entries(self, path: KeyPath) -> Mapping[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place, key = _place(event), self._key(event, path)
            label = key if isinstance(key, str) else "?"
            value = self._node(next(self._events), (*path, label), place)
            fault = _key_fault(key, entries)
            if fault:
                self._complaints.add(place, (*path, label) if isinstance(key, str) else path, fault)
            else:
                entries[label] = value
        return entries

    def _key(self, event: yaml.Event, path: KeyPath) -> object:
        """The key, which is text wherever it is good for anything."""
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None:
            return _scalar(event)
        return self._node(event, (*path, "?"), _place(event)).value


def _key_fault(key: object, entries: Mapping[str, Node]) -> str | None:
    if not isinstance(key, str):
        return "has a key that is not text: write it in quotes"
    if key == "<<":
        return "is YAML's merge key, which is not supported: `global` and the group hold what several domains share"
    if key in entries:
        return f"is set twice, first in line {entries[key].place.line}"
    return None


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    if event.tag is not None and event.tag not in _TEXT_TAGS:
        raise _RefusedError(
            _place(event), "has a tag (`!`): text that begins so needs quotes, and tags are not supported"
        )
    if _SURROGATE.search(event.value):
        raise _RefusedError(_place(event), "holds half of a surrogate pair, which is no character")
    if not event.implicit[0] or event.tag is not None:
        return str(event.value)
    found = _CORE_SCHEMA.fullmatch(event.value)
    return _READ[found.lastgroup](event.value) if found else str(event.value)


def _place(event: yaml.Event) -> Place:
    return _at(event.start_mark)


def _at(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
