"""What a configuration refers to outside itself: environment variables, secret files, certificates. Read within bounds.

Each method raises ValueError. No message repeats a file's content or a variable's value.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationInfo

from exporter.config.scalars import text

MAX_SECRET_BYTES = 64 * 1024
MAX_PEM_BYTES = 16 * 1024 * 1024

_FAULTS = {
    "KEY_VALUES_MISMATCH": "does not fit its key",
    "KEY_TYPE_MISMATCH": "does not fit its key",
    "NO_CERTIFICATE_OR_CRL_FOUND": "holds no certificate in PEM form",
}
_ENCRYPTED = "has an encrypted key: only keys without a passphrase can be used"


class Surroundings:
    """The directory of the configuration file, and the environment."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._directory = directory.absolute()
        self._environ = environ
        self._approved: set[tuple[str, ...]] = set()

    def file(self, value: object) -> str:
        """The absolute path of an existing, readable file; links are not followed, so that they may be turned."""
        name = text(value)
        if not name or "\0" in name:
            raise ValueError("must be the path of a file")
        path = os.path.normpath(self._directory / name)
        self._read(path, 0)
        return path

    def secret_in_file(self, value: object) -> str:
        """The content without the newline at its end."""
        data = self._read(self.file(value), MAX_SECRET_BYTES + 1)
        if len(data) > MAX_SECRET_BYTES:
            raise ValueError(f"names a file of more than {MAX_SECRET_BYTES // 1024} KiB")
        try:
            return data.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError("names a file that is not UTF-8") from None

    def secret_in_environment(self, value: object) -> str:
        found = self._environ.get(text(value))
        if found is None:
            raise ValueError("names an environment variable that is not set")
        return found

    def authorities(self, value: object) -> str:
        """The absolute path of a PEM bundle with at least one certificate."""
        path = self.file(value)
        if (path,) not in self._approved:
            _check_authorities(path)
            self._approved.add((path,))
        return path

    def check_pair(self, certificate: str, key: str) -> None:
        """That the certificate and the key, both absolute paths, belong together."""
        if (certificate, key) not in self._approved:
            _check_pair(certificate, key)
            self._approved.add((certificate, key))

    @staticmethod
    def _read(path: str, size: int) -> bytes:
        try:
            if not Path(path).is_file():  # before opening: a named pipe would block
                raise ValueError(
                    "names a file that does not exist" if not Path(path).exists() else "names no plain file"
                )
            if Path(path).stat().st_size > MAX_PEM_BYTES:
                raise ValueError(f"names a file of more than {MAX_PEM_BYTES // 1024 // 1024} MiB")
            with Path(path).open("rb") as file:
                return file.read(size)
        except OSError as error:
            raise ValueError(f"names a file that cannot be read: {error.strerror}") from None


def surroundings_of(info: ValidationInfo) -> Surroundings:
    """What the reader handed to pydantic for checks that look outside the document."""
    if not isinstance(info.context, Surroundings):
        raise TypeError("validation needs Surroundings as its context")
    return info.context


def existing_file(value: object, info: ValidationInfo) -> str:
    """A check for pydantic, as the next one: `Surroundings.file`."""
    return surroundings_of(info).file(value)


def bundle_of_authorities(value: object, info: ValidationInfo) -> str:
    return surroundings_of(info).authorities(value)


def _check_authorities(path: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise ValueError(_FAULTS.get(error.reason or "", "is not a bundle of certificates in PEM form")) from None
    if not context.cert_store_stats()["x509"]:
        raise ValueError(_FAULTS["NO_CERTIFICATE_OR_CRL_FOUND"])


def _check_pair(certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Without a callable OpenSSL would ask for the passphrase at the terminal.
        context.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except ssl.SSLError as error:
        raise ValueError(_FAULTS.get(error.reason or "", "is not a certificate with its key in PEM form")) from None


def _refuse_passphrase() -> NoReturn:
    raise ValueError(_ENCRYPTED)
