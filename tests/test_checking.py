"""One diagnosis now: some rounds of all targets, and then why."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from exporter import config
from exporter.checking import check
from exporter.model import Combination, Experiment
from tests.origin import CLOSE, answer, host_of, origin
from tests.origin2 import answer as answer2
from tests.origin2 import frame, origin2

A, B = "a.test", "b.test"


def loaded(port, ca_file, *domains, **settings):
    group = {
        "name": "check", "port": port, "ca_file": str(ca_file), "resolve": ["127.0.0.1"], "timeout": "2s",
        "domains": list(domains or (A, B)), **settings,
    }  # fmt: skip
    return config.parse(json.dumps({"groups": [group]}), Path("arguments"), {})


def name(head):
    return host_of(head).lower().rstrip(".")


def page(head, status=200):
    body = f"<title>{host_of(head)}</title><p>Welcome to {host_of(head)}</p>".encode()
    return answer(status, body, headers="Content-Type: text/html\r\n") + (CLOSE if status >= 400 else b"")


def only(served):
    return lambda head: page(head, 200 if name(head) in served else 404)


async def test_all_rounds_of_each_target_come_back_in_order_and_the_last_has_findings(leaf, ca_file):
    said = []
    async with origin({None: leaf}, only([A])) as server:
        a, b = await check(loaded(server.port, ca_file), 3, said.append)

    assert [[one.target.domain for one in row] for row in (a, b)] == [[A] * 3, [B] * 3]
    assert [one.started_at for one in a] == sorted(one.started_at for one in a)
    assert a[-1].findings == ()
    assert b[-1].findings[0].code == 404
    assert all(one.findings == one.trials == () for one in (*a[:-1], *b[:-1]))
    assert said == [
        "round 1 of 3: 2 domains",
        "round 2 of 3: 2 domains",
        "round 3 of 3: 2 domains",
        "a.test: looking for the cause",
        "b.test: looking for the cause",
    ]


async def test_two_healthy_siblings_are_well_and_are_looked_at_more_closely(leaf, ca_file):
    async with origin({None: leaf}, page) as server:
        series = await check(loaded(server.port, ca_file), 1, lambda _: None)

    assert [row[-1].findings for row in series] == [(), ()]
    assert {trial.experiment for trial in series[0][-1].trials} >= {Experiment.INTERLEAVED, Experiment.HOST_SHAPE}
    assert all(one.up for row in series for one in row)


async def test_a_domain_alone_is_asked_for_too(leaf, ca_file):
    said = []
    async with origin({None: leaf}, page) as server:
        ((done,),) = await check(loaded(server.port, ca_file, A), 1, said.append)

    assert done.up
    assert said[0] == "round 1 of 1: 1 domain"


async def test_names_that_fail_alike_are_told_together(leaf, ca_file):
    async with origin({None: leaf}, lambda head: page(head, 500)) as server:
        series = await check(loaded(server.port, ca_file), 1, lambda _: None)

    assert [row[-1].findings[0].domains for row in series] == [(A, B), (B, A)]


async def test_misrouting_is_seen_in_the_first_round_too_where_siblings_had_no_pages_yet(leaf, ca_file):
    """The router behind one address goes by the first name of a connection: both say 200, one is the other's page."""
    names: dict[int, str] = {}

    def respond(connection, stream, host):
        number, _ = server.hosts[-1]
        owner = names.setdefault(number, host)
        answer2(connection, stream, 200, body=f"<title>{owner}</title><p>Welcome to {owner}".encode())

    async with origin2(leaf, respond) as server:
        series = await check(loaded(server.port, ca_file, protocols=["h2"]), 1, lambda _: None)

    shared = [
        verdict
        for row in series
        for seen, verdict in zip(row[0].observations, row[0].verdicts, strict=True)
        if seen.probe.combination is Combination.COALESCED and seen.probe.domain != row[0].target.domain
    ]
    assert shared
    assert not any(verdict.expected for verdict in shared)
    assert {row[-1].findings[0].cause for row in series} == {"sni-router-with-shared-cert"}


@pytest.mark.parametrize("rounds", [1, 2])
async def test_nothing_is_left_open(leaf, ca_file, rounds):
    async with origin({None: leaf}, page) as server:
        await check(loaded(server.port, ca_file, hold=True), rounds, lambda _: None)

        serving = asyncio.all_tasks() - {asyncio.current_task()}
        pending = (await asyncio.wait(serving, timeout=5))[1] if serving else set()
    assert pending == set(), "the server still waits on a connection"


@pytest.mark.parametrize(("claimed", "is_found"), [([A], False), ([A, B], True)])
async def test_a_name_that_lives_elsewhere_is_asked_for_where_a_server_claims_it(leaf, ca_file, claimed, is_found):
    """In the one round that a person asks for: Firefox would go there without looking at addresses (RFC 8336)."""

    def claims(_):
        origins = [f"https://{domain}:{server.port}".encode() for domain in claimed]
        return frame(0x0C, payload=b"".join(len(one).to_bytes(2, "big") + one for one in origins))

    def respond(connection, stream, host):
        body = f"<title>{host}</title><p>Welcome to {host}</p>".encode()
        answer2(connection, stream, 200 if host == A else 421, body, content_type="text/html")

    async with (
        origin2(leaf, respond, greeting=claims) as server,
        origin({None: leaf}, page, address="127.0.0.2", port=server.port),
    ):
        asked = loaded(
            server.port,
            ca_file,
            {"domain": A, "protocols": ["h2"]},
            {"domain": B, "protocols": ["http/1.1", "h2"], "resolve": ["127.0.0.2"]},
        )
        _, b = await check(asked, 1, lambda _: None)

    found = [(one.cause, one.code) for one in b[-1].findings if one.severity != "info"]
    assert found == ([("origin-frame-too-wide", 421)] if is_found else [])
