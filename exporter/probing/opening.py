"""Opens the connection of a dial, by what is to carry it, up to the point where a request can be sent."""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from exporter.model import Dial, Phase, Protocol, Request, TlsSession, Transport
from exporter.probing.certificates import Judge
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, Endpoint, PlainChannel, connect, connect_plain, tls_context
from exporter.probing.failures import Broken
from exporter.probing.http1 import Http1
from exporter.probing.http2 import Http2

if TYPE_CHECKING:
    from exporter.probing.http3 import Http3
    from exporter.probing.quic import Quic

Line: TypeAlias = "Channel | PlainChannel | Quic"
Speaker: TypeAlias = "Http1 | Http2 | Http3"

SPEAKERS: dict[Protocol, Callable[[Channel | PlainChannel], Http1 | Http2]] = {
    Protocol.HTTP11: Http1,
    Protocol.H2: Http2,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection on which requests can be sent.

    Attributes:
        tls: None: there is none.
    """

    channel: Line
    speaker: Speaker
    tls: TlsSession | None


async def open_connection(dial: Dial, judge: Judge, clock: PhaseClock, shown: Callable[[TlsSession], None]) -> Opened:
    """Connect, and shake hands where there is TLS. Raises PhaseFailed.

    `shown` is told what the handshake showed, even where the connection then cannot be used.
    """
    opener = _open_quic if dial.protocol is Protocol.H3 else _OPENERS[dial.transport]
    return await opener(dial, judge, clock, shown)


async def _open_plain(dial: Dial, _judge: Judge, clock: PhaseClock, _shown: Callable[[TlsSession], None]) -> Opened:
    async with clock.phase(Phase.CONNECT):
        channel = await connect_plain(dial.address, dial.port)
    return Opened(channel, SPEAKERS[dial.protocol](channel), None)


async def _open_tls(dial: Dial, judge: Judge, clock: PhaseClock, shown: Callable[[TlsSession], None]) -> Opened:
    session = await _session_to_resume(dial, judge, clock)
    async with clock.phase(Phase.CONNECT):
        channel = await connect(Endpoint(dial.address, dial.port, dial.sni, _context(dial), session))
    tls = await _shake_hands(channel, dial, judge, clock, shown)
    return Opened(channel, SPEAKERS[dial.protocol](channel), tls)


async def _open_quic(dial: Dial, judge: Judge, clock: PhaseClock, shown: Callable[[TlsSession], None]) -> Opened:
    """Over QUIC nothing is sent before the handshake: `connect` is the making of a socket, which takes no time."""
    async with PhaseClock(clock.deadline).phase(Phase.CONNECT):  # loading takes some 10 ms that no connection took
        from exporter.probing import http3, quic  # noqa: PLC0415  # an extra, and slow to load: only who asks pays
    async with clock.phase(Phase.CONNECT):
        line = await quic.connect(dial)
    tls = await _shake_hands(line, dial, judge, clock, shown)
    return Opened(line, http3.Http3(line), tls)


async def _shake_hands(
    line: Channel | Quic, dial: Dial, judge: Judge, clock: PhaseClock, shown: Callable[[TlsSession], None]
) -> TlsSession:
    try:
        async with clock.phase(Phase.TLS):
            handshake = await line.handshake()
            tls = judge.session(handshake, dial.ca_file, time.time())
            shown(tls)
            _check_alpn(handshake.alpn, dial.protocol)
    except BaseException:
        line.close()
        raise
    return tls


_OPENERS: dict[Transport, Callable[[Dial, Judge, PhaseClock, Callable[[TlsSession], None]], Awaitable[Opened]]] = {
    Transport.TLS: _open_tls,
    Transport.TLS12: _open_tls,
    Transport.PLAIN: _open_plain,
}


def _context(dial: Dial) -> ssl.SSLContext:
    return tls_context(dial.protocol, dial.client_certificate, dial.client_key, tls12=dial.transport is Transport.TLS12)


async def _session_to_resume(dial: Dial, judge: Judge, clock: PhaseClock) -> ssl.SSLSession | None:
    """The session of a connection with the name `dial.resumes`, after one answer: tickets come with it in TLS 1.3.

    What goes wrong on the way leaves no session, and the handshake is a full one: the evidence says so.
    """
    if dial.resumes is None:
        return None
    first = replace(dial, sni=dial.resumes, resumes=None)
    unseen = PhaseClock(clock.deadline)
    with suppress(PhaseFailed):
        opened = await _open_tls(first, judge, unseen, lambda _: None)
        try:
            await opened.speaker.exchange(_asking_for(dial, dial.resumes), unseen)
            return opened.channel.session if isinstance(opened.channel, Channel) else None
        finally:
            opened.channel.close()
    return None


def _asking_for(dial: Dial, name: str) -> Request:
    request = dial.asks[0].request.without_secrets()
    return replace(request, authority=name if dial.port == 443 else f"{name}:{dial.port}")


def _check_alpn(selected: str | None, offered: Protocol) -> None:
    """No selection means HTTP/1.1, as before ALPN was invented (RFC 7301 leaves it to the application)."""
    if (selected or Protocol.HTTP11) != offered:
        raise Broken("alpn", f"the server selected {selected!r}")
