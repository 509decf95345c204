"""Alternative services: which are advertised, when and how they are probed, and what that shows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from exporter import matrix
from exporter.alternatives import advertised, permitted
from exporter.exposition import Format
from exporter.gate import Gate
from exporter.health import Health
from exporter.latest import Latest
from exporter.matrix import ALTERNATIVES_EVERY, Alternative, is_turn_of_alternatives
from exporter.metrics import Metrics
from exporter.model import Combination, Failure, Phase, Protocol, Secret, Verdict
from exporter.probing.certificates import Judge
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.sweep import Instruments, sweep
from tests.factories import observation, probe, response, round_, target
from tests.nameserver import resolving
from tests.origin import answer, origin
from tests.origin3 import answer as answer3
from tests.origin3 import origin3

H3_443 = (("alt-svc", 'h3=":443"'),)


def saying(*values, status=200, frame=None, **settings):
    headers = tuple(("alt-svc", value) for value in values)
    return observation(probe(**settings), response=response(status, headers=headers), alt_svc=frame)


# What is advertised.


@pytest.mark.parametrize(
    ("seen", "places"),
    [
        ([saying('h3=":443"')], [("shop.test", 443)]),
        ([saying('h3="other.test:8443", h2=":444", h3-29=":443"')], [("other.test", 8443)]),
        ([saying('h3=":443"', 'h3=":444"')], [("shop.test", 443), ("shop.test", 444)]),
        ([saying('h3=":443"'), saying('h3="shop.test:443"', address="127.0.0.2")], [("shop.test", 443)]),
        ([saying('h3=":443"', status=421)], []),
        ([saying("clear")], []),
        ([saying(frame='h3=":443"')], [("shop.test", 443)]),
        ([saying('h3=":444"', frame='h3=":443"')], [("shop.test", 444), ("shop.test", 443)]),
        ([saying(frame='h3=":443"', status=421)], []),
        ([saying('h3=":443"', sni=None)], []),
        ([saying()], []),
        ([observation(failure=Failure(Phase.TLS, "timeout"))], []),
    ],
    ids=[
        "own",
        "another host",
        "two fields",
        "two addresses",
        "421",
        "clear",
        "frame",
        "both",
        "frame and 421",
        "another cell",
        "none",
        "failed",
    ],
)
def test_matched_answers_advertise(seen, places):
    assert advertised(round_(*seen)) == tuple(places)


@pytest.mark.parametrize(
    ("found", "origin_at", "kept"),
    [
        (["8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"], ["1.1.1.1"], ["8.8.8.8"]),
        (["8.8.8.8", "10.0.0.1"], ["10.0.0.2"], ["8.8.8.8", "10.0.0.1"]),
        (["127.0.0.2"], ["127.0.0.1", "1.1.1.1"], ["127.0.0.2"]),
    ],
)
def test_a_public_server_sends_nobody_into_private_networks(found, origin_at, kept):
    assert permitted(found, origin_at) == tuple(kept)


# The plan.


def test_an_alternative_is_asked_with_the_origins_name_at_each_of_its_addresses():
    about = target(port=8443, headers=(("X-Token", Secret("s3cret", "env T")),), ca_file="ca.pem")
    dials = matrix.alternatives(about, [Alternative("b.test", 9443, ("127.0.0.1", "::1"))])

    assert [(dial.address, dial.port, dial.sni, dial.protocol, dial.ca_file) for dial in dials] == [
        ("127.0.0.1", 9443, "shop.test", Protocol.H3, "ca.pem"),
        ("::1", 9443, "shop.test", Protocol.H3, "ca.pem"),
    ]
    (ask,) = dials[0].asks
    assert (ask.probe.combination, ask.probe.host, ask.probe.port) == (Combination.ALTERNATIVE, "shop.test", 9443)
    assert ask.request.authority == "shop.test:8443"
    assert ask.request.headers[-1] == ("Alt-Used", "b.test:9443")


def test_secrets_go_to_an_alternative_only_where_it_is_trusted_whatever_the_target_says():
    """`verify: false` is said of the domain's own server, not of wherever it points."""
    dials = matrix.alternatives(target(verify=False), [Alternative("b.test", 9443, ("127.0.0.1",))])

    assert [dial.verify for dial in dials] == [True]


@pytest.mark.parametrize(
    ("host", "port", "used"), [("b.test", 443, "b.test"), ("::1", 443, "[::1]"), ("::1", 444, "[::1]:444")]
)
def test_the_server_is_told_which_alternative_is_used(host, port, used):
    (dial,) = matrix.alternatives(target(), [Alternative(host, port, ("127.0.0.1",))])

    assert dict(dial.asks[0].request.headers)["Alt-Used"] == used


