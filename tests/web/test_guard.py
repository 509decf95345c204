"""Users and passwords, over real connections."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import asynccontextmanager

import aiohttp
import bcrypt
import pytest
from aiohttp import web

from exporter.web import Guard, application
from tests.web.houses import household

USERS = {
    "alice": bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode(),
    "zo\N{LATIN SMALL LETTER E WITH DIAERESIS}": bcrypt.hashpw("pässwörd".encode(), bcrypt.gensalt(4)).decode(),
}
SLOW = {"alice": bcrypt.hashpw(b"hunter2", bcrypt.gensalt(10)).decode()}


@asynccontextmanager
async def client(users):
    home, guard = household(), Guard(users)
    runner = web.AppRunner(application(home.house, guard), access_log=None)
    async with home.house.store.running():
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with aiohttp.ClientSession("http://{}:{}".format(*runner.addresses[0][:2])) as session:
                yield session, guard
        finally:
            await runner.cleanup()


def basic(user, password, encoding="utf-8"):
    return "Basic " + b64encode(f"{user}:{password}".encode(encoding)).decode()


async def status(session, path="/metrics", **fields):
    async with session.get(path, headers=fields) as response:
        return response.status


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status", "/static/style.css", "/runbooks/421", "/nowhere"])
async def test_without_a_password_nothing_is_told(path):
    async with client(USERS) as (session, _), session.get(path) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Basic realm="statuscode-exporter", charset="UTF-8"'
        assert "statuscode_" not in await response.text()


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
async def test_who_runs_the_process_may_ask_whether_it_lives(path):
    async with client(USERS) as (session, _):
        assert await status(session, path) == 200


async def test_without_users_everybody_may_ask():
    async with client({}) as (session, _):
        assert await status(session, Authorization="Basic nonsense") == 200


async def test_every_user_comes_in_with_the_own_password():
    async with client(USERS) as (session, _):
        assert await status(session, Authorization=basic("alice", "hunter2")) == 200
        assert await status(session, Authorization=basic("zoë", "pässwörd")) == 200


@pytest.mark.parametrize(
    "authorization",
    [
        basic("alice", "hunter3"),
        basic("alice", ""),
        basic("bob", "hunter2"),
        basic("", ""),
        basic("zoë", "pässwörd", "latin-1"),
        basic("alice", "hunter2\0"),
        basic("alice", "x" * 500),
        basic("alice", "x" * 5000),
        "Basic",
        "Basic !!!",
        "Basic aGk=",
        "Bearer hunter2",
        "Digest username=alice",
    ],
)
async def test_anything_else_is_refused(authorization):
    async with client(USERS) as (session, _):
        assert await status(session, Authorization=authorization) == 401


async def test_changing_things_needs_a_password_too():
    async with client(USERS) as (session, _):
        async with session.post("/-/reload") as response:
            assert response.status == 401
        async with session.post("/-/reload", headers={"Authorization": basic("alice", "hunter2")}) as response:
            assert response.status == 200


async def test_a_password_that_was_replaced_is_not_remembered():
    async with client(USERS) as (session, guard):
        assert await status(session, Authorization=basic("alice", "hunter2")) == 200
        guard.users = {"alice": bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()}

        assert await status(session, Authorization=basic("alice", "hunter2")) == 401
        assert await status(session, Authorization=basic("alice", "other")) == 200


async def test_a_flood_of_wrong_passwords_is_cut_short_and_does_not_lock_out_who_was_let_in():
    guard = Guard(SLOW)
    assert await guard.admits(basic("alice", "hunter2"))

    flood = [asyncio.ensure_future(guard.admits(basic("alice", f"wrong{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    assert await guard.admits(basic("alice", "hunter2"))
    ended = await asyncio.gather(*flood, return_exceptions=True)

    assert [one for one in ended if one is True] == []
    assert len([one for one in ended if isinstance(one, web.HTTPServiceUnavailable)]) == 4
