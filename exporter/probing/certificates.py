"""Certificates as evidence: reads the chain that was shown and judges it apart from the handshake.

The judge is OpenSSL's own path builder (through pyOpenSSL): the verdict is the one that curl and most clients come to;
names are compared as RFC 9525 says. This is pyOpenSSL's and cryptography's only home.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import crypto

from exporter.model import Certificate, TlsSession, matches_name
from exporter.probing.failures import printable

_MOST_NAMES = 1000
_MOST_CERTIFICATES = 20  # of a chain; OpenSSL's own verification depth is 100, real chains have 2 to 5
_VERDICT_HOLDS_SECONDS = 3600.0  # a trust store that is changed on disk is seen after this at the latest
_STORE_HOLDS_SECONDS = 60.0
_MOST_REMEMBERED = 20_000
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h; pyOpenSSL has no name for it
_X509_V_ERR_CERT_NOT_YET_VALID = 9
_X509_V_ERR_CERT_HAS_EXPIRED = 10
_FAULT_BY_CODE = {_X509_V_ERR_CERT_NOT_YET_VALID: "not-yet-valid", _X509_V_ERR_CERT_HAS_EXPIRED: "expired"}
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a handshake agreed and showed, as it came off the wire.

    Attributes:
        chain: DER, leaf first, as sent.
        sni: the server name that was sent; None: none.
    """

    version: str
    cipher: str
    alpn: str | None
    chain: tuple[bytes, ...]
    sni: str | None
    client_certificate_requested: bool = False
    resumed: bool = False


class Judge:
    """Reads and judges what handshakes showed. Remembers both: equal handshakes give the same `TlsSession` object."""

    def __init__(self) -> None:
        self._certificates: dict[bytes, Certificate | None] = {}
        self._roots: dict[str | None, tuple[crypto.X509, ...]] = {}
        self._stores: dict[tuple[str | None, int], crypto.X509Store] = {}
        self._at = 0.0
        self._sessions: dict[tuple[object, ...], tuple[float, TlsSession]] = {}

    def session(self, handshake: Handshake, ca_file: str | None, now: float) -> TlsSession:
        """The session with everything wrong with its chain at `now` (Unix time), by `ca_file` or the system's trust."""
        digests = tuple(sha256(der).digest() for der in handshake.chain)
        key = (
            handshake.version,
            handshake.cipher,
            handshake.alpn,
            handshake.sni,
            handshake.client_certificate_requested,
            handshake.resumed,
            digests,
            ca_file,
        )
        held = self._sessions.get(key)
        if held is not None and now < held[0]:
            return held[1]
        chain = tuple(filter(None, map(self._read, handshake.chain, digests)))
        at = self._judging_time(now)
        # A resumed session shows no chain; its leaf was judged when the session began.
        distrust = () if handshake.resumed else self._trust(handshake.chain, ca_file, at)
        faults = [*distrust, *_name_fault(chain, handshake.sni)]
        session = TlsSession(
            version=handshake.version,
            cipher=handshake.cipher,
            alpn=handshake.alpn,
            chain=chain,
            faults=tuple(fault for fault, _ in faults),
            fault_detail="; ".join(detail for _, detail in faults),
            client_certificate_requested=handshake.client_certificate_requested,
            resumed=handshake.resumed,
        )
        _bound(self._sessions)
        self._sessions[key] = (_holds_until(chain, at), session)
        return session

    def forget(self) -> None:
        """Reread the trust stores and judge anew, as after a reload."""
        self._roots.clear()
        self._stores.clear()
        self._sessions.clear()

    def _read(self, der: bytes, digest: bytes) -> Certificate | None:
        if digest not in self._certificates:
            _bound(self._certificates)
            self._certificates[digest] = read(der)
        return self._certificates[digest]

    def _judging_time(self, now: float) -> float:
        """`now`, to the minute: pyOpenSSL can set a store's time only once, and filling a store costs a millisecond."""
        if not 0 <= now - self._at < _STORE_HOLDS_SECONDS:
            self._at = now
            self._stores.clear()
        return self._at

    def _trust(self, chain: tuple[bytes, ...], ca_file: str | None, at: float) -> Iterator[tuple[str, str]]:
        """(fault, detail) pairs. OpenSSL stops at the first fault; asked again without time, it tells the next."""
        try:
            certificates = [crypto.X509.from_cryptography(x509.load_der_x509_certificate(der)) for der in chain]
            roots = self._trusted(ca_file)
        except (ValueError, TypeError, OSError, crypto.Error) as error:
            yield "untrusted", printable(f"the chain cannot be judged: {error}")
            return
        if not certificates or not roots:
            yield "untrusted", "this machine has no trust store" if certificates else "no certificate was shown"
            return
        for flags in (0, _NO_CHECK_TIME):
            code, detail = _first_fault(self._store(ca_file, flags, at), certificates)
            if code is None:
                return
            fault = _FAULT_BY_CODE.get(code, "untrusted")
            yield fault, detail
            if fault == "untrusted":
                return

    def _trusted(self, ca_file: str | None) -> tuple[crypto.X509, ...]:
        if ca_file not in self._roots:
            self._roots[ca_file] = _load_roots(ca_file)
        return self._roots[ca_file]

    def _store(self, ca_file: str | None, flags: int, at: float) -> crypto.X509Store:
        if (ca_file, flags) not in self._stores:
            store = crypto.X509Store()
            store.set_flags(flags)
            store.set_time(datetime.fromtimestamp(at, UTC).replace(tzinfo=None))
            for root in self._trusted(ca_file):
                store.add_cert(root)
            self._stores[ca_file, flags] = store
        return self._stores[ca_file, flags]