def test_how_many_are_asked_is_not_for_the_server_to_decide():
    places = [Alternative("b.test", port, tuple(f"127.0.0.{n}" for n in range(1, 20))) for port in range(1, 20)]

    assert len(matrix.alternatives(target(), places)) == matrix.MOST_ALTERNATIVES**2 == 16


def test_targets_take_turns():
    names = [f"{letter}.test" for letter in "abcdefghijklmnopqrst"]
    per_turn = [
        sum(is_turn_of_alternatives(target(name), turn) for name in names) for turn in range(ALTERNATIVES_EVERY)
    ]

    assert per_turn == [2] * ALTERNATIVES_EVERY


# Rounds.


@asynccontextmanager
async def instruments(records=None):
    """Without `records`, DNS is down."""
    async with nowhere() if records is None else resolving(records) as (resolver, _):
        judge = Judge()
        yield Instruments({}, Latest(), resolver, judge, Gate(64, 8, Health()), Held(judge))


@asynccontextmanager
async def nowhere():
    resolver = Resolver(["127.0.0.1:1"])  # nothing listens there
    try:
        yield resolver, None
    finally:
        await resolver.close()


def local(port, ca_file, **settings):
    defaults = {
        "port": port,
        "resolve": ("127.0.0.1",),
        "ca_file": str(ca_file),
        "protocols": (Protocol.HTTP11,),
        "snis": ("a.test",),
        "timeout_seconds": 2.0,
    }
    return target("a.test", **(defaults | settings))


TURN = next(turn for turn in range(ALTERNATIVES_EVERY) if is_turn_of_alternatives(target("a.test"), turn))


async def two_rounds(about, first=TURN - 1, second=TURN):
    async with instruments() as shared:
        before = await sweep(about, first, shared)
        shared.latest.put(before)
        return before, await sweep(about, second, shared)


def cells(done):
    pairs = zip(done.observations, done.verdicts, strict=True)
    return [(o.probe.combination.value, o.probe.protocol.value, o.probe.place, v.expected) for o, v in pairs]


def advertising(*values):
    fields = "".join(f"Alt-Svc: {value}\r\n" for value in values)
    return lambda _: answer(200, headers=fields)


def fine(h3, stream, _host):
    answer3(h3, stream)


async def test_what_one_round_advertises_a_later_one_probes(leaf, ca_file):
    async with origin3(leaf, fine) as udp, origin({None: leaf}, advertising(f'h3=":{udp.port}"')) as tcp:
        before, done = await two_rounds(local(tcp.port, ca_file))

    assert cells(before) == [("matched", "http/1.1", "127.0.0.1", True)]
    assert cells(done) == [
        ("matched", "http/1.1", "127.0.0.1", True),
        ("alternative", "h3", f"127.0.0.1:{udp.port}", True),
    ]
    assert udp.snis == ["a.test"]
    assert dict(udp.requests[0][1])[":authority"] == f"a.test:{tcp.port}"
    assert dict(udp.requests[0][1])["alt-used"] == f"a.test:{udp.port}"


async def test_in_the_other_rounds_nothing_is_added(leaf, ca_file):
    async with origin({None: leaf}, advertising('h3=":443"')) as tcp:
        _, done = await two_rounds(local(tcp.port, ca_file), second=TURN + 1)

    assert cells(done) == [("matched", "http/1.1", "127.0.0.1", True)]


@pytest.mark.parametrize("status", [421, 404])
async def test_an_alternative_that_answers_wrongly_is_seen_and_does_not_take_the_domain_down(leaf, ca_file, status):
    def respond(h3, stream, _host):
        answer3(h3, stream, status)

    async with origin3(leaf, respond) as udp, origin({None: leaf}, advertising(f'h3=":{udp.port}"')) as tcp:
        _, done = await two_rounds(local(tcp.port, ca_file))

    assert cells(done)[1] == ("alternative", "h3", f"127.0.0.1:{udp.port}", False)
    assert done.verdicts[1].reason == f"status {status} instead of 200-399"
    assert done.up


async def test_an_alternative_where_nobody_listens_is_seen(leaf, ca_file):
    async with origin3(leaf, fine) as udp:
        port = udp.port
    async with origin({None: leaf}, advertising(f'h3=":{port}"')) as tcp:
        _, done = await two_rounds(local(tcp.port, ca_file))

    assert (done.observations[1].failure.kind, done.verdicts[1].expected) == ("refused", False)
    assert done.up


async def test_an_alternative_may_be_another_address(leaf, ca_file):
    async with origin3(leaf, fine, address="127.0.0.2") as udp:
        values = [f'h3="127.0.0.2:{udp.port}"', 'h3="unresolved.test:443"']
        async with origin({None: leaf}, advertising(*values)) as tcp:
            _, done = await two_rounds(local(tcp.port, ca_file))

    assert cells(done)[1:] == [("alternative", "h3", f"127.0.0.2:{udp.port}", True)]


