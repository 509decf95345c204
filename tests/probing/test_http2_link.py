"""HTTP/2 as bytes in and bytes out: what no server needs to be started for."""

from __future__ import annotations

import pytest

from exporter.model import Method, Request
from exporter.probing.body import MOST_BODY_READ
from exporter.probing.failures import Broken
from exporter.probing.http2_frames import window_update
from exporter.probing.http2_link import Link
from tests.origin2 import (
    ALTSVC,
    DATA,
    END_HEADERS,
    HEADERS,
    ORIGIN,
    PADDED,
    PRIORITY,
    SETTINGS,
    STATUS_200,
    WINDOW_UPDATE,
    frame,
    literal,
)

ORIGIN_OF_A = b"\x00\x0ehttps://a.test"


def taking(*sent: bytes, authority="a.test") -> Link:
    """A link that asked once and took what was sent."""
    link = Link()
    link.ask(Request(Method.GET, authority, "/", ()))
    link.unsent.clear()
    link.feed(frame(SETTINGS) + b"".join(sent))
    while link.take_next():
        pass
    return link


@pytest.mark.parametrize(
    ("sent", "alt_svc"),
    [
        (b"", {}),
        (frame(ALTSVC, payload=ORIGIN_OF_A + b'h3=":443"'), {"https://a.test": 'h3=":443"'}),
        (frame(ALTSVC, stream=1, payload=b'\0\0h3=":443"'), {"https://a.test": 'h3=":443"'}),
        (frame(ALTSVC, payload=b"\0\1xclear") + frame(ALTSVC, payload=b'\0\1xh3=":1"'), {"x": 'h3=":1"'}),
        (frame(ALTSVC, payload=b'\0\0h3=":443"'), {}),
        (frame(ALTSVC, stream=1, payload=ORIGIN_OF_A + b'h3=":443"'), {}),
        (frame(ALTSVC, stream=7, payload=b'\0\0h3=":443"'), {}),
        (frame(ALTSVC, payload=b"\0\1x\xff\0"), {"x": "\xff\0"}),
        (frame(ALTSVC, payload=b"\0\1\x1by"), {"?": "y"}),
        (frame(ALTSVC, payload=b"\0\1x" + b"y" * 16_000), {"x": "y" * 8192}),
    ],
)
def test_altsvc_frames_are_read_by_origin(sent, alt_svc):
    """A frame on stream 0 names its origin, one on another stream has that stream's: RFC 7838, section 4."""
    assert taking(sent).alt_svc == alt_svc


def test_a_connection_speaks_of_so_many_origins_only():
    frames = [frame(ALTSVC, payload=b"\0\2%02dclear" % number) for number in range(50)]

    assert len(taking(*frames).alt_svc) == 20


@pytest.mark.parametrize(
    ("flags", "stream", "origins"), [(0, 0, ("x",)), (0x80, 0, ("x",)), (0x1, 0, None), (0x8, 0, None), (0, 1, None)]
)
def test_an_origin_frame_with_a_flag_for_later_is_passed_over(flags, stream, origins):
    assert taking(frame(ORIGIN, flags, stream, b"\0\1x")).origins == origins


def test_our_window_is_opened_again_when_half_of_it_was_taken():
    piece = frame(DATA, 0, 1, bytes(16_384))
    head = frame(HEADERS, END_HEADERS, 1, STATUS_200)

    assert frame(WINDOW_UPDATE)[3:4] not in taking(head, piece * 32).unsent[9:], "but for the acknowledgement"
    assert taking(head, piece * 33).unsent.endswith(window_update(0, 33 * 16_384))


def test_a_server_that_sends_more_than_our_window_is_wrong():
    head, body = frame(HEADERS, END_HEADERS, 1, STATUS_200), frame(DATA, 0, 1, bytes(16_384))

    assert taking(head, body * (MOST_BODY_READ // 16_384)).answer.body.is_enough
    with pytest.raises(Broken, match="window"):
        taking(head, body * (MOST_BODY_READ // 16_384), frame(DATA, 0, 1, b"x"))


@pytest.mark.parametrize(
    "sent",
    [
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\2" + STATUS_200 + b"\0\0"),
        frame(HEADERS, END_HEADERS | 0x20, 1, b"\0\0\0\0\x10" + STATUS_200),
        frame(HEADERS, END_HEADERS | PADDED | 0x20, 1, b"\1\0\0\0\0\x10" + STATUS_200 + b"\0"),
        frame(PRIORITY, stream=9, payload=bytes(5)) + frame(HEADERS, END_HEADERS, 1, STATUS_200),
    ],
)
def test_padding_and_priorities_are_passed_over(sent):
    assert taking(sent).answer.has_headers


@pytest.mark.parametrize("lengths", [(b"5", b"5"), (b"5", b"6")])
def test_a_length_that_is_said_twice_must_be_the_same(lengths):
    fields = b"".join(literal(b"content-length", length) for length in lengths)
    sent = frame(HEADERS, END_HEADERS, 1, STATUS_200 + fields)

    if lengths[0] == lengths[1]:
        assert taking(sent).answer.has_headers
    else:
        with pytest.raises(Broken, match="Content-Length"):
            taking(sent)


def test_no_answer_switches_protocols():
    with pytest.raises(Broken, match="101"):
        taking(frame(HEADERS, END_HEADERS, 1, literal(b":status", b"101")))
