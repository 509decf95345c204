"""Single answers, and what they are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.diagnosis.samples import answer_of, is_right, page, relayed, same_kind, same_page
from exporter.model import Expect, Phase, Protocol, StatusRange
from tests.diagnosis.cases import apache, failed, nginx, response, seen, target


@pytest.mark.parametrize(
    ("one", "word", "right"),
    [
        (seen(), "200", True),
        (seen(404), "404", False),
        (seen(399), "399", True),
        (failed(Phase.CONNECT, "refused"), "connect refused", False),
        (failed(Phase.TRANSFER, "truncated", response=response()), "transfer truncated", False),
        (replace(seen(), response=None, page=None), "no answer", False),
    ],
)
def test_a_word_for_what_came_and_whether_it_is_right(one, word, right):
    assert (answer_of(one), is_right(target(), one)) == (word, right)


def test_what_is_right_is_what_the_target_expects():
    teapot = target(expect=Expect(status=(StatusRange(418, 418),)))

    assert [is_right(teapot, seen(status)) for status in (200, 418)] == [False, True]


def test_pages_are_the_same_by_status_and_words_and_of_one_kind_by_structure():
    one, other = (seen(response(404, f"<h1>{word}</h1>")) for word in ("rose", "lily"))
    elsewhere = seen(response(404, "<p>rose</p>"))

    assert (same_page(one, one), same_page(one, other)) == (True, False)
    assert (same_kind(one, other), same_kind(one, elsewhere)) == (True, False)
    assert not same_page(one, failed(Phase.CONNECT, "refused"))


def test_a_page_whose_body_is_gone_is_unknown_unless_it_was_made_out_before():
    forgotten = replace(seen(), page=None, response=replace(response(), body=b""))

    assert page(forgotten) is None
    assert page(replace(forgotten, response=response(204, b""))) is not None
    assert page(replace(seen(), response=forgotten.response)) is not None


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (seen(apache(421, server="nginx")), True),
        (seen(apache(421, server="nginx"), protocol=Protocol.H2), True),
        (seen(nginx(404)), False),
        (seen(apache(421), connection_survived=False), False),
        (seen(apache(421), connection_survived=True), True),
        (seen(apache(421), connection_survived=True, protocol=Protocol.H2), False),
        (seen(apache(421, server="")), None),
        (seen(response(404)), None),
        (failed(Phase.CONNECT, "refused"), None),
    ],
)
def test_an_error_comes_from_behind_by_page_and_field_or_by_a_connection_that_survives(one, expected):
    assert relayed(one) is expected
