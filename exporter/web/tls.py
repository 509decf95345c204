"""The certificate that this exporter shows to who asks it, renewed without a restart."""

from __future__ import annotations

import contextlib
import logging
import ssl
from pathlib import Path

from exporter.config import ClientAuth, TlsServer, TlsVersion

logger = logging.getLogger(__name__)

_VERIFIES = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
_VERSIONS = {TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3}

_State = tuple[tuple[int, int, int], ...]


class Certificate:
    """The context of the listening sockets; what it shows follows the files.

    Raises ValueError and OSError where they cannot be used at the start.
    """

    def __init__(self, tls: TlsServer) -> None:
        self._tls = tls
        self._state = self._files()
        self.context = _context(tls)

    def follow(self) -> None:
        """Show what is in the files by now, if that has changed; what cannot be used is told once."""
        with contextlib.suppress(FileNotFoundError):  # between the two halves of a renewal
            state = self._files()
            if state == self._state:
                return
            self._state = state
            self._renew()

    def _renew(self) -> None:
        try:
            _context(self._tls)  # apart at first: half a renewal must not break what is shown now
            self.context.load_cert_chain(self._tls.cert_file, self._tls.key_file, password="")
        except (OSError, ValueError) as error:
            logger.error("web: %s cannot be used: %s; the last certificate is kept", self._tls.cert_file, error)
        else:
            logger.info("web: the certificate was renewed from %s", self._tls.cert_file)

    def _files(self) -> _State:
        found = (Path(name).stat() for name in (self._tls.cert_file, self._tls.key_file))
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


def _context(tls: TlsServer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.set_alpn_protocols(["http/1.1"])
    # Without a password OpenSSL would ask for one at the terminal.
    context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    context.verify_mode = _VERIFIES[tls.client_auth_type]
    if tls.client_ca_file is not None:
        context.load_verify_locations(tls.client_ca_file)
    return context
