"""`/api/v1/events`: what happens, as server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping

from exporter.diagnosis import leading
from exporter.model import Change, Round
from exporter.web.state import state_of

MOST_CLIENTS = 64
MOST_WAITING = 256
"""Of one client, some 50 KB. One that is slower than this is told that it missed something, and asks anew."""

_MOST_DOMAINS = 50

MISSED = b"event: missed\ndata: {}\n\n"


class Subscription:
    """What one client is still to be told.

    Attributes:
        domain: whose events it wants; empty: all.
    """

    def __init__(self, domain: str = "") -> None:
        self.domain = domain
        self.is_over = False
        self._waiting: deque[bytes] = deque()
        self._there = asyncio.Event()

    def put(self, message: bytes) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            message = MISSED
        self._waiting.append(message)
        self._there.set()

    def end(self) -> None:
        self.is_over = True
        self._there.set()

    async def taken(self, within_seconds: float) -> bytes:
        """All that waits, as soon as there is any; empty: nothing came within the time, or it is over."""
        try:
            async with asyncio.timeout(within_seconds):
                await self._there.wait()
        except TimeoutError:
            return b""
        self._there.clear()
        messages = b"".join(self._waiting)
        self._waiting.clear()
        return messages


class Events:
    """Who listens, and what they are told. Nothing here waits for a client."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    @property
    def clients(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, domain: str = "") -> Subscription | None:
        """None: there are as many clients as there may be."""
        if len(self._subscriptions) >= MOST_CLIENTS:
            return None
        subscription = Subscription(domain)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def finished(self, before: Round | None, done: Round) -> None:
        """A round is over; `before` is the last one of its domain."""
        if self._subscriptions:
            self._tell("round", _round_told(before, done), frozenset({done.target.domain}))

    def changed(self, change: Change) -> None:
        """Something happened to an incident."""
        if self._subscriptions:
            self._tell("incident", _change_told(change), frozenset(change.incident.affected))

    def close(self) -> None:
        """End all answers: the house closes."""
        for subscription in self._subscriptions:
            subscription.end()

    def _tell(self, kind: str, told: Mapping[str, object], about: frozenset[str]) -> None:
        message = f"event: {kind}\ndata: {json.dumps(told)}\n\n".encode()
        for subscription in self._subscriptions:
            if not subscription.domain or subscription.domain in about:
                subscription.put(message)


def _round_told(before: Round | None, done: Round) -> dict[str, object]:
    now, then = _standing(done), _standing(before) if before is not None else None
    state, cause = now
    return {
        "domain": done.target.domain,
        "state": state,
        "cause": cause,
        "ended_at": done.started_at + done.duration_seconds,
        "changed": now != then,
    }


def _standing(round_: Round) -> tuple[str, str | None]:
    first = leading(round_.findings)
    return state_of(round_).id, first.cause if first is not None else None


def _change_told(change: Change) -> dict[str, object]:
    incident = change.incident
    return {
        "kind": change.kind,
        "id": incident.id,
        "state": incident.stage,
        "cause": incident.cause,
        "code": incident.code,
        "domains": incident.domains[:_MOST_DOMAINS],
        "at": change.at,
        "note": change.note,
    }
