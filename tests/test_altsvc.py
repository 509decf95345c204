"""Alt-Svc field values: those of the RFC, those of real servers, and those that nobody should send."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.altsvc import DEFAULT_MAX_AGE, MOST_ALTERNATIVES, Alternative, AltSvc, parse

H3 = Alternative("h3", "", 443)


@pytest.mark.parametrize(
    ("value", "alternatives"),
    [
        pytest.param('h2=":8000"', [Alternative("h2", "", 8000)], id="RFC 7838, section 3: another port"),
        pytest.param('h2="new.example.org:80"', [Alternative("h2", "new.example.org", 80)], id="another host"),
        pytest.param(
            'h2="alt.example.com:8000", h2=":443"',
            [Alternative("h2", "alt.example.com", 8000), Alternative("h2", "", 443)],
            id="in order of preference",
        ),
        pytest.param('h2=":443"; ma=3600', [Alternative("h2", "", 443, 3600)], id="max-age"),
        pytest.param('h2=":443"; ma=2592000; persist=1', [Alternative("h2", "", 443, 2592000, True)], id="persist"),
        pytest.param('w%3Dx%3Ay#z=":1"', [Alternative("w=x:y#z", "", 1)], id="section 3: escaped octets"),
        pytest.param('x%25y=":1"', [Alternative("x%y", "", 1)], id="an escaped percent sign"),
        pytest.param(
            'h3=":443"; ma=86400, h3-29=":443"; ma=86400',
            [Alternative("h3", "", 443, 86400), Alternative("h3-29", "", 443, 86400)],
            id="Google, Cloudflare",
        ),
        pytest.param('h3=":8443";ma=60;v="46,43"', [Alternative("h3", "", 8443, 60)], id="a comma in quotes"),
        pytest.param('h3="A.Test:443"', [Alternative("h3", "a.test", 443)], id="hosts have no case"),
        pytest.param('h3="[2001:DB8::1]:443"', [Alternative("h3", "2001:db8::1", 443)], id="IPv6"),
        pytest.param('h3="a\\.test:4\\43"', [Alternative("h3", "a.test", 443)], id="escapes in quotes"),
        pytest.param(' h3=":443" \t;\tMA="7" ; unknown ; x=y', [Alternative("h3", "", 443, 7)], id="spaces and others"),
        pytest.param(',, h3=":443" ,,', [H3], id="empty members"),
        pytest.param('h3=":443"; persist=0', [H3], id="persist is 1 or nothing"),
        pytest.param('h3=":443"; ma=-1', [H3], id="no number"),
        pytest.param('h3=":443"; ma=²', [H3], id="no ASCII number"),
        pytest.param('h3=":443"; ma=99999999999999999999', [Alternative("h3", "", 443, 2**31)], id="for ever"),
        pytest.param('Clear, h3=":443"', [H3], id="clear has no capital"),
        pytest.param("", [], id="nothing"),
        pytest.param(";;;", [], id="parameters of nothing"),
        pytest.param('h2="a\\', [], id="an escape of nothing"),
        pytest.param("h3=:443", [], id="no quotes"),
        pytest.param('h3="443"', [], id="no colon"),
        pytest.param('h3=":"', [], id="no port"),
        pytest.param('h3=":0"', [], id="port 0"),
        pytest.param('h3=":65536"', [], id="port beyond"),
        pytest.param('h3=":٤٤٣"', [], id="no ASCII port"),
        pytest.param('="a:1"', [], id="no protocol"),
        pytest.param('h 3="a:1"', [], id="no token"),
        pytest.param('h3="user@a.test:443"', [], id="user"),
        pytest.param('h3="a.test/x:443"', [], id="path"),
        pytest.param('h3="a\x00.test:443"', [], id="NUL"),
        pytest.param('h3="bücher.test:443"', [], id="no ASCII"),
        pytest.param('h3=":443', [], id="quotes without end"),
        pytest.param('bad, h3=":443", h2="x', [H3], id="what can be read counts"),
    ],
)
def test_a_value_is_read_as(value, alternatives):
    assert parse([value]) == AltSvc(tuple(alternatives))


def test_several_fields_are_one_list():
    assert parse(['h3=":443"', 'h2=":444"']).alternatives == (H3, Alternative("h2", "", 444))


@pytest.mark.parametrize("values", [["clear"], [" clear "], ['h3=":443"', "clear"], ['clear, h3=":443"']])
def test_clear_takes_everything_back(values):
    assert parse(values) == AltSvc((), clear=True)


def test_without_max_age_it_is_a_day():
    assert parse(['h3=":443"']).alternatives[0].max_age_seconds == DEFAULT_MAX_AGE == 24 * 60 * 60


def test_of_many_alternatives_the_first_count():
    many = ",".join(f'h3=":{port}"' for port in range(1, 1000))

    assert [one.port for one in parse([many]).alternatives] == list(range(1, MOST_ALTERNATIVES + 1))


@pytest.mark.parametrize("piece", ['"', "\\", '"\\', '\\"', ",", ";", "=", 'h3=":', 'h3="a"', "%", 'h3=":443"; ma="'])
def test_hostile_values_take_no_time(piece):
    started = time.process_time()
    parse([piece * 200_000] * 8)

    assert time.process_time() - started < 2.0


@given(st.lists(st.text(alphabet='h3=":;, \\%clearma1[].x\x00é', max_size=80), max_size=3))
def test_whatever_comes_is_read_and_bounded(values):
    read = parse(values)

    assert len(read.alternatives) <= MOST_ALTERNATIVES
    assert all(1 <= one.port <= 65_535 and one.max_age_seconds >= 0 for one in read.alternatives)


@given(
    protocol=st.binary(min_size=1, max_size=8),
    host=st.sampled_from(["", "a.test", "2001:db8::1"]),
    port=st.integers(1, 65_535),
    max_age=st.integers(0, 10**8),
    persist=st.booleans(),
)
def test_what_is_written_by_the_rfc_is_read_back(protocol, host, port, max_age, persist):
    token = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}" for byte in protocol)
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    read = parse([f'{token}="{authority}"; ma={max_age}' + ("; persist=1" if persist else "")])

    assert read.alternatives == (Alternative(protocol.decode("latin-1"), host, port, max_age, persist),)
