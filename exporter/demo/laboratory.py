"""Opens and closes the laboratory: binds its addresses, issues its certificates, keeps its servers running."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import ExitStack
from email.utils import formatdate
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from exporter import extras
from exporter.demo import authority, http1, http2
from exporter.demo.door import Door
from exporter.demo.sites import SERVERS, Asked, Leaf, Reply, Server
from exporter.demo.tls import Guest, Reception
from exporter.model import Protocol

logger = logging.getLogger(__name__)

CONVERSATIONS = {Protocol.HTTP11: http1.converse, Protocol.H2: http2.converse}
"""Over TCP."""

Certificates = dict[str, list[tuple[Leaf, Path]]]
"""By address."""

StandOpen = Callable[[], Coroutine[None, None, None]]


class LaboratoryError(Exception):
    """The laboratory cannot open; the message names the address and port, or the directory."""


class Laboratory:
    """All servers of a table, from entering to leaving.

    Without the extra that HTTP/3 needs, it is neither spoken nor advertised, and the log says so.

    Attributes:
        servers: the table, for printing too.
        ca_file: PEM of the authority that issued all certificates, a new one at each opening.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 8443,
        now: Callable[[], float] = time.time,
        servers: tuple[Server, ...] = SERVERS,
    ) -> None:
        self.servers = servers
        self.port = port
        self.ca_file = directory / "ca.pem"
        self._directory = directory
        self._now = now
        self._opened_at = 0.0
        self._speaks_http3 = False
        self._sockets = ExitStack()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open every address.

        Raises:
            LaboratoryError: an address is taken or missing, or the directory cannot be written.
        """
        self._opened_at = self._now()
        listening = [server for server in self.servers if server.sites is not None]
        over_quic = _able_to_speak([server for server in listening if Protocol.H3 in server.protocols])
        self._speaks_http3 = bool(over_quic)
        with ExitStack() as stack:
            # Bound first: a laboratory that cannot open must not replace the certificates of one that is open.
            sockets = [stack.enter_context(_bind(server.address, self.port)) for server in listening]
            datagrams = [stack.enter_context(_bind_udp(server.address, self.port)) for server in over_quic]
            certificates = self._certificates(listening)
            self._sockets = stack.pop_all()
        doors = [self._door(*one, certificates) for one in zip(listening, sockets, strict=True)]
        doors += [self._quic_door(*one, certificates) for one in zip(over_quic, datagrams, strict=True)]
        self._running = asyncio.create_task(_run(doors))
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close every address and connection.

        Raises:
            ExceptionGroup: a server broke while it ran.
        """
        with self._sockets:
            if self._running is not None:
                self._running.cancel()
                await asyncio.wait((self._running,))
        if self._running is not None and not self._running.cancelled():
            self._running.result()

    def _certificates(self, servers: Iterable[Server]) -> Certificates:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            issuer = authority.found(self._opened_at)
            _write(self.ca_file, issuer.pem, mode=0o644)
            return {
                server.address: [self._issue(issuer, server, leaf) for leaf in server.certificates]
                for server in servers
            }
        except OSError as error:
            raise LaboratoryError(f"cannot write certificates to {self._directory}: {_reason(error)}") from error

    def _issue(self, issuer: authority.Authority, server: Server, leaf: Leaf) -> tuple[Leaf, Path]:
        file = self._directory / f"{server.address}-{leaf.names[0].replace('*', '_')}.pem"
        _write(file, issuer.issue(leaf), mode=0o600)
        return leaf, file

    def _door(self, server: Server, listener: socket.socket, certificates: Certificates) -> StandOpen:
        over_tcp = [protocol for protocol in server.protocols if protocol in CONVERSATIONS]
        reception = Reception(certificates[server.address], over_tcp)
        return Door(listener, reception, partial(self._speak, server)).stand_open

    def _quic_door(self, server: Server, listener: socket.socket, certificates: Certificates) -> StandOpen:
        from exporter.demo import http3  # noqa: PLC0415  # an extra, and slow to load

        _, file = certificates[server.address][0]
        answer, fields = partial(self._answer, server, None, protocol=Protocol.H3), partial(self._fields, server)
        return partial(http3.stand_open, listener, file, answer, fields)

    async def _speak(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, guest: Guest
    ) -> None:
        converse = CONVERSATIONS[guest.protocol]
        answer = partial(self._answer, server, guest.sni, protocol=guest.protocol)
        await converse(reader, writer, answer, partial(self._fields, server))

    def _answer(self, server: Server, sni: str | None, host: str, *, protocol: Protocol) -> Reply:
        return server.answer(Asked(server.address, sni, host, self._now() - self._opened_at, protocol))

    def _fields(self, server: Server) -> http1.Fields:
        fields = (("server", server.software), ("date", formatdate(self._now(), usegmt=True)))
        return (*fields, *self._advertised(server))

    def _advertised(self, server: Server) -> http1.Fields:
        """RFC 7838, section 3. For a minute only: the laboratory may be gone then."""
        has_http3 = self._speaks_http3 and Protocol.H3 in server.protocols
        return (("alt-svc", f'h3=":{self.port}"; ma=60'),) if has_http3 else ()


def _able_to_speak(servers: list[Server]) -> list[Server]:
    """Those servers of HTTP/3, or none where its library is missing."""
    if servers and not extras.can_speak(Protocol.H3):
        logger.warning("the laboratory goes without HTTP/3, which needs %s", extras.how_to_speak(Protocol.H3))
        return []
    return servers


async def _run(doors: Iterable[StandOpen]) -> None:
    async with asyncio.TaskGroup() as open_doors:
        for stand_open in doors:
            open_doors.create_task(stand_open())


def _bind(address: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((address, port))
    except OSError as error:
        raise LaboratoryError(f"cannot listen on {address}:{port}: {_reason(error)}") from error
    listener.setblocking(False)
    return listener


def _bind_udp(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.setblocking(False)
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise LaboratoryError(f"cannot listen on {address}:{port} over UDP: {_reason(error)}") from error
    return listener


REASONS = {
    errno.EADDRINUSE: "another program listens there already",
    errno.EADDRNOTAVAIL: "this system lacks the address; the laboratory needs all of 127.0.0.0/8, as Linux has it",
}


def _reason(error: OSError) -> str:
    return REASONS.get(error.errno or 0, error.strerror or str(error))


def _write(file: Path, content: bytes, mode: int) -> None:
    """A new file in place of an old one: it never had another mode, and no link is followed."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)