def _bound(memory: dict[Any, Any]) -> None:
    """Forget all rather than grow: what is still in use is soon back."""
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()


def _name_fault(chain: tuple[Certificate, ...], sni: str | None) -> Iterator[tuple[str, str]]:
    if sni is None or not chain or any(matches_name(pattern, sni) for pattern in chain[0].names):
        return
    shown = ", ".join(chain[0].names[:5]) or "no name at all"
    yield "wrong-name", printable(f"the certificate is for {shown}{', ...' if chain[0].names_total > 5 else ''}")


def _holds_until(chain: tuple[Certificate, ...], at: float) -> float:
    """The verdict can change when a certificate of the chain begins or ends to be valid, or the store on disk does."""
    turns = [turn for certificate in chain for turn in (certificate.not_before, certificate.not_after + 1)]
    return min([at + _VERDICT_HOLDS_SECONDS, *(turn for turn in turns if turn > at)])


def _first_fault(store: crypto.X509Store, certificates: list[crypto.X509]) -> tuple[int | None, str]:
    try:
        crypto.X509StoreContext(store, certificates[0], certificates[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        code, depth = error.errors[0], error.errors[1]
        return int(code), printable(f"{error} (certificate {depth} of the chain)")
    return None, ""


def _load_roots(ca_file: str | None) -> tuple[crypto.X509, ...]:
    """What is trusted: `ca_file`, or what OpenSSL takes for the system's (SSL_CERT_FILE, SSL_CERT_DIR obeyed)."""
    if ca_file is not None:
        return tuple(map(crypto.X509.from_cryptography, x509.load_pem_x509_certificates(Path(ca_file).read_bytes())))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in _system_files():
        context.load_verify_locations(path)
    return tuple(crypto.load_certificate(crypto.FILETYPE_ASN1, der) for der in context.get_ca_certs(binary_form=True))


def _system_files() -> Iterator[str]:
    paths = ssl.get_default_verify_paths()
    bundle = paths.cafile or next((path for path in _BUNDLES if Path(path).exists()), None)
    if bundle is not None:
        yield bundle
    elif paths.capath is not None:
        yield from (str(path) for path in Path(paths.capath).glob("*.0"))  # named by hash, as `openssl rehash` does


def read(der: bytes) -> Certificate | None:
    """The facts of one certificate; None where it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = _names(certificate)
        return Certificate(
            sha256=certificate.fingerprint(SHA256()).hex(),
            subject=printable(certificate.subject.rfc4514_string()),
            issuer=printable(certificate.issuer.rfc4514_string()),
            names=tuple(printable(name) for name in names[:_MOST_NAMES]),
            names_total=len(names),
            not_before=certificate.not_valid_before_utc.timestamp(),
            not_after=certificate.not_valid_after_utc.timestamp(),
        )
    except (ValueError, TypeError, OverflowError, x509.UnsupportedGeneralNameType):
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return []
    addresses = [str(address) for address in extension.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in extension.get_values_for_type(x509.DNSName)] + addresses


def chain_of(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """The chain as the server sent it, DER, leaf first; bounded.

    Python has a public way to an unverified chain only since 3.13; before, `_sslobj` of the same object has it.
    """
    source = session if hasattr(session, "get_unverified_chain") else session._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    chain = source.get_unverified_chain() or []
    if not chain:
        leaf = session.getpeercert(binary_form=True)  # what a resumed session remembers
        return (leaf,) if leaf else ()
    ders = [item if isinstance(item, bytes) else item.public_bytes(2) for item in chain[:_MOST_CERTIFICATES]]
    return tuple(ders)
