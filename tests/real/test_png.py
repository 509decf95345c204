"""A text is found again in a picture, which stays one."""

from __future__ import annotations

import zlib

from tests.real.png import SIGNATURE, described, description, size, written

HEADER = written(b"IHDR", b"\0\0\0\3\0\0\0\2\10\0\0\0\0")
ROWS = written(b"IDAT", zlib.compress(b"\0\1\2\3" * 2))
END = written(b"IEND", b"")
PICTURE = SIGNATURE + HEADER + ROWS + END


def test_a_text_is_found_again_whatever_its_letters():
    assert description(described(PICTURE, "421 ✕\nconnexion refusée")) == "421 ✕\nconnexion refusée"


def test_a_picture_without_a_text_says_nothing():
    assert description(PICTURE) == ""


def test_all_else_of_the_picture_stays_as_it_was():
    made = described(PICTURE, "x")

    assert made.startswith(SIGNATURE + HEADER + ROWS)
    assert made.endswith(END)
    assert size(made) == (3, 2)


def test_a_chunk_carries_the_checksum_that_the_format_asks_for():
    """Of the chunk that ends every PNG it is well known."""
    assert END == b"\0\0\0\0IEND\xae\x42\x60\x82"
