"""Header sections are read as the library reads them: held against it on whatever an encoder, or chance, may write."""

from __future__ import annotations

import re

import pytest
from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from hypothesis import given
from hypothesis import strategies as st

from exporter.probing.bounds import MOST_HEADER_BYTES
from exporter.probing.failures import Broken
from exporter.probing.hpack import FieldReader

names = st.sampled_from([b":status", b"server", b"set-cookie", b"x-a", b"x-long-name-of-a-field"])
values = st.one_of(st.sampled_from([b"", b"200", b"nginx", b"a=1; Path=/"]), st.binary(max_size=300))
sections = st.lists(st.lists(st.tuples(names, values), max_size=12), max_size=6)


@given(sections, st.booleans(), st.sampled_from([4096, 100, 0]))
def test_what_an_encoder_writes_is_read_section_by_section(headers, huffman, table_size):
    encoder, reader = Encoder(), FieldReader()
    encoder.header_table_size = table_size

    for fields in headers:
        assert reader.read(encoder.encode(fields, huffman=huffman)) == fields


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_read_or_refused_as_by_the_library(blocks):
    library, reader = Decoder(max_header_list_size=MOST_HEADER_BYTES), FieldReader()

    for block in blocks:
        try:
            read = [(bytes(name), bytes(value)) for name, value in library.decode(block, raw=True)]
        except (HPACKError, IndexError):
            with pytest.raises(Broken):
                reader.read(block)
            return  # the connection is over
        if not has_long_integer(block):
            assert reader.read(block) == read
        else:
            return


def has_long_integer(block: bytes) -> bool:
    """Whether an integer may be written with zeros in front, without end: those of the library only."""
    return re.search(rb"[\x80-\xff]{6}", block) is not None


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [(b"custom-key", b"custom-header")]),
        ("040c2f73616d706c652f70617468", [(b":path", b"/sample/path")]),
        ("100870617373776f726406736563726574", [(b"password", b"secret")]),
        ("82", [(b":method", b"GET")]),
    ],
)
def test_the_examples_of_rfc_7541_appendix_c_2(section, fields):
    assert FieldReader().read(bytes.fromhex(section)) == fields


def test_the_responses_of_rfc_7541_appendix_c_6_share_a_table():
    """Huffman codes, and references to what was before."""
    reader = FieldReader()
    first = (
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3"
    )
    date = b"Mon, 21 Oct 2013 20:13:21 GMT"
    rest = [(b"cache-control", b"private"), (b"date", date), (b"location", b"https://www.example.com")]

    assert reader.read(bytes.fromhex(first)) == [(b":status", b"302"), *rest]
    assert reader.read(bytes.fromhex("4883640effc1c0bf")) == [(b":status", b"307"), *rest]


@pytest.mark.parametrize("size", [65_536 - 32 - 1, 65_536 - 32])
def test_a_list_of_fields_has_a_bound(size):
    section = Encoder().encode([(b"a", b"x" * size)], huffman=False)

    if size + 33 <= MOST_HEADER_BYTES:
        assert len(FieldReader().read(section)) == 1
    else:
        with pytest.raises(Broken) as broken:
            FieldReader().read(section)
        assert broken.value.kind == "headers-too-big"
