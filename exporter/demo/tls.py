"""The TLS side of one laboratory server: shows the certificate that fits the SNI, and knows its guests."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from exporter.demo.sites import Leaf
from exporter.model import Protocol, matches_name

Handshake = ssl.SSLObject | ssl.SSLSocket


@dataclass(frozen=True, slots=True)
class Guest:
    """A client after the handshake.

    Attributes:
        sni: lower case; None: it sent none.
        protocol: by ALPN; HTTP/1.1 where nothing was agreed.
    """

    sni: str | None
    protocol: Protocol


class Reception:
    """Greets each new connection of one server.

    Arguments:
        protocols: to agree on by ALPN, the preferred one first.

    Attributes:
        context: what to listen with; it holds the first certificate, which is also the one for a foreign SNI or none.
    """

    def __init__(self, certificates: Sequence[tuple[Leaf, Path]], protocols: Sequence[Protocol]) -> None:
        self._contexts = tuple((leaf, _context(file, protocols)) for leaf, file in certificates)
        self._sni: WeakKeyDictionary[Handshake, str] = WeakKeyDictionary()
        self.context = self._contexts[0][1]
        self.context.sni_callback = self._greet

    def guest(self, handshake: Handshake) -> Guest:
        return Guest(self._sni.get(handshake), Protocol(handshake.selected_alpn_protocol() or Protocol.HTTP11))

    def _greet(self, handshake: Handshake, sni: str | None, _: ssl.SSLContext) -> None:
        if sni is not None:
            self._sni[handshake] = sni.lower()
            handshake.context = self._context_for(sni.lower())

    def _context_for(self, sni: str) -> ssl.SSLContext:
        fitting = (context for leaf, context in self._contexts if any(matches_name(name, sni) for name in leaf.names))
        return next(fitting, self.context)


def _context(file: Path, protocols: Sequence[Protocol]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(protocols)
    context.load_cert_chain(file)
    return context
