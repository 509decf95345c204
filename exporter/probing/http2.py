"""HTTP/2 over a channel (RFC 9113): one request at a time, its answer, all of it bounded."""

from __future__ import annotations

import asyncio

from exporter.model import Failure, Phase, Request, Response
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, PlainChannel
from exporter.probing.failures import Broken
from exporter.probing.http2_answer import Answer
from exporter.probing.http2_link import Link

_FRAMES_IN_A_ROW = 200  # some 1 ms of work; then whatever else waits in the event loop has its turn
_OURS_TO_TELL = frozenset({"protocol-error", "headers-too-big"})
"""Kinds of failure after which we end the connection, and say so."""


class Http2:
    """A connection that speaks HTTP/2. `usable` says whether one more request may be sent on it."""

    def __init__(self, channel: Channel | PlainChannel) -> None:
        self._channel = channel
        self._link = Link()
        self._is_broken = False

    @property
    def usable(self) -> bool:
        return not self._is_broken and self._link.goaway is None

    @property
    def origins(self) -> tuple[str, ...] | None:
        """The origins of the last ORIGIN frame (RFC 8336); None: none came."""
        return self._link.origins

    @property
    def alt_svc(self) -> dict[str, str]:
        """The field value of the last ALTSVC frame (RFC 7838, section 4) for each origin, `https://a.test:8443`."""
        return self._link.alt_svc

    async def exchange(self, request: Request, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        """Ask and listen. A failure after the header section stands beside what was received of the answer."""
        answer: Answer | None = None
        try:
            async with clock.phase(Phase.PROCESSING):
                answer = self._ask(request)
                while not answer.has_headers:
                    await self._go_on()
            with clock.moment(Phase.TRANSFER):
                self._take_what_came(answer)
            if not answer.complete:
                async with clock.phase(Phase.TRANSFER):
                    await self._receive_body(answer)
                    answer.check_length()
        except PhaseFailed as failed:
            self._note_failure(failed.failure)
            return answer.response() if answer is not None and answer.has_headers else None, failed.failure
        self._take_the_rest()
        return answer.response(), None

    def _ask(self, request: Request) -> Answer:
        self._link.ask(request)
        self._flush()
        return self._link.answer

    def _take_what_came(self, answer: Answer) -> None:
        """Most bodies come with their headers."""
        for _ in range(_FRAMES_IN_A_ROW):
            if answer.complete or answer.body.is_enough or not self._link.take_next():
                break
        if answer.complete:
            answer.check_length()

    async def _receive_body(self, answer: Answer) -> None:
        while not answer.complete:
            if not answer.body.is_enough:
                await self._go_on_in_body()
            elif not self._link.take_next():
                self._link.cancel()
                self._flush()
                return

    async def _go_on_in_body(self) -> None:
        try:
            await self._go_on()
        except Broken as broken:
            if broken.kind == "closed":
                raise Broken("truncated", "the server closed the connection before the body's end") from broken
            raise

    async def _go_on(self) -> None:
        """Take the next frame, or wait for more. Raises `Broken` where the stream or the connection is over."""
        if not self._link.take_next():
            await self._read()
        elif self._link.frames_taken % _FRAMES_IN_A_ROW == 0:
            await asyncio.sleep(0)

    async def _read(self) -> None:
        self._flush()  # acknowledgements go out together, before there is something to wait for
        data = await self._channel.read()
        if data:
            self._link.feed(data)
        elif self._link.goaway is not None:
            raise Broken("goaway", self._link.goaway)
        else:
            raise Broken("closed", "the server closed the connection without an answer")

    def _take_the_rest(self) -> None:
        """What came along with the answer: after a GOAWAY behind it, the next request needs another connection."""
        try:
            while self._link.take_next():
                pass
        except Broken:
            self._is_broken = True

    def _note_failure(self, failure: Failure) -> None:
        self._is_broken = failure.kind != "stream-reset"
        if failure.kind in _OURS_TO_TELL:
            self._link.end()
            self._flush()

    def _flush(self) -> None:
        if self._link.unsent:
            self._channel.write(bytes(self._link.unsent))
            self._link.unsent.clear()
