from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model import Stage
from exporter.store import Query
from exporter.web import asking
from exporter.web.asking import AskedError, Parameters
from tests.factories import NOON

KNOWN = asking.INCIDENT_FILTERS | {"limit", "cursor"}


def query(*pairs):
    return asking.incidents(Parameters(pairs, KNOWN, KNOWN), NOON)


def test_nothing_asks_for_everything():
    assert query() == query(("domain", ""), ("state", "")) == Query()


def test_every_filter_becomes_a_part_of_the_query():
    found = query(
        ("domain", "Shop.Test."), ("code", "421"), ("cause", "vhost-missing"), ("state", "resolved"),
        ("since", "1h"), ("until", str(NOON)), ("limit", "5"), ("cursor", "abc"),
    )  # fmt: skip

    assert found == Query("shop.test", 421, "vhost-missing", Stage.RESOLVED, NOON - 3600, NOON, 5, "abc")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("1700000000", NOON),
        ("1700000000.5", NOON + 0.5),
        ("0", 0.0),
        ("2023-11-14T22:13:20Z", NOON),
        ("2023-11-14T23:13:20+01:00", NOON),
        ("2023-11-14T22:13:20", NOON),
        ("90m", NOON - 5400),
        ("2w", NOON - 1_209_600),
    ],
)
def test_times_are_unix_or_rfc_3339_or_so_long_ago(written, at):
    assert asking.moment(NOON)(written) == at


@given(st.text(max_size=60))
def test_whatever_is_asked_is_understood_or_complained_about(value):
    for name in sorted(KNOWN):
        try:
            query((name, value))
        except AskedError as error:
            assert error.parameter == name  # noqa: PT017  # either is fine


@given(st.text(max_size=60))
def test_a_parameter_that_is_not_known_is_named_only_where_that_can_be_read(name):
    if name in KNOWN:
        return
    with pytest.raises(AskedError) as caught:
        query((name, "x"))

    assert caught.value.parameter in {name, "this one"}
    assert caught.value.parameter.isprintable()
