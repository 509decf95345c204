"""Which names belong to one site: browsers share less between sites. The only home of publicsuffixlist."""

from __future__ import annotations

from functools import lru_cache

from publicsuffixlist import PublicSuffixList

_SUFFIXES = PublicSuffixList()  # the list that the library brings along; reading it takes some 60 ms, once


@lru_cache(maxsize=20_000)
def site_of(name: str) -> str:
    """The registrable domain of a name in A-label form; a name that is itself a public suffix stands for itself.

    >>> site_of("a.shop.example"), site_of("a.shop.co.uk"), site_of("a.github.io"), site_of("co.uk")
    ('shop.example', 'shop.co.uk', 'a.github.io', 'co.uk')
    """
    return _SUFFIXES.privatesuffix(name) or name


def is_same_site(one: str, other: str) -> bool:
    """Whether browsers take two names of one scheme for one site (HTML, section 7.1.1.1: "same site").

    >>> is_same_site("a.shop.example", "b.shop.example"), is_same_site("a.github.io", "b.github.io")
    (True, False)
    """
    return site_of(one) == site_of(other)
