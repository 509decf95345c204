import time

import pytest

from exporter.patterns import fault_of, is_found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [("b+", "abbc", True), ("^b", "abbc", False), ("(?i)HELLO", "say hello", True), ("é", "caf\u00e9", True)],
)
def test_a_pattern_is_searched_for_anywhere(pattern, text, found):
    assert fault_of(pattern) is None
    assert is_found(pattern, text) is found


def test_what_re2_cannot_compile_is_told_in_its_words_and_not_printed(capfd):
    assert fault_of("a(") == "missing ): a("
    assert capfd.readouterr() == ("", "")


def test_a_hostile_text_cannot_make_a_pattern_run_away():
    """The classic of backtracking engines: exponential there, linear in RE2."""
    started = time.perf_counter()

    assert not is_found("^(a+)+$", "a" * 60_000 + "!")
    assert time.perf_counter() - started < 5
