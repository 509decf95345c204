"""Names of groups, and the operator's own labels of a domain. Each check raises ValueError."""

from __future__ import annotations

import re

from exporter.config.scalars import text

MAX_LABELS = 20
MAX_VALUE = 256

_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,127}")
_RESERVED = frozenset({"domain", "group", "instance", "job"})


def label_name(value: object) -> str:
    """A label's name (Prometheus data model) that neither Prometheus nor the exporter uses itself."""
    name = text(value)
    if not _LABEL.fullmatch(name):
        raise ValueError("is not a label name: letters, digits and `_`, no digit first, no `__` first, at most 128")
    if name in _RESERVED:
        raise ValueError("is a label that the exporter or Prometheus sets itself")
    return name


def label_value(value: object) -> str:
    label = text(value)
    if len(label) > MAX_VALUE:
        raise ValueError(f"is {len(label)} characters long, at most {MAX_VALUE} are allowed")
    return label


def group_name(value: object) -> str:
    """A group's name: it becomes the label `group`."""
    name = label_value(value).strip()
    if not name or not name.isprintable():
        raise ValueError("must be printable text" if name else "must not be empty")
    return name
