"""The plan: which cells there are, and on which connections they are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.matrix import Sibling, plan, request_for, rotated, rounds_to_cover, siblings_in_turn, unanswered
from exporter.model import Combination, Connection, Method, Probe, Protocol, Secret, Target

A4, A5 = "127.0.0.4", "127.0.0.5"
NAMES = ("a.test", "b.test", "c.test")
UNKNOWN = "unknown.invalid"


def target(domain="a.test", **settings) -> Target:
    defaults = {
        "group": "g",
        "siblings": NAMES,
        "snis": (domain, None),
        "hosts": (UNKNOWN,),
        "port": 8443,
        "protocols": (Protocol.HTTP11,),
    }
    return Target(domain=domain, **(defaults | settings))


def siblings(*names, addresses=(A4,), **settings):
    return {name: Sibling(target(name, **settings), frozenset(addresses)) for name in names}


def asked(dial):
    return [(ask.probe.combination.value, ask.probe.domain, ask.probe.sni, ask.probe.host) for ask in dial.asks]


def test_a_round_opens_one_connection_for_the_domain_and_one_for_each_other_server_name():
    dials = plan(target(), [A4], siblings("b.test", "c.test"))

    assert [(dial.sni, asked(dial)) for dial in dials] == [
        (
            "a.test",
            [
                ("matched", "a.test", "a.test", "a.test"),
                ("coalesced", "b.test", "a.test", "b.test"),
                ("coalesced", "c.test", "a.test", "c.test"),
                ("coalesced", "a.test", "a.test", "a.test"),
                ("unknown_host", "a.test", "a.test", UNKNOWN),
            ],
        ),
        (None, [("no_sni", "a.test", None, "a.test")]),
        ("b.test", [("other_sni", "a.test", "b.test", "a.test")]),
    ]
    assert [dial.sni for dial in plan(target(), [A4], {}, turn=1)] == [None, "c.test", "a.test"]


def test_each_address_is_dialled_by_itself():
    dials = plan(target(siblings=("a.test",)), [A4, "::1"], {})

    assert [(dial.address, dial.sni) for dial in dials] == [
        (A4, "a.test"),
        (A4, None),
        ("::1", "a.test"),
        ("::1", None),
    ]


@pytest.mark.parametrize(
    "sibling",
    [
        siblings("b.test", addresses=(A5,)),
        siblings("b.test", port=9443),
        siblings("b.test", protocols=()),
        {},
    ],
)
def test_a_sibling_that_lives_elsewhere_is_not_asked_for_on_this_connection(sibling):
    (own, *_) = plan(target(), [A4], sibling)

    assert "coalesced" not in {kind for kind, *_ in asked(own)}


@pytest.mark.parametrize(
    ("protocol", "asked_at"),
    [(Protocol.H2, {A4, A5}), (Protocol.HTTP11, {A5})],
)
def test_a_sibling_that_shares_one_address_is_asked_for_where_some_client_would(protocol, asked_at):
    """Some take any overlap of the two names' addresses; who keeps connections of HTTP/1.1 goes by one address."""
    own = target(protocols=(protocol,))
    known = siblings("b.test", addresses=(A5, "::1"), protocols=(protocol,))

    dials = plan(own, [A4, A5], known)

    assert {dial.address for dial in dials if ("coalesced", "b.test", "a.test", "b.test") in asked(dial)} == asked_at


@pytest.mark.parametrize(("protocol", "asked_at"), [(Protocol.H2, {A5}), (Protocol.H3, {A5}), (Protocol.HTTP11, set())])
def test_a_sibling_that_lives_elsewhere_is_asked_for_where_the_server_claims_it(protocol, asked_at):
    """RFC 8336, section 2.4: clients that go by ORIGIN frames do not ask where the name lives."""
    own = target(protocols=(protocol,))
    elsewhere = Sibling(target("b.test", protocols=(protocol,)), frozenset({"::1"}), claimed_at=frozenset({A5}))

    dials = plan(own, [A4, A5], {"b.test": elsewhere})

    assert {dial.address for dial in dials if ("coalesced", "b.test", "a.test", "b.test") in asked(dial)} == asked_at


def test_settings_choose_the_columns_and_rows():
    only_self = target(snis=("a.test",), hosts=(), sibling_snis=False, sibling_hosts=False)
    named = target(snis=("a.test", "cdn.test"), hosts=("b.test", "www.test"), sibling_snis=False)

    assert [asked(dial) for dial in plan(only_self, [A4], {})] == [[("matched", "a.test", "a.test", "a.test")]]
    hosts = [host for _, _, _, host in asked(plan(named, [A4], siblings("b.test"))[0])]
    assert hosts == ["a.test", "b.test", "a.test", "www.test"]
    assert [dial.sni for dial in plan(named, [A4], {})] == ["a.test", "cdn.test"]


def test_the_port_is_part_of_the_authority_unless_it_is_443():
    assert request_for(target(port=443), "a.test").authority == "a.test"
    assert request_for(target(port=8443), "a.test").authority == "a.test:8443"


