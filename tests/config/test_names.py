"""Domain names as they go over the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import UNKNOWN_HOST, domain_name
from exporter.config.names import host_name, sni_name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Shop.Example.COM", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        ("shop。example。com。", "shop.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("r3---sn-abc.example", "r3---sn-abc.example"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("localhost", "localhost"),
        ("1.example", "1.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (UNKNOWN_HOST, UNKNOWN_HOST),
    ],
)
def test_names_are_brought_into_one_form(given_name: str, name: str) -> None:
    assert domain_name(given_name) == name
    assert domain_name(name) == name


@given(text=st.text() | st.from_regex(r"\A[a-zA-Z0-9ßüé。._-]{1,80}\Z"))
def test_a_name_is_refused_or_can_be_sent(text: str) -> None:
    try:
        name = domain_name(text)
    except ValueError:
        return

    assert name.isascii()
    assert name == name.lower()
    assert len(name) <= 253
    assert all(0 < len(label) <= 63 for label in name.split("."))
    assert domain_name(name) == name


def test_words_of_sni_and_host_are_kept() -> None:
    assert [sni_name(word) for word in ("self", "siblings", "none")] == ["self", "siblings", "none"]
    assert [host_name(word) for word in ("self", "siblings", "unknown")] == ["self", "siblings", "unknown"]
