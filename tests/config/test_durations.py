"""Durations as Prometheus writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.durations import MAX_SECONDS, parse, parse_interval, parse_seconds, render

UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


@given(milliseconds=st.integers(1, MAX_SECONDS * 1000))
def test_rendering_and_parsing_are_inverse(milliseconds: int) -> None:
    assert parse(render(milliseconds / 1000)) == milliseconds / 1000


@given(milliseconds=st.integers(1, MAX_SECONDS * 1000))
def test_units_add_up(milliseconds: int) -> None:
    text, rest = "", milliseconds
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""

    assert parse(text) == milliseconds / 1000


@pytest.mark.parametrize(("text", "seconds"), [("1w", 604_800), ("1y", 31_536_000), ("1h30m", 5400), ("0h5s", 5)])
def test_units_are_those_of_prometheus(text: str, seconds: float) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "value", ["", "0", "0s", "5", "-5s", "1.5s", "1s1m", "1s1s", "1S", " 1s", "1s\n", "٣s", "9999y", 60, None, True]
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^must (not )?be "):
        parse(value)


def test_an_interval_is_at_least_a_second() -> None:
    assert parse_interval("1s") == 1.0
    with pytest.raises(ValueError, match="at least 1s"):
        parse_interval("999ms")


@given(number=st.floats(min_value=1e-9, max_value=MAX_SECONDS) | st.integers(1, MAX_SECONDS))
def test_bare_numbers_are_seconds_where_they_are_allowed(number: float) -> None:
    assert parse_seconds(number) == number


@pytest.mark.parametrize("value", [0, -1, True, float("nan"), float("inf"), MAX_SECONDS + 1])
def test_bare_numbers_are_bounded(value: object) -> None:
    with pytest.raises(ValueError, match=r"^must (not )?be "):
        parse_seconds(value)
