"""Which names belong to one site: browsers share less between sites. The only home of publicsuffixlist."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    """The list that the library brings along: some 60 ms and 2 to 4 MB, where two names are compared at all."""
    return PublicSuffixList()


@lru_cache(maxsize=20_000)
def site_of(name: str) -> str:
    """The registrable domain of a name in A-label form; a name that is itself a public suffix stands for itself.

    >>> site_of("a.shop.example"), site_of("a.shop.co.uk"), site_of("a.github.io"), site_of("co.uk")
    ('shop.example', 'shop.co.uk', 'a.github.io', 'co.uk')
    """
    return _suffixes().privatesuffix(name) or name


def is_same_site(one: str, other: str) -> bool:
    """Whether browsers take two names of one scheme for one site (HTML, section 7.1.1.1: "same site").

    >>> is_same_site("a.shop.example", "b.shop.example"), is_same_site("a.github.io", "b.github.io")
    (True, False)
    """
    return site_of(one) == site_of(other)
