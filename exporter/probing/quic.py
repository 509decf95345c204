"""Opens one QUIC connection (RFC 9000): a UDP socket, the handshake, and then events. aioquic's home, with `http3.py`.

Nothing is verified here, as in `dial.py`. Datagrams that come are only kept; they are read where somebody waits for
what they bring. So whatever is wrong with them breaks a phase of a probe, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from aioquic.h3.connection import H3_ALPN
from aioquic.h3.connection import ErrorCode as HttpCode
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, QuicEvent
from aioquic.quic.packet import QuicErrorCode
from aioquic.tls import Context
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from exporter.model import Dial
from exporter.probing.certificates import Handshake
from exporter.probing.failures import ALERTS, Broken
from exporter.probing.routes import blamed

# aioquic tells its logs of each connection, in words that the server may have chosen; failures tell what matters.
for _name in ("quic", "http3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_MOST_UNREAD = 256 * 1024  # bytes of datagrams; what comes beyond is lost, as datagrams may be, and sent again
_MOST_BYTES = 8 * 1024 * 1024  # of streams, for one request; aioquic widens its windows without end
_MOST_DATAGRAMS = 20_000  # for one request: twice what so many bytes need
_MOST_BYTES_PER_CONNECTION = 32 * 1024 * 1024
_MOST_CERTIFICATES = 20  # of a chain, as in `certificates.py`
_FIRST_TLS_ALERT = 0x100  # RFC 9001, section 4.8
_PEER = ("127.0.0.1", 443)  # aioquic asks who sent a datagram; on a connected socket it is always the same one


class Quic(asyncio.DatagramProtocol):
    """A QUIC connection. `engine` is what HTTP/3 is spoken through; `flush` sends what it has to say."""

    def __init__(self, configuration: QuicConfiguration) -> None:
        self._loop = asyncio.get_running_loop()
        self.engine = QuicConnection(configuration=configuration)
        self._transport: asyncio.DatagramTransport | None = None
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._datagrams = 0
        self._bytes_before = 0
        self._lost: Exception | None = None
        self._begun = False
        self._waiter: asyncio.Future[None] | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _address: object) -> None:
        if self._unread_bytes + len(data) <= _MOST_UNREAD:
            self._unread.append(data)
            self._unread_bytes += len(data)
        self._wake()

    def error_received(self, error: Exception) -> None:
        """Where nobody listens, ICMP says so, and the socket, as it is connected, tells."""
        self._lost = error
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = error or self._lost
        self._wake()

    # What probing calls.

    async def handshake(self) -> Handshake:
        """Shake hands. Raises `Broken` where it fails at either side, OSError for what the network says."""
        self.engine.connect(_PEER, now=self._loop.time())
        self._begun = True
        while True:
            event = await self.next_event()
            if isinstance(event, HandshakeCompleted):
                return self._agreed(event)

    async def next_event(self) -> QuicEvent:
        """What happened next. Raises `Broken` where the connection is over, OSError for what the network says."""
        while True:
            event = self.engine.next_event()
            if event is not None and not isinstance(event, ConnectionTerminated):
                return event
            ending = self.engine._close_event  # noqa: SLF001  # known at once; the public event comes seconds later
            if ending is not None:
                raise _ended(ending, by_us=self.engine._close_pending)  # noqa: SLF001  # who ended it is told nowhere else
            await self._receive()

    def begin_exchange(self) -> None:
        """Take what came and do what fell due while nobody waited. Raises `Broken` where that ended the connection."""
        self._datagrams, self._bytes_before = 0, self._bytes
        self._handle_timer(self._loop.time())
        self._take_datagrams(self._loop.time())
        if self.engine._close_event is not None:  # noqa: SLF001
            raise Broken("closed", "the connection ended while nothing was asked on it")

    def events_at_hand(self) -> Iterator[QuicEvent]:
        """What has come already. Raises `Broken` where it is too much, or ends the connection."""
        self._take_datagrams(self._loop.time())
        while (event := self.engine.next_event()) is not None:
            yield event
        if self.engine._close_event is not None:  # noqa: SLF001
            raise Broken("closed", "the connection ended after the answer")

    @property
    def has_room(self) -> bool:
        """Whether the connection can bear one more request: the wider its windows, the more one datagram can claim."""
        return self._bytes < _MOST_BYTES_PER_CONNECTION

    def flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            for data, _ in self.engine.datagrams_to_send(now=self._loop.time()):
                self._transport.sendto(data)

    def close(self) -> None:
        """Say goodbye and close; nobody waits for the draining period (RFC 9000, section 10.2)."""
        if self._begun:
            self.engine.close(error_code=HttpCode.H3_NO_ERROR)
            self.flush()
        if self._transport is not None:
            self._transport.close()

    async def _receive(self) -> None:
        """Take what has come, or wait until something comes or is to be done."""
        self.flush()
        due = self.engine.get_timer()
        if not self._unread and self._lost is None:
            await self._wait(due)
        if not self._unread and self._lost is not None:
            raise self._lost
        now = self._loop.time()
        if not self._unread and due is not None:
            now = max(now, due)  # loops count in milliseconds and may be early
        self._take_datagrams(now)
        self._handle_timer(now)

    def _handle_timer(self, now: float) -> None:
        due = self.engine.get_timer()
        if due is not None and due <= now:
            self.engine.handle_timer(now=now)

    def _take_datagrams(self, now: float) -> None:
        while self._unread:
            data = self._unread.popleft()
            self._unread_bytes -= len(data)
            self._datagrams += 1
            self.engine.receive_datagram(data, _PEER, now=now)
        received = self._bytes - self._bytes_before
        if self._datagrams > _MOST_DATAGRAMS or received > _MOST_BYTES:
            raise Broken("protocol-error", f"the server sent too much: {self._datagrams} datagrams, {received} bytes")

    @property
    def _bytes(self) -> int:
        """Of streams, with the gaps in them, for which memory is taken too."""
        return self.engine._local_max_data.used  # noqa: SLF001

    async def _wait(self, until: float | None) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_at(until, self._wake) if until is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _agreed(self, event: HandshakeCompleted) -> Handshake:
        tls = self.engine.tls
        cipher = tls.key_schedule.cipher_suite if tls.key_schedule is not None else None
        return Handshake(
            version="TLSv1.3",  # QUIC has no other (RFC 9001, section 4.2)
            cipher=f"TLS_{cipher.name}" if cipher is not None else "",
            alpn=event.alpn_protocol,
            chain=chain_of(tls),
            sni=self.engine.configuration.server_name,
            client_certificate_requested=tls._certificate_request is not None,  # noqa: SLF001  # told nowhere else
            resumed=event.session_resumed,
        )


def chain_of(tls: Context) -> tuple[bytes, ...]:
    """The chain as the server sent it, DER, leaf first; bounded. aioquic has no public way to it."""
    shown = (tls._peer_certificate, *tls._peer_certificate_chain)  # noqa: SLF001
    return tuple(one.public_bytes(Encoding.DER) for one in shown[:_MOST_CERTIFICATES] if one is not None)


async def connect(dial: Dial) -> Quic:
    """A UDP socket that hears this address only; nothing was sent yet. Raises OSError, `Broken`, ValueError."""
    configuration = _configuration(dial)
    try:
        _, quic = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Quic(configuration), remote_addr=(dial.address, dial.port)
        )
    except OSError as error:
        raise blamed(error, dial.address) from None
    return quic


def _configuration(dial: Dial) -> QuicConfiguration:
    identity = _identity(dial.client_certificate, dial.client_key or dial.client_certificate)
    return QuicConfiguration(
        alpn_protocols=H3_ALPN,
        server_name=dial.sni,
        verify_mode=ssl.CERT_NONE,
        certificate=identity.chain[0] if identity.chain else None,
        certificate_chain=list(identity.chain[1:]),
        private_key=identity.key,
    )


@dataclass(frozen=True, slots=True)
class _Identity:
    """A client certificate, the certificates above it, and its key."""

    chain: tuple[x509.Certificate, ...] = ()
    key: CertificateIssuerPrivateKeyTypes | None = None


_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


@lru_cache(maxsize=1000)
def _identity(certificate: str | None, key: str | None) -> _Identity:
    if certificate is None or key is None:
        return _Identity()
    pem = _PRIVATE_KEY.search(Path(key).read_bytes())
    private_key = load_pem_private_key(pem[0] if pem is not None else b"", password=None)
    chain = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
    return _Identity(tuple(chain), cast("CertificateIssuerPrivateKeyTypes", private_key))


_LOCAL_ENDINGS: dict[str, Exception] = {
    "Idle timeout": TimeoutError(),
    "Could not find a common protocol version": Broken("quic-error", "VERSION_NEGOTIATION: no common version of QUIC"),
}
"""What aioquic calls an internal error, by its words."""


def _ended(ending: ConnectionTerminated, *, by_us: bool) -> Exception:
    """What the end of a connection means. Without a frame type, HTTP/3 ended it, else QUIC did."""
    if ending.error_code == QuicErrorCode.INTERNAL_ERROR and ending.reason_phrase in _LOCAL_ENDINGS:
        return _LOCAL_ENDINGS[ending.reason_phrase]
    by_http = ending.frame_type is None
    return (_ended_by_us if by_us else _ended_by_server)(ending.error_code, ending.reason_phrase, by_http=by_http)


def _ended_by_us(code: int, reason: str, *, by_http: bool) -> Broken:
    if by_http:
        return Broken("protocol-error", f"the server broke HTTP/3: {_told(http_code(code), reason)}")
    alert = _alert(code)
    if alert is None:
        return Broken("protocol-error", f"the server broke QUIC: {_told(_quic_code(code), reason)}")
    return Broken("alpn" if alert == "no_application_protocol" else "handshake", _told(alert, reason))


def _ended_by_server(code: int, reason: str, *, by_http: bool) -> Broken:
    if code == (HttpCode.H3_NO_ERROR if by_http else QuicErrorCode.NO_ERROR):
        return Broken("closed", "the server closed the connection without an answer")
    if by_http:
        return Broken("h3-error", _told(http_code(code), reason))
    alert = _alert(code)
    return Broken("alert", alert) if alert is not None else Broken("quic-error", _told(_quic_code(code), reason))


def http_code(code: int) -> str:
    """The name of an error code of HTTP/3 (RFC 9114, section 8.1), or its number."""
    return HttpCode(code).name if code in HttpCode.__members__.values() else f"0x{code:x}"


def _quic_code(code: int) -> str:
    """The name of an error code of QUIC (RFC 9000, section 20.1), or its number."""
    return QuicErrorCode(code).name if code in QuicErrorCode.__members__.values() else f"0x{code:x}"


def _alert(code: int) -> str | None:
    number = code - _FIRST_TLS_ALERT
    return ALERTS.get(number, str(number)) if 0 <= number <= 0xFF else None


def _told(name: str, reason: str) -> str:
    return f"{name}: {reason}" if reason else name
