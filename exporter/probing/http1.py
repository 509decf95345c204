"""HTTP/1.1 over a channel: one request, its answer, all of it bounded. The only home of httptools (llhttp)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import httptools

from exporter.model import Failure, Method, Phase, Request, Response, revealed
from exporter.probing.body import Body
from exporter.probing.bounds import MOST_HEADER_BYTES, MOST_HEADERS, MOST_INTERIM
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, PlainChannel
from exporter.probing.failures import Broken


class Http1:
    """A connection that speaks HTTP/1.1. `usable` says whether one more request may be sent on it."""

    origins: tuple[str, ...] | None = None
    """HTTP/1.1 has no ORIGIN frame."""
    alt_svc: Mapping[str, str] = MappingProxyType({})
    """And no ALTSVC frame."""

    def __init__(self, channel: Channel | PlainChannel) -> None:
        self._channel = channel
        self.usable = True

    async def exchange(self, request: Request, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        """Ask and listen. A failure after the header section stands beside what was received of the answer."""
        answer = Answer(request.method)
        try:
            async with clock.phase(Phase.PROCESSING):
                self._channel.write(request_bytes(request))
                await _receive_headers(self._channel, answer)
            async with clock.phase(Phase.TRANSFER):
                whole = await _receive_body(self._channel, answer)
        except PhaseFailed as failed:
            self.usable = False
            return answer.response(complete=False) if answer.has_headers else None, _told(failed.failure, answer)
        finally:
            answer.release()
        self.usable = whole and answer.leaves_open
        return answer.response(complete=whole), None


def _told(failure: Failure, answer: Answer) -> Failure:
    """A server that sends too slowly is another fault than one that sends nothing."""
    if failure.kind != "timeout" or not answer.bytes_received:
        return failure
    return replace(failure, kind="slow", detail=f"{answer.bytes_received} bytes came, and not the answer's end")


def request_bytes(request: Request) -> bytes:
    """The request as it goes over the wire (RFC 9112, section 3)."""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {request.authority}"]
    lines += [f"{name}: {revealed(value)}" for name, value in request.headers]
    if request.method is Method.POST:
        lines.append("Content-Length: 0")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Answer:
    """Collects one answer from bytes. Lenient where browsers are, bounded everywhere.

    llhttp calls the `on_...` methods; `complete` is True when the final answer has ended by its own framing.
    """

    def __init__(self, method: Method) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,  # both lengths at once: the chunks hold (RFC 9112, section 6.3)
            lenient_optional_cr_before_lf=True,  # RFC 9112, section 2.2
            lenient_data_after_close=True,
        )
        self._method = method
        self._interim = 0
        self._surplus = False
        self.malformed: Broken | None = None
        self.complete = False
        self.began = False
        self.bytes_received = 0
        self._start()

    def _start(self) -> None:
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._header_bytes = 0
        self._in_body = False
        self._body = Body()
        self._keep_alive = False
        self._version = "1.1"
        self._status = 0

    def feed(self, data: bytes) -> None:
        """Take bytes. Raises `Broken` where they are no HTTP or too much; a broken body is noted in `malformed`."""
        self.bytes_received += len(data)
        if not self._in_body:
            self._header_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end()
        except httptools.HttpParserCallbackError as error:
            self._surplus = self.complete
            if not self._surplus:
                raise _cause(error) from error
        except httptools.HttpParserError as error:
            self._surplus = self.complete
            if not self._surplus:
                self._note(error, data)
        if not self._in_body and self._header_bytes > MOST_HEADER_BYTES:
            raise Broken("headers-too-big", f"more than {MOST_HEADER_BYTES} bytes of header section")

    def release(self) -> None:
        """Nothing more is fed: the parser and what it calls hold each other, and only the collector would free them."""
        del self._parser

    @property
    def has_headers(self) -> bool:
        return self._in_body

    @property
    def has_enough(self) -> bool:
        """Whether as much of the body was read as is ever read."""
        return self._body.is_enough

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body's end is the connection's end (RFC 9112, section 6.3, rule 8)."""
        names = {name for name, _ in self._headers}
        return self._in_body and "content-length" not in names and "transfer-encoding" not in names

    @property
    def leaves_open(self) -> bool:
        """Whether the server said that the connection stays, and kept to the answer's framing."""
        return self._keep_alive and not self._surplus

    def response(self, *, complete: bool) -> Response:
        return Response(
            status=self._status,
            reason=self._reason.decode("latin-1"),
            version=self._version,
            headers=tuple(self._headers),
            body=self._body.kept,
            body_bytes=self._body.read,
            body_complete=complete,
            body_sha256=self._body.sha256,
        )

    def _note(self, error: Exception, data: bytes) -> None:
        if self._in_body:
            self.malformed = Broken("malformed", f"the body's framing is broken: {error}")
        elif self.began:
            raise Broken("not-http", f"a header line is malformed: {error}") from error
        else:
            raise Broken("not-http", f"the answer began with {data[:40]!r}") from error

    # What llhttp calls.

    def on_message_begin(self) -> None:
        if self.complete:
            raise Broken("malformed", "more came after the answer's end")
        self._start()

    def on_status(self, reason: bytes) -> None:
        self.began = True
        self._reason += reason[:200]

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            return  # a trailer
        self.began = True
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))
        if len(self._headers) > MOST_HEADERS:
            raise Broken("headers-too-big", f"more than {MOST_HEADERS} header lines")

    def on_headers_complete(self) -> None:
        self.began = self._in_body = True
        self._status = self._parser.get_status_code()
        self._version = self._parser.get_http_version()
        self._keep_alive = self._parser.should_keep_alive()
        if self._method is Method.HEAD and self._status >= 200:
            self._end()

    def on_body(self, body: bytes) -> None:
        if not self.complete:  # the answer to HEAD has none, whatever comes
            self._body.take(body)

    def on_message_complete(self) -> None:
        if self._status >= 200 or self._status == 101:
            self._end()
            return
        self._in_body = False
        self._interim += 1
        if self._interim > MOST_INTERIM:
            raise Broken("not-http", f"more than {MOST_INTERIM} interim answers")

    def _end(self) -> None:
        self.complete = True


def _cause(error: Exception) -> Exception:
    return error.__context__ if isinstance(error.__context__, Broken) else error


async def _receive_headers(channel: Channel | PlainChannel, answer: Answer) -> None:
    while not answer.has_headers:
        data = await channel.read()
        if not data:
            raise Broken("closed", f"the server closed the connection {_place(answer)}")
        answer.feed(data)


def _place(answer: Answer) -> str:
    return "within the header section" if answer.began else "without an answer"


async def _receive_body(channel: Channel | PlainChannel, answer: Answer) -> bool:
    """Read to the body's end, or to the bound; whether the end was reached."""
    while not answer.complete:
        if answer.malformed is not None:
            raise answer.malformed
        if answer.has_enough:
            return False
        data = await channel.read()
        if data:
            answer.feed(data)
        elif answer.ends_with_connection:
            return True
        else:
            raise Broken("truncated", "the server closed the connection before the body's end")
    return True
