"""The client's side of HTTP/2 for tests, by the h2 library: bytes in, bytes out, and what came back by stream."""

from __future__ import annotations

import ssl
from collections import defaultdict
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings


@dataclass
class Answer:
    """What one stream has brought so far; `reset` is the error code of RST_STREAM."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.headers[":status"])


class Browser:
    """One connection. `goaway` is the error code of the server's GOAWAY."""

    def __init__(self, window_bytes: int = 65_535) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.local_settings = Settings(
            client=True, initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: window_bytes}
        )
        self.h2.initiate_connection()
        self.answers: dict[int, Answer] = defaultdict(Answer)
        self.goaway: int | None = None

    def ask(self, host: str, method: str = "GET", *, ends: bool = True) -> int:
        """Put a request into what is to be sent; gives its stream."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", host), (":path", "/")]
        self.h2.send_headers(stream, head, end_stream=ends)
        return stream

    def to_send(self) -> bytes:
        return self.h2.data_to_send()

    def take(self, received: bytes) -> None:
        for event in self.h2.receive_data(received):
            match event:
                case ResponseReceived():
                    self.answers[event.stream_id].headers = dict(event.headers)
                case DataReceived():
                    self.answers[event.stream_id].body += event.data
                case StreamEnded():
                    self.answers[event.stream_id].is_whole = True
                case StreamReset():
                    self.answers[event.stream_id].reset = int(event.error_code)
                case ConnectionTerminated():
                    self.goaway = int(event.error_code)
                case _:
                    pass

    def fetch(self, connection: ssl.SSLSocket, *hosts: str) -> list[Answer]:
        """Ask for all of `hosts` at once over a connection, and wait for the answers."""
        streams = [self.ask(host) for host in hosts]
        connection.sendall(self.to_send())
        while not all(self.answers[stream].is_whole for stream in streams):
            received = connection.recv(65_536)
            assert received, "the server closed the connection"
            self.take(received)
            connection.sendall(self.to_send())
        return [self.answers[stream] for stream in streams]
