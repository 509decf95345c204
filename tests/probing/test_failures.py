import errno
import socket
import ssl

import pytest

from exporter.model import Failure, Phase
from exporter.probing.failures import ALERTS, Broken, alert_of, failure_of, printable


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused", "Connection refused"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "reset", "Connection reset by peer"),
        (ConnectionResetError("Connection lost"), "reset", "Connection lost"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "reset", "Broken pipe"),
        (TimeoutError(), "timeout", ""),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "timeout", "Connection timed out"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "unreachable", "Network is unreachable"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "unreachable", "No route to host"),
        (Broken("not-http", "it spoke SSH"), "not-http", "it spoke SSH"),
    ],
)
def test_what_broke_has_one_kind_in_every_phase(error, kind, detail):
    for phase in Phase:
        assert failure_of(phase, error) == Failure(phase, kind, detail)


def test_what_nobody_foresaw_is_internal_and_logged_with_its_trace(caplog):
    failure = failure_of(Phase.TLS, KeyError("x"))

    assert failure == Failure(Phase.TLS, "internal", "KeyError: 'x'")
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    ("reason", "alert"),
    [
        ("tlsv1 unrecognized name", "unrecognized_name"),
        ("sslv3 alert handshake failure", "handshake_failure"),
        ("tlsv1 alert internal error", "internal_error"),
        ("tlsv13 alert certificate required", "certificate_required"),
        ("tlsv1 alert user cancelled", "user_canceled"),
        ("tlsv1 something new", None),
        ("wrong version number", None),
        ("", None),
    ],
)
def test_an_alert_has_the_name_of_the_rfc(reason, alert):
    assert alert_of(reason) == alert


def test_every_alert_that_openssl_can_report_is_known():
    """Each alert record that a server may send, read by the OpenSSL of this very interpreter."""
    for number, name in ALERTS.items():
        if name in _NOT_AN_ERROR:
            continue
        assert _failure_after_alert(number) == Failure(Phase.TLS, "alert", name)


_NOT_AN_ERROR = {
    "close_notify",  # the end of the connection, in order
    "user_canceled",  # a warning, whatever its level says (RFC 8446, section 6.1)
    "no_renegotiation",  # likewise
}


def _failure_after_alert(number: int) -> Failure:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    incoming.write(bytes([21, 3, 3, 0, 2, 2, number]))  # a fatal alert record: RFC 8446, sections 5.1 and 6
    with pytest.raises(ssl.SSLError) as caught:
        session.do_handshake()
    return failure_of(Phase.TLS, caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("a\x1b[31mred\nline\x00", "a?[31mred?line?"),
        ("\u202egnirts", "?gnirts"),
        ("x" * 500, "x" * 197 + "..."),
    ],
)
def test_what_a_server_wrote_is_one_bounded_printable_line(text, line):
    assert printable(text) == line


def test_the_resolver_of_the_system_is_not_asked_here():
    """gaierror is an OSError with numbers of its own: it must not be taken for one of errno's."""
    assert failure_of(Phase.CONNECT, socket.gaierror(socket.EAI_NONAME, "unknown")).kind == "internal"
