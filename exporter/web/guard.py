"""Asks for a user and a password where the web configuration names users. The only home of bcrypt."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import bcrypt
from aiohttp import BasicAuth, web
from aiohttp.typedefs import Handler

REALM = {"WWW-Authenticate": 'Basic realm="statuscode-exporter", charset="UTF-8"'}
OPEN_PATHS = frozenset({"/-/healthy", "/-/ready"})
"""Whoever runs the process asks these, and they say nothing about anybody's domains."""

_MOST_CHARACTERS = 1024
_MOST_BYTES = 72
"""What bcrypt hashes of a password; the rest never counted."""
_MOST_WAITING = 16
_MOST_KNOWN = 64


class Guard:
    """Who may ask.

    Attributes:
        users: bcrypt hashes by user; empty: everybody. May be replaced while requests come.
    """

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.users: Mapping[str, str] = users or {}
        # A hash takes a twentieth of a second and more, without the interpreter's lock: one at a time leaves probes
        # theirs.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="web-passwords")
        self._waiting = 0
        self._known: dict[bytes, None] = {}

    async def admits(self, authorization: str) -> bool:
        """Whether the field names a user with the right password. Raises HTTPServiceUnavailable if too many ask."""
        try:
            given = BasicAuth.decode(authorization[:_MOST_CHARACTERS], encoding="utf-8")
        except ValueError:
            return False
        hashed = self.users.get(given.login)
        if hashed is not None:
            return await self._fits(given.password, hashed)
        # A name that nobody has takes as long as a wrong password.
        await self._compared(given.password, next(iter(self.users.values())))
        return False

    async def _fits(self, password: str, hashed: str) -> bool:
        """Scrapers come with the same password for ever: what has fitted once is known by a digest."""
        digest = hashlib.sha256(f"{hashed}\0{password}".encode("utf-8", "replace")).digest()
        if digest in self._known:
            return True
        fits = await self._compared(password, hashed)
        if fits:
            self._known[digest] = None
            while len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return fits

    async def _compared(self, password: str, hashed: str) -> bool:
        if self._waiting >= _MOST_WAITING:
            raise web.HTTPServiceUnavailable
        secret = password.encode("utf-8", "replace")[:_MOST_BYTES]
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, bcrypt.checkpw, secret, hashed.encode()
            )
        except ValueError:  # a password that bcrypt does not take fits nothing
            return False
        finally:
            self._waiting -= 1


GUARD = web.AppKey("guard", Guard)


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """401 with a challenge (RFC 7617) where there are users, and the request names none of them rightly."""
    guard = request.app[GUARD]
    if guard.users and request.path not in OPEN_PATHS:
        authorization = request.headers.get("Authorization", "")
        if not authorization or not await guard.admits(authorization):
            raise web.HTTPUnauthorized(headers=REALM)
    return await handler(request)
