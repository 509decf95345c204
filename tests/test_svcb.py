"""HTTPS records: which of them say where HTTP/3 is spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.svcb import Binding, places

H3 = b"\x02h3"


def record(priority=1, target="", owner="a.test", **parameters) -> Binding:
    numbers = {"mandatory": 0, "alpn": 1, "port": 3, "ipv4hint": 4, "ech": 5, "unknown": 99}
    return Binding(owner, priority, target, {numbers[name]: value for name, value in parameters.items()})


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], []),
        ([record(alpn=H3)], [("a.test", 443)]),
        ([record(alpn=b"\x02h2" + H3)], [("a.test", 443)]),
        ([record(alpn=b"\x02h2")], []),
        ([record()], []),
        ([record(alpn=H3, port=b"\x20\xfb")], [("a.test", 8443)]),
        ([record(alpn=H3, port=b"\0\0")], []),
        ([record(alpn=H3, target="B.test")], [("b.test", 443)]),
        ([record(2, "then.test", alpn=H3), record(1, "soon.test", alpn=H3)], [("soon.test", 443), ("then.test", 443)]),
        ([record(alpn=H3), record(2, alpn=H3)], [("a.test", 443)]),
        ([record(0, "alias.test")], []),
        ([record(0, "alias.test", alpn=H3)], []),
        ([record(alpn=H3, target="b test\r\n")], []),
        ([record(alpn=H3, target="b'\\xff'")], []),
        ([record(alpn=H3, owner="cname.test")], [("a.test", 443)]),
        ([record(alpn=H3, mandatory=b"\0\1\0\3", port=b"\x01\xbb")], [("a.test", 443)]),
        ([record(alpn=H3, mandatory=b"\0\x63", unknown=b"x")], []),
        ([record(alpn=H3, mandatory=b"\0\5", ech=b"x")], []),
        ([record(alpn=H3, ech=b"x", ipv4hint=bytes(4))], [("a.test", 443)]),
        ([record(alpn=b"\xffh3")], []),
        ([record(alpn=b"\0\0\0" + H3)], [("a.test", 443)]),
    ],
)  # fmt: skip
def test_records_that_are_for_http_3_in_order_of_preference(records, found):
    assert places(records, "a.test", 443) == tuple(found)


def test_the_records_of_another_port_stand_at_a_name_of_their_own_which_they_mean_too():
    """RFC 9460, sections 2.5.2 and 9.1."""
    owner = "_8443._https.a.test"

    assert places([record(alpn=H3, owner=owner)], "a.test", 8443) == ((owner, 8443),)
    assert places([record(alpn=H3, owner=owner, target="a.test")], "a.test", 8443) == (("a.test", 8443),)


@given(st.dictionaries(st.integers(0, 8), st.binary(max_size=20)))
def test_whatever_the_parameters_hold_it_is_read(parameters):
    for _, port in places([Binding("a.test", 1, "", parameters)], "a.test", 443):
        assert port > 0
