"""A server on OpenSSL that asks for client certificates and did not name its sessions.

`nameless_sessions.py ADDRESS PORT PEM [NAME]`: OpenSSL then refuses to resume any, see
SSL_CTX_set_session_id_context(3): a visitor who comes back gets an alert. With a NAME it is mended.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading

from OpenSSL import SSL

PAGE = b"<title>well</title>"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n%s" % (
    len(PAGE),
    PAGE,
)
MOST_OF_A_HEAD = 65_536


def context_of(pem: str, name: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(pem)
    context.use_privatekey_file(pem)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    if name:
        context.set_session_id(name)
    return context


def converse(connection: SSL.Connection) -> None:
    try:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MOST_OF_A_HEAD:
            head += connection.recv(4096)
        connection.sendall(ANSWER)
        connection.shutdown()
    except SSL.Error:
        pass  # whoever asked has gone, or was refused
    finally:
        connection.close()


def serve(address: str, port: int, pem: str, name: str = "") -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    context = context_of(pem, name.encode())
    with socket.create_server((address, port)) as listener:
        while True:
            accepted, _ = listener.accept()
            connection = SSL.Connection(context, accepted)
            connection.set_accept_state()
            threading.Thread(target=converse, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    where, number, certificate, *rest = sys.argv[1:]
    serve(where, int(number), certificate, *rest)
