"""One listening socket of the laboratory: lets clients in, shakes hands, and sees them off."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from functools import partial

from exporter.demo.tls import Guest, Reception

HANDSHAKE_SECONDS = 10
FAREWELL_SECONDS = 1  # for the client's close_notify, which many clients never send
REST_SECONDS = 0.5  # after a failed accept, so that a lack of file descriptors does not become a busy loop
READ_AHEAD_BYTES = 16 * 1024

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Guest], Coroutine[None, None, None]]


class Door:
    """Accepts connections on `listener` until it is cancelled.

    Arguments:
        speak: holds the conversation with a guest.
    """

    def __init__(self, listener: socket.socket, reception: Reception, speak: Speak) -> None:
        self._listener = listener
        self._reception = reception
        self._speak = speak

    async def stand_open(self) -> None:
        async with asyncio.TaskGroup() as guests:
            while True:
                connection = await self._accept()
                guest = guests.create_task(self._receive(connection))
                # Not in the guest itself: a task that is cancelled before its first step never closes anything.
                guest.add_done_callback(partial(_hang_up, connection))

    async def _accept(self) -> socket.socket:
        while True:
            try:
                connection, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(REST_SECONDS)
            else:
                return connection

    async def _receive(self, connection: socket.socket) -> None:
        """One connection from handshake to farewell; the client may break it off at any moment."""
        try:
            reader, writer = await self._shake_hands(connection)
        except OSError:
            return
        try:
            await self._speak(reader, writer, self._reception.guest(writer.get_extra_info("ssl_object")))
            writer.close()
            await writer.wait_closed()
        except OSError:
            return
        finally:
            with contextlib.suppress(AttributeError):  # asyncio of Python 3.11.2 aborts no connection that is gone
                writer.transport.abort()

    async def _shake_hands(self, connection: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_AHEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=self._reception.context,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=FAREWELL_SECONDS,
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _hang_up(connection: socket.socket, _: asyncio.Task[None]) -> None:
    connection.close()
