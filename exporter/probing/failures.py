"""The one table that turns what broke into a `Failure`: kinds hold across phases and protocols.

| kind | phase | what happened |
|---|---|---|
| nxdomain no-data servfail dns-refused dns-error | resolve | what the name servers said |
| dns-unreachable | resolve | this machine's name servers cannot be reached |
| refused | connect, tls | nothing listens at the port (RST, over QUIC ICMP), or a firewall says so |
| no-route | connect | this machine has no route to the address: no packet was sent |
| unreachable | connect | the network on the way says that the address cannot be reached |
| timeout | any | nothing came in time |
| slow | processing, transfer | something came in time, but not the whole of it; detail says how much (HTTP/1.1) |
| reset | any | the connection was reset |
| closed | tls, processing | the connection was closed where an answer was due |
| alert | tls, processing | the server sent a fatal TLS alert; detail is its name (RFC 8446, section 6) |
| plain-http | tls | the port answers a TLS hello in plain HTTP |
| not-tls | tls | the port answers a TLS hello with something else |
| handshake | tls | the handshake failed at our side; detail says why |
| alpn | tls | the server selected a protocol that was not offered or not asked for |
| not-http | processing | the answer is not HTTP |
| headers-too-big | processing | the header section exceeds our bound |
| quic-error | any after connect | the server ended the QUIC connection; detail is the code (RFC 9000, section 20.1) |
| h3-error | processing, transfer | the server ended the HTTP/3 connection; detail is the code (RFC 9114, section 8.1) |
| protocol-error | any after connect | the server broke HTTP/2, HTTP/3 or QUIC; detail says how |
| stream-reset | processing, transfer | the server reset the request's stream; detail is the code |
| goaway | processing, transfer | the server ended the connection with GOAWAY; detail is the code |
| truncated | transfer | the body ended before its announced end |
| malformed | transfer | the body's framing (chunks) is broken |
| not-covered | processing | the connection's certificate does not cover the name, so no client would ask there |
| not-reused | processing | the server closes its connection after each answer, so nothing can be asked second |
| not-asked | processing | the time for this connection was used up by earlier requests on it |
| internal | any | a fault of ours; the log has its trace |
"""

from __future__ import annotations

import errno
import logging
import re
import ssl

from exporter.model import Failure, Phase

logger = logging.getLogger(__name__)

_LONGEST_DETAIL = 200  # characters; a line in a log or on a page

ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
"""TLS alert descriptions by number (RFC 8446, section 6; RFC 6066 for 111-114)."""

_KINDS_BY_ERRNO = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.EINVAL: "unreachable",  # Linux, for an address that cannot be routed, such as 0.x or a bare fe80::
    errno.EACCES: "unreachable",  # a local firewall or a broadcast address
    errno.EPERM: "unreachable",
}


class Broken(Exception):  # noqa: N818  # an event on the wire, not an error of ours
    """Raised by the probing rooms for what they recognise themselves; the clock adds the phase."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


def failure_of(phase: Phase, error: BaseException) -> Failure:
    """The failure that `error` means in `phase`. What no row knows is `internal`, and logged with its trace."""
    kind, detail = _kind_and_detail(error)
    if kind == "internal":
        logger.error("probe broke in a way that nobody foresaw", exc_info=error)
    return Failure(phase, kind, printable(detail))


def _kind_and_detail(error: BaseException) -> tuple[str, str]:
    match error:
        case Broken():
            return error.kind, error.detail
        case TimeoutError() if error.errno is None:
            return "timeout", ""
        case ssl.SSLError():
            return _kind_of_tls(error)
        case OSError() if error.errno in _KINDS_BY_ERRNO:
            return _KINDS_BY_ERRNO[error.errno], error.strerror or ""
        case ConnectionError():
            return "reset", str(error)
        case _:
            return "internal", f"{type(error).__name__}: {error}"


def _kind_of_tls(error: ssl.SSLError) -> tuple[str, str]:
    message = str(error.args[-1])
    found = _REASON.search(message)
    reason = found[1] if found else message
    alert = alert_of(reason)
    return ("alert", alert) if alert is not None else ("handshake", reason)


_REASON = re.compile(r"\] (.*) \(_ssl\.c:\d+\)")
"""OpenSSL's own text within Python's. `SSLError.reason` has it as one word, but not for what Python's table lacks."""
_ALERT_PREFIXES = ("tlsv13 alert ", "tlsv1 alert ", "sslv3 alert ", "tlsv1 ")
_ALERT_NAMES = {name: name for name in ALERTS.values()} | {"user_cancelled": "user_canceled"}


def alert_of(reason: str) -> str | None:
    """The alert that OpenSSL's reason speaks of, by its RFC name; None where it speaks of something else.

    OpenSSL's texts begin with the version that introduced the alert (`ssl/ssl_err.c`).

    >>> alert_of("tlsv1 unrecognized name"), alert_of("sslv3 alert handshake failure"), alert_of("wrong version number")
    ('unrecognized_name', 'handshake_failure', None)
    """
    for prefix in _ALERT_PREFIXES:
        if reason.startswith(prefix):
            return _ALERT_NAMES.get(reason.removeprefix(prefix).replace(" ", "_"))
    return None


def printable(text: str) -> str:
    """One bounded line without control characters: whatever a server wrote into it cannot reach a terminal."""
    line = "".join(character if character.isprintable() else "?" for character in text[: _LONGEST_DETAIL + 1])
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 3] + "..."
