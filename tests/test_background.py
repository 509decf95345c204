"""Servers in a thread of their own end whole, whatever their clients are at."""

from __future__ import annotations

import gc
import socket
import ssl
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from tests.background import in_background
from tests.real.firefox import name_server


@pytest.fixture
def certificate(ca, tmp_path):
    path = tmp_path / "certificate.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def test_no_connection_outlives_its_server(ca, certificate):
    context = ssl.create_default_context()
    ca.configure_trust(context)

    with in_background(name_server({}, certificate)) as uri:
        place = ("127.0.0.1", urlsplit(uri).port)
        midway = socket.create_connection(place)
        midway.send(b"\x16\x03\x01\x02\x00\x01")  # the head of a ClientHello
        # This one's handshake is done, so the one before it has been accepted.
        idle = context.wrap_socket(socket.create_connection(place), server_hostname="127.0.0.1")
    gc.collect()  # a transport that is left warns here, and warnings are errors

    with midway, idle:
        assert midway.recv(1) == idle.recv(1) == b""


def test_what_fails_at_the_door_fails_in_the_test():
    @asynccontextmanager
    async def broken():
        raise OSError("taken")
        yield

    with pytest.raises(OSError, match="taken"), in_background(broken()):
        pass
