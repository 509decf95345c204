"""Opens one connection: TCP to an address, TLS with any server name or none, and then bytes in, bytes out.

The TLS engine is OpenSSL through `ssl.MemoryBIO` over a plain transport, so that the two phases are timed apart, a
failed handshake still shows what came over the wire, and any protocol can be spoken on top. Nothing is verified here:
what was shown is judged by `certificates.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from exporter.model import Protocol
from exporter.probing.certificates import Handshake, chain_of
from exporter.probing.failures import Broken
from exporter.probing.routes import blamed

_MOST_UNREAD = 256 * 1024  # bytes; a server that sends faster than we read is paused
_READ_SIZE = 64 * 1024
_FIRST_BYTES = 16  # enough to tell what speaks at the other end


_OFFERS = {
    Protocol.HTTP11: ["http/1.1"],
    Protocol.H2: ["h2", "http/1.1"],  # as browsers do: many servers answer an offer of h2 alone with an alert
}


@lru_cache(maxsize=1000)
def tls_context(protocol: Protocol, certificate: str | None, key: str | None, *, tls12: bool = False) -> ssl.SSLContext:
    """Settings of a handshake for `protocol` that verifies nothing, and shows a client certificate if it has one.

    With `tls12`, TLS 1.2 is the most that is offered.

    Raises OSError or ssl.SSLError where the client certificate cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(_OFFERS[protocol])
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    _hear_messages(context)
    return context


_HANDSHAKE, _CERTIFICATE_REQUEST = 22, 13  # RFC 8446, sections 5.1 and 4


def _hear_messages(context: ssl.SSLContext) -> None:
    """Note on each connection that the server asks for a client certificate: Python has no public way to know.

    `_msg_callback` of `_ssl` itself is set, and not `SSLContext`'s own, which turns each number into an enum first.
    """

    def hear(tls: ssl.SSLObject, direction: str, _version: int, content: int, message: int, _data: bytes) -> None:
        if direction == "read" and content == _HANDSHAKE and message == _CERTIFICATE_REQUEST:
            tls.client_certificate_requested = True  # type: ignore[attr-defined]

    raw = super(ssl.SSLContext, ssl.SSLContext)._msg_callback  # type: ignore[misc]
    raw.__set__(context, hear)


class Channel(asyncio.Protocol):
    """A TLS connection. `read` gives b"" at its end, however it ended; a reset or an alert raises."""

    def __init__(self, context: ssl.SSLContext, sni: str | None, session: ssl.SSLSession | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=sni, session=session)
        self._transport: asyncio.Transport | None = None
        self._sni = sni
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._paused = False
        self._first_bytes = b""
        self.at_end = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if len(self._first_bytes) < _FIRST_BYTES:
            self._first_bytes += bytes(data[:_FIRST_BYTES])
        self._incoming.write(data)
        if self._incoming.pending > _MOST_UNREAD and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._wake()

    def eof_received(self) -> None:
        self.at_end = True
        self._incoming.write_eof()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.at_end = True
        self._lost = error
        self._incoming.write_eof()
        self._wake()

    # What probing calls.

    async def handshake(self) -> Handshake:
        """Shake hands. Raises ssl.SSLError for alerts and disagreements, `Broken` for what is not TLS, OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                await self._more()
            except ssl.SSLError as error:
                self._flush()
                raise self._explained(error) from error
            else:
                return self._agreed()  # our last message goes out with the first request

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later handshake may take up again; in TLS 1.3 it comes with the first bytes that are read."""
        return self._tls.session

    def write(self, data: bytes) -> None:
        """Send `data`. What the peer no longer takes shows when it is read from."""
        self._tls.write(data)
        self._flush()

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises ssl.SSLError for an alert, OSError for a reset."""
        while True:
            try:
                return self._tls.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                self._flush()
                await self._more()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                if self._lost is not None:
                    raise self._lost from None
                self.at_end = True
                return b""

    def close(self) -> None:
        """Say goodbye in TLS where that can be done at once, and close."""
        if self._transport is None or self._transport.is_closing():
            return
        with contextlib.suppress(ssl.SSLError, OSError, ValueError):
            self._tls.unwrap()  # writes close_notify, and complains that the peer's has not come yet
        self._flush()
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # a peer that takes nothing more would keep the socket open for ever
        else:
            self._transport.close()

    def _flush(self) -> None:
        if self._outgoing.pending and self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._outgoing.read())

    async def _more(self) -> None:
        """Wait until bytes or the end have come. With the end already there, the engine says what it means."""
        if self.at_end:
            self._incoming.write_eof()
            return
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _agreed(self) -> Handshake:
        cipher = self._tls.cipher()
        return Handshake(
            version=self._tls.version() or "",
            cipher=cipher[0] if cipher else "",
            alpn=self._tls.selected_alpn_protocol(),
            chain=chain_of(self._tls),
            sni=self._sni,
            client_certificate_requested=getattr(self._tls, "client_certificate_requested", False),
            resumed=bool(self._tls.session_reused),
        )

    def _explained(self, error: ssl.SSLError) -> Exception:
        """What really happened: OpenSSL only says that the bytes were no TLS, or that they ended."""
        if self._lost is not None:
            return self._lost
        if self._first_bytes.startswith(b"HTTP/"):
            return Broken("plain-http", "the answer to a TLS hello began with HTTP/")
        if self._first_bytes and self._first_bytes[:1] not in _TLS_RECORD_TYPES:
            return Broken("not-tls", f"the answer to a TLS hello began with {self._first_bytes!r}")
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Broken("closed", "the server closed the connection during the TLS handshake")
        return error


_TLS_RECORD_TYPES = {b"\x14", b"\x15", b"\x16", b"\x17"}  # RFC 8446, section 5.1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect and what to show there."""

    address: str
    port: int
    sni: str | None
    context: ssl.SSLContext
    session: ssl.SSLSession | None = None


async def connect(endpoint: Endpoint) -> Channel:
    """A TCP connection to exactly this address; TLS has not begun. Raises OSError, and `Broken` without a route."""
    try:
        _, channel = await asyncio.get_running_loop().create_connection(
            lambda: Channel(endpoint.context, endpoint.sni, endpoint.session), endpoint.address, endpoint.port
        )
    except OSError as error:
        raise blamed(error, endpoint.address) from None
    return channel


class PlainChannel:
    """A TCP connection without TLS, with the face of `Channel`."""

    session: None = None

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def read(self) -> bytes:
        return await self._reader.read(_READ_SIZE)

    def close(self) -> None:
        self._writer.transport.abort()


async def connect_plain(address: str, port: int) -> PlainChannel:
    """A TCP connection to exactly this address. Raises OSError."""
    return PlainChannel(*await asyncio.open_connection(address, port, limit=_MOST_UNREAD))
