from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.store.query import CursorError, cursor_after, place_of


@given(st.floats(allow_nan=False, allow_infinity=False), st.text("0123456789abcdef", min_size=1, max_size=16))
def test_a_cursor_leads_back_to_its_place(since, identity):
    assert place_of(cursor_after(since, identity)) == (since, identity)


@given(st.text(max_size=250) | st.binary(max_size=60).map(lambda data: data.hex()))
def test_what_is_no_cursor_is_refused_and_nothing_else_happens(text):
    try:
        since, identity = place_of(text)
    except CursorError:
        return
    assert math.isfinite(since)
    assert cursor_after(since, identity) == text


@pytest.mark.parametrize("text", ["", "bmFuIDE", "aW5mIDE", "MS4w", "A" * 201, "ä", "MS4wIGE=", " MS4wIGE"])
def test_these_are_none(text):
    with pytest.raises(CursorError):
        place_of(text)
