"""Which names browsers take for one site."""

from __future__ import annotations

import pytest

from exporter.sites import is_same_site, site_of


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("shop.example", "shop.example"),
        ("a.b.shop.example", "shop.example"),
        ("a.shop.co.uk", "shop.co.uk"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("a.github.io", "a.github.io"),
        ("b.a.github.io", "a.github.io"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("a.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("a.shop.no-such-suffix", "shop.no-such-suffix"),
    ],
)
def test_the_site_of_a_name_is_its_registrable_domain(name, site):
    """The rows are those of the list's own test vectors, and of names without a rule."""
    assert site_of(name) == site


def test_customers_of_one_hoster_are_sites_of_their_own():
    assert not is_same_site("a.github.io", "b.github.io")
    assert is_same_site("a.shop.example", "shop.example")
