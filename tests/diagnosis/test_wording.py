"""How findings speak."""

from __future__ import annotations

import doctest

import pytest

from exporter.diagnosis import wording
from exporter.diagnosis.wording import MOST_CHARACTERS, asked, bounded, lines, names, page_told, said_by, told, where
from exporter.model import Connection, Phase, Protocol
from tests.diagnosis.cases import API, ONE, SHOP, TWO, apache, evidence, failed, nginx, response, seen

H2 = Protocol.H2


def test_the_examples_hold():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen(404), f"SNI={SHOP} Host={SHOP} at {ONE} over http/1.1: 404"),
        (seen(sni=None), f"no SNI Host={SHOP} at {ONE} over http/1.1: 200"),
        (
            seen(421, sni=API, connection=Connection.REUSED, protocol=H2),
            f"SNI={API} Host={SHOP} at {ONE} over h2 on {API}'s connection: 421",
        ),
        (
            failed(Phase.RESOLVE, "nxdomain", address=None),
            f"SNI={SHOP} Host={SHOP} at no address over http/1.1: resolve nxdomain",
        ),
    ],
)
def test_a_line_names_all_that_was_asked_and_what_came(one, words):
    assert told(one) == words
    assert asked(one.probe) == words.rpartition(": ")[0]


@pytest.mark.parametrize(
    ("observations", "words"),
    [
        ([seen(404)], ""),
        ([seen(), seen(404, address=TWO)], f" at {TWO}, not at {ONE}"),
        ([seen(), seen(421, protocol=H2)], " over h2 only"),
        ([seen(), seen(502), seen()], " in 1 of 3 answers"),
    ],
)
def test_where_in_the_matrix_it_is_wrong(observations, words):
    assert where(evidence(*observations)) == words


def test_long_lists_are_cut_and_counted():
    assert names("abcdefgh") == "a, b, c, d and 4 more"
    assert names("abcde") == "a, b, c, d and e"
    assert names([]) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (nginx(404), "nginx"),
        (apache(421, server="nginx"), "Apache httpd, behind nginx"),
        (response(404, "our own words"), "a page that no known server makes"),
        (response(404, ""), "an empty page"),
    ],
)
def test_who_said_it(answer, words):
    assert said_by(evidence(seen(answer))) == words


def test_whose_page_it_is_is_a_sentence():
    pages = (nginx(404), apache(421, server="nginx"), response(404, "our own words"), response(404, ""))

    assert [page_told(evidence(seen(one))) for one in pages] == [
        "the page is by nginx",
        "the page is by Apache httpd, behind nginx",
        "no known server makes such a page",
        "the page is empty",
    ]


def test_lines_are_told_once_and_only_so_many():
    assert len(lines([seen(404)] * 9)) == 1
    assert len(lines([seen(status) for status in range(400, 420)])) == 6


@pytest.mark.parametrize("text", ["x" * 5000, "\x1b]0;x\x07" * 900, "\ud800", "a\nb\tc\r\x85\u2028\u202e", "ü"])
def test_a_line_is_bounded_and_printable(text):
    line = bounded(text)

    assert len(line) <= MOST_CHARACTERS
    assert line.isprintable()


def test_a_line_that_fits_stays_as_it_is():
    assert bounded("täuschend «echt» " * 9) == "täuschend «echt» " * 9
