"""Runs one dial: opens its connection, asks its probes in order, and gives exactly one observation for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from exporter.model import Ask, Connection, Dial, Failure, Observation, Phase, Probe, Protocol, Response, TlsSession
from exporter.probing.certificates import Judge
from exporter.probing.clock import PhaseClock, PhaseFailed
from exporter.probing.dial import Channel, PlainChannel
from exporter.probing.opening import Line, Speaker, open_connection

_END_WITHIN_SECONDS = 0.1  # a server that closes does so with the answer's last packet
_TIMEOUTS_PER_DIAL = 3.0  # a server that lets request after request time out must not hold up the round


async def run(dial: Dial, judge: Judge) -> tuple[Observation, ...]:
    """One observation per probe of the dial, in its order. Never raises but for cancellation."""
    conversation = Conversation(dial, judge)
    try:
        for ask in dial.asks:
            await conversation.observe(ask)
        await conversation.wait_for_the_end()
    finally:
        conversation.hang_up()
    return conversation.observations()


@dataclass(slots=True)
class _Draft:
    """An observation whose last fact, whether the connection survived it, is known only when the next request comes."""

    probe: Probe
    started_at: float
    seconds: Mapping[Phase, float]
    asked_before: int
    tls: TlsSession | None
    response: Response | None
    failure: Failure | None
    origins: tuple[str, ...] | None = None
    survived: bool | None = None
    alt_svc: str | None = None

    def observation(self) -> Observation:
        return Observation(
            self.probe,
            self.started_at,
            self.seconds,
            self.asked_before,
            self.tls,
            self.response,
            self.failure,
            self.origins,
            self.survived,
            alt_svc=self.alt_svc,
        )


class Conversation:
    """A dial while it runs.

    The connection may be opened again: where the server closes it after an answer (Apache does after every 421, without
    saying so), the opener is asked again first, so that a reused probe is one.
    """

    def __init__(self, dial: Dial, judge: Judge) -> None:
        self._drafts: list[_Draft] = []
        self._dial = dial
        self._judge = judge
        self._loop = asyncio.get_running_loop()
        self._give_up_at = self._loop.time() + _TIMEOUTS_PER_DIAL * dial.timeout_seconds
        self._channel: Line | None = None
        self._speaker: Speaker | None = None
        self._tls: TlsSession | None = None
        self._asked_before = 0
        self._answered = 0
        self._obstacle: Failure | None = None

    async def observe(self, ask: Ask) -> None:
        started_at, clock = time.time(), self._clock()
        response, failure = None, self._not_askable()
        if failure is None:
            response, failure = await self._ask(ask, clock)
        speaker = self._speaker
        draft = _Draft(ask.probe, started_at, clock.seconds, self._asked_before, self._tls, response, failure)
        if speaker is not None:
            draft.origins = speaker.origins
            draft.alt_svc = speaker.alt_svc.get(f"https://{ask.request.authority}")
        draft.survived = False if response is not None and self._channel is None else None
        self._drafts.append(draft)

    def observations(self) -> tuple[Observation, ...]:
        return tuple(draft.observation() for draft in self._drafts)

    async def ask_again(self, dial: Dial) -> Observation:
        """Ask the dial's one probe on the connection as it is left from last time; opened anew where it is gone."""
        self._dial, self._drafts, self._obstacle = dial, [], None
        self._give_up_at = self._loop.time() + _TIMEOUTS_PER_DIAL * dial.timeout_seconds
        await self.observe(dial.asks[0])
        return self._drafts[0].observation()

    async def wait_for_the_end(self) -> None:
        """See whether the server ends the connection after an error: it tells which hop said it.

        Apache and nginx close a connection of HTTP/1.1 after a 421 of their own, and keep it after one that they relay.
        """
        last = self._drafts[-1] if self._drafts else None
        if last is None or last.response is None or last.survived is not None:
            return
        channel = self._channel if self._dial.protocol is Protocol.HTTP11 else None
        if last.response.status >= 400 and isinstance(channel, Channel | PlainChannel):
            last.survived = not await _ends(channel)

    def hang_up(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    def _clock(self) -> PhaseClock:
        return PhaseClock(self._loop.time() + self._dial.timeout_seconds)

    def _not_askable(self) -> Failure | None:
        if self._obstacle is None and self._loop.time() > self._give_up_at:
            self._obstacle = Failure(Phase.PROCESSING, "not-asked", "earlier requests used up the connection's time")
        return self._obstacle

    async def _ask(self, ask: Ask, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        was_open = self._channel is not None
        if ask.needs_cover and self._tls is not None and not self._tls.covers(ask.probe.host):
            return None, Failure(Phase.PROCESSING, "not-covered", "the certificate does not cover this name")
        try:
            await self._be_open_for(ask, clock)
        except PhaseFailed as failed:
            self._close_for_the_rest(failed.failure)
            return None, failed.failure
        response, failure = await self._exchange(ask, clock)
        if self._channel is not None and _was_left_undone(response, failure):
            response, failure = await self._exchange(ask, clock)
        if was_open and _found_it_closed(response, failure):
            self._note_survival(survived=False)
            clock.seconds.clear()
            return await self._ask(ask, clock)
        if was_open:
            self._note_survival(survived=True)
        return response, failure

    async def _be_open_for(self, ask: Ask, clock: PhaseClock) -> None:
        if self._channel is not None:
            return
        if ask.probe.connection is not Connection.REUSED:
            await self._open(clock)
            return
        unseen = self._clock()
        await self._open(unseen)
        response, failure = await self._exchange(self._dial.asks[0], unseen)
        if self._channel is None:
            raise PhaseFailed(failure or _not_reused(response))

    async def _open(self, clock: PhaseClock) -> None:
        """Connect and shake hands; afterwards the channel is there. Raises PhaseFailed."""
        self._tls = None
        opened = await open_connection(self._dial, self._judge, clock, self._note_tls)
        self._channel, self._speaker, self._answered = opened.channel, opened.speaker, 0

    def _note_tls(self, tls: TlsSession) -> None:
        self._tls = tls

    async def _exchange(self, ask: Ask, clock: PhaseClock) -> tuple[Response | None, Failure | None]:
        """Ask on the open channel, which is gone afterwards where the server ended it or the exchange broke."""
        assert self._speaker is not None  # noqa: S101  # _be_open_for has seen to it
        self._asked_before = self._answered
        request = ask.request if self._may_see_secrets(ask) else ask.request.without_secrets()
        response, failure = await self._speaker.exchange(request, clock)
        self._answered += 1
        if not self._speaker.usable:
            self.hang_up()
        return response, failure

    def _may_see_secrets(self, ask: Ask) -> bool:
        if not (ask.request.has_secrets and self._dial.verify):
            return True
        return self._tls is not None and not self._tls.faults and self._tls.covers(ask.probe.host)

    def _note_survival(self, *, survived: bool) -> None:
        """The last answer's connection was found open, or closed, when the next request came."""
        last = self._drafts[-1] if self._drafts else None
        if last is not None and last.response is not None and last.survived is None:
            last.survived = survived

    def _close_for_the_rest(self, failure: Failure) -> None:
        """What could not be opened now is not tried again for each further probe of the dial."""
        if failure.kind in ("not-reused", "not-asked"):
            self._obstacle = failure
        else:
            self._obstacle = Failure(failure.phase, "not-asked", f"no connection to ask on ({failure.kind})")


async def _ends(channel: Channel | PlainChannel) -> bool:
    """Whether the server ends the connection by itself, at once."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_WITHIN_SECONDS):
            try:
                return not await channel.read()
            except OSError:
                return True
    return False


def _was_left_undone(response: Response | None, failure: Failure | None) -> bool:
    """Whether the server says that it did nothing: clients then ask once more by themselves, and nobody notices.

    RFC 9113, section 8.7; RFC 9114, section 4.1.1. HAProxy says so where its own connection ended under the request.
    """
    if response is not None or failure is None or failure.kind != "stream-reset":
        return False
    return failure.detail in ("REFUSED_STREAM", "H3_REQUEST_REJECTED")


def _found_it_closed(response: Response | None, failure: Failure | None) -> bool:
    """Whether the server had closed an idle connection before this request came."""
    return response is None and failure is not None and failure.kind in ("closed", "reset", "goaway")


def _not_reused(response: Response | None) -> Failure:
    status = f" ({response.status})" if response is not None else ""
    return Failure(Phase.PROCESSING, "not-reused", f"the server closes the connection after each answer{status}")
