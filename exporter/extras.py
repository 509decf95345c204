"""Which optional libraries are installed: the extras of the package. Nothing is imported to find out."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from exporter.model import Protocol

_LIBRARIES = {Protocol.H3: ("h3", "aioquic")}
"""Protocols that need an extra: its name, and the library that it brings."""


@cache
def can_speak(protocol: Protocol) -> bool:
    return protocol not in _LIBRARIES or find_spec(_LIBRARIES[protocol][1]) is not None


def how_to_speak(protocol: Protocol) -> str:
    """What a person does so that `can_speak` becomes true."""
    return f"pip install statuscode-exporter[{_LIBRARIES[protocol][0]}]"