async def test_what_an_https_record_advertises_is_probed_without_a_word_of_the_server(leaf, ca_file):
    async with origin3(leaf, fine) as udp, origin({None: leaf}, lambda _: answer()) as tcp:
        records = {
            ("a.test.", "A"): ["127.0.0.1"],
            (f"_{tcp.port}._https.a.test.", "HTTPS"): [f"1 a.test. alpn=h3 port={udp.port}", "2 b.test. alpn=h2"],
        }
        async with instruments(records) as shared:
            done = await sweep(local(tcp.port, ca_file, resolve=()), TURN, shared)

    assert cells(done)[1:] == [("alternative", "h3", f"127.0.0.1:{udp.port}", True)]


async def test_dns_is_not_asked_for_alternatives_of_a_domain_whose_addresses_are_configured(leaf, ca_file):
    async with origin({None: leaf}, lambda _: answer()) as tcp:
        records = {(f"_{tcp.port}._https.a.test.", "HTTPS"): ["1 a.test. alpn=h3"]}
        async with instruments(records) as shared:
            done = await sweep(local(tcp.port, ca_file), TURN, shared)

    assert [kind for kind, *_ in cells(done)] == ["matched"]


async def test_h3_that_is_configured_is_not_probed_twice(leaf, ca_file):
    def respond(_):
        return answer(200, headers=f'Alt-Svc: h3=":{tcp.port}"\r\n')

    async with origin({None: leaf}, respond) as tcp, origin3(leaf, fine, port=tcp.port):
        about = local(tcp.port, ca_file, protocols=(Protocol.HTTP11, Protocol.H3), hosts=("x.invalid",))
        _, done = await two_rounds(about)

    assert sorted(cells(done)) == [
        ("matched", "h3", "127.0.0.1", True),
        ("matched", "http/1.1", "127.0.0.1", True),
        ("unknown_host", "h3", "127.0.0.1", True),
        ("unknown_host", "http/1.1", "127.0.0.1", True),
    ]


async def test_h3_that_is_configured_and_does_not_answer_takes_the_domain_down(leaf, ca_file):
    async with origin({None: leaf}, advertising()) as tcp:
        _, done = await two_rounds(local(tcp.port, ca_file, protocols=(Protocol.HTTP11, Protocol.H3)))

    assert not done.up


async def test_siblings_are_asked_on_a_connection_of_http_3(leaf, ca_file):
    """nginx serves the default site where a name is not on the QUIC listener: silent, and over HTTP/3 only (C-08)."""

    def respond(h3, stream, host):
        answer3(h3, stream, 200, b"<title>default</title>" if host == "b.test" and ask_on_other(h3) else host.encode())

    def ask_on_other(h3):
        return h3 is udp.connections[0]

    async with origin3(leaf, respond) as udp:
        both = [
            replace(
                local(udp.port, ca_file, protocols=(Protocol.H3,)),
                domain=name,
                snis=(name,),
                siblings=("a.test", "b.test"),
            )
            for name in ("a.test", "b.test")
        ]
        async with instruments() as alone:
            shared = replace(alone, targets={one.domain: one for one in both})
            udp.connections.append(None)
            shared.latest.put(await sweep(replace(both[1], sibling_hosts=False), 0, shared))
            udp.connections[:] = []
            done = await sweep(both[0], 0, shared)

    misrouted = [v for o, v in zip(done.observations, done.verdicts, strict=True) if o.probe.domain == "b.test"]
    assert [(one.expected, one.reason.startswith("misrouted")) for one in misrouted] == [(False, True)]
    assert {exposure.sibling for exposure in done.exposures} == {"a.test"}


# Metrics.


def shown(metrics):
    text = b"".join(metrics.chunks(Format.TEXT)).decode()
    return [
        line for line in text.splitlines() if line.startswith("statuscode_probe_success{") and "alternative" in line
    ]


def test_the_cell_of_an_alternative_stays_until_it_is_probed_again():
    metrics = Metrics(Health())
    alternative = probe(address="::1", port=8443, protocol=Protocol.H3)
    seen = [observation(), observation(alternative)]
    wrong = Verdict(expected=False, reason="dead")
    metrics.record(round_(*seen, verdicts=(Verdict(expected=True, reason=""), wrong)))

    for _ in range(ALTERNATIVES_EVERY - 1):
        metrics.record(round_())
        (line,) = shown(metrics)
    assert 'combination="alternative"' in line
    assert 'address="[::1]:8443",protocol="h3"' in line
    assert line.endswith(" 0")

    metrics.record(round_())
    assert shown(metrics) == []
