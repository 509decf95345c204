from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.web import words


def test_the_examples_of_the_room_hold():
    assert doctest.testmod(words).failed == 0


@given(st.text(max_size=2000), st.integers(10, 300))
def test_a_line_is_one_printable_bounded_line(text, most):
    found = words.line(text, most)

    assert found.isprintable()
    assert len(found) <= most


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\x1b[31m\x00", "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"),
        ("\u202egnp.exe", "\N{REPLACEMENT CHARACTER}gnp.exe"),
        (" a\n\n b ", "a b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_would_hide_or_turn_the_text_is_replaced(written, shown):
    assert words.line(written) == shown


@given(st.floats())
def test_every_number_is_some_moment(at):
    assert words.moment(at).endswith(" UTC")
    assert words.iso(at).endswith("Z")
