"""The TLS side of one laboratory server: shows the certificate that fits the SNI, and remembers what SNI was sent."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from exporter.demo.sites import Leaf
from exporter.model import matches_name

Handshake = ssl.SSLObject | ssl.SSLSocket


class Reception:
    """Greets each new connection of one server.

    Attributes:
        context: what to listen with; it holds the first certificate, which is also the one for a foreign SNI or none.
    """

    def __init__(self, certificates: Sequence[tuple[Leaf, Path]]) -> None:
        self._contexts = tuple((leaf, _context(file)) for leaf, file in certificates)
        self._sni: WeakKeyDictionary[Handshake, str] = WeakKeyDictionary()
        self.context = self._contexts[0][1]
        self.context.sni_callback = self._greet

    def sni(self, handshake: Handshake) -> str | None:
        """The SNI that the client sent, lower case."""
        return self._sni.get(handshake)

    def _greet(self, handshake: Handshake, sni: str | None, _: ssl.SSLContext) -> None:
        if sni is not None:
            self._sni[handshake] = sni.lower()
            handshake.context = self._context_for(sni.lower())

    def _context_for(self, sni: str) -> ssl.SSLContext:
        fitting = (context for leaf, context in self._contexts if any(matches_name(name, sni) for name in leaf.names))
        return next(fitting, self.context)


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(file)
    return context