def test_a_sibling_is_asked_with_its_own_path_and_fields():
    own = target("a.test", path="/a", user_agent="one")
    other = {"b.test": Sibling(target("b.test", path="/b", method=Method.HEAD, headers=(("X", "y"),)), frozenset({A4}))}

    request = plan(own, [A4], other)[0].asks[1].request

    assert (request.method, request.path, request.headers[-1]) == (Method.HEAD, "/b", ("X", "y"))


def test_secrets_go_to_the_target_s_own_name_only():
    own = target(headers=(("Authorization", Secret("s3cret", "env T")), ("X", "y")))

    assert request_for(own, "a.test").has_secrets
    assert request_for(own, UNKNOWN).headers[2:] == (("X", "y"),)


def test_a_domain_without_an_address_still_has_its_cells():
    assert unanswered(target()) == (
        Probe("a.test", "a.test", "a.test", None),
        Probe("a.test", None, "a.test", None),
        Probe("a.test", "b.test", "a.test", None),
    )


def test_addresses_beyond_the_bound_come_by_rotation():
    bounded = target(max_addresses=1, siblings=("a.test",), snis=("a.test",))

    assert [[dial.address for dial in plan(bounded, [A4, A5], {}, turn)] for turn in range(3)] == [[A4], [A5], [A4]]


names = st.lists(st.from_regex(r"[a-z]{1,6}\.test", fullmatch=True), min_size=1, max_size=30, unique=True)


@given(
    names, st.integers(1, 10), st.integers(0, 1000), st.lists(st.sampled_from([A4, A5, "::1"]), min_size=1, unique=True)
)
def test_each_probe_of_a_round_is_in_exactly_one_dial(group, per_round, turn, addresses):
    targets = {name: target(name, siblings=tuple(group), siblings_per_round=per_round) for name in group}
    known = {name: Sibling(one, frozenset(addresses)) for name, one in targets.items()}

    probes = [ask.probe for one in targets.values() for dial in plan(one, addresses, known, turn) for ask in dial.asks]

    assert len(probes) == len(set(probes)), "also over the rounds of a whole group"
    for one in targets.values():
        for dial in plan(one, addresses, known, turn):
            first, *others = [ask.probe for ask in dial.asks]
            assert (first.connection, first.sni) == (Connection.FRESH, dial.sni)
            assert all((p.connection, p.sni) == (Connection.REUSED, dial.sni) for p in others)


@given(names, st.integers(1, 10), st.integers(0, 1000), st.integers(1, 6), st.integers(1, 4))
def test_every_sibling_meets_every_address_in_the_stated_number_of_rounds(group, per_round, cycle, homes, at_once):
    one = target(group[0], siblings=tuple(group), siblings_per_round=per_round, max_addresses=at_once)
    addresses = [f"127.0.0.{number}" for number in range(homes)]
    known = {name: Sibling(target(name), frozenset(addresses)) for name in group}
    cover = rounds_to_cover(one, homes)

    met, sent, rounds = set(), set(), range(cycle * cover, (cycle + 1) * cover)
    for turn in rounds:
        dials = plan(one, addresses, known, turn)
        met |= {(ask.probe.host, dial.address) for dial in dials for ask in dial.asks}
        sent |= {(dial.sni, dial.address) for dial in dials}
        assert len(siblings_in_turn(one, homes, turn)) <= per_round
        assert len({dial.address for dial in dials}) <= at_once

    assert met >= {(name, address) for name in group for address in addresses}
    assert sent >= {(name, address) for name in group for address in addresses}


def test_siblings_are_asked_for_over_http_2_where_that_is_configured():
    both = target(protocols=(Protocol.HTTP11, Protocol.H2))
    known = {"b.test": Sibling(both, frozenset({A4}))} | siblings("b.test", protocols=both.protocols)

    dials = plan(both, [A4], known)

    assert [(dial.protocol.value, dial.sni, [kind for kind, *_ in asked(dial)]) for dial in dials] == [
        ("http/1.1", "a.test", ["matched", "unknown_host"]),
        ("http/1.1", None, ["no_sni"]),
        ("http/1.1", "b.test", ["other_sni"]),
        ("h2", "a.test", ["matched", "coalesced", "coalesced", "unknown_host"]),
    ]


@given(st.lists(st.integers(), unique=True), st.integers(1, 10), st.integers(0, 100))
def test_a_window_has_no_item_twice(items, size, turn):
    window = rotated(items, size, turn)

    assert len(window) == len(set(window)) == min(size, len(items))


@pytest.mark.parametrize(
    ("sni", "host", "connection", "combination"),
    [
        ("a.test", "a.test", Connection.FRESH, Combination.MATCHED),
        (None, "a.test", Connection.FRESH, Combination.NO_SNI),
        ("b.test", "a.test", Connection.FRESH, Combination.OTHER_SNI),
        ("b.test", "a.test", Connection.REUSED, Combination.COALESCED),
        ("a.test", "a.test", Connection.REUSED, Combination.COALESCED),
        ("a.test", UNKNOWN, Connection.FRESH, Combination.UNKNOWN_HOST),
        ("a.test", UNKNOWN, Connection.REUSED, Combination.UNKNOWN_HOST),
    ],
)
def test_a_probe_s_names_and_connection_say_what_kind_it_is(sni, host, connection, combination):
    probe = Probe("a.test", sni, host, A4, connection=connection)

    assert probe.combination is combination
    assert replace(probe, address=None).combination is combination
