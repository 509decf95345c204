"""The laboratory's own certificate authority: its key lives in memory only and ends with the process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exporter.demo.sites import Leaf

Extension = tuple[x509.ExtensionType, bool]

AUTHORITY_DAYS = (-365, 365)  # wider than any leaf, expired ones too


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority and the moment from which the validity of its leaves is counted.

    Attributes:
        moment: Unix time in seconds.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    moment: float

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, leaf: Leaf) -> bytes:
        """A new key and its certificate, as PEM, for ssl.SSLContext.load_cert_chain."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(leaf.names[0], key, self.moment, (leaf.not_before_days, leaf.not_after_days))
        builder = builder.issuer_name(self.certificate.subject)
        certificate = _extended(builder, _of_leaf(leaf, key, self.key)).sign(self.key, SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private + certificate.public_bytes(Encoding.PEM)


def found(moment: float) -> Authority:
    """A new authority, at `moment` (Unix time in seconds)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = "statuscode-exporter demo authority"
    builder = _certificate(name, key, moment, AUTHORITY_DAYS).issuer_name(_subject(name))
    return Authority(key, _extended(builder, _of_authority(key)).sign(key, SHA256()), moment)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, moment: float, days: tuple[int, int]
) -> x509.CertificateBuilder:
    opening = datetime.fromtimestamp(moment, UTC)
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(_subject(name))
        .public_key(key.public_key())
        .not_valid_before(opening + timedelta(days=days[0]))
        .not_valid_after(opening + timedelta(days=days[1]))
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _extended(builder: x509.CertificateBuilder, extensions: Iterator[Extension]) -> x509.CertificateBuilder:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder


def _of_authority(key: ec.EllipticCurvePrivateKey) -> Iterator[Extension]:
    """RFC 5280, sections 4.2.1.2, 4.2.1.3 and 4.2.1.9; OpenSSL's X509_V_FLAG_X509_STRICT asks for all of them."""
    yield x509.BasicConstraints(ca=True, path_length=0), True
    yield _usage("key_cert_sign", "crl_sign"), True
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False


def _of_leaf(leaf: Leaf, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey) -> Iterator[Extension]:
    yield x509.SubjectAlternativeName([x509.DNSName(name) for name in leaf.names]), False
    yield x509.BasicConstraints(ca=False, path_length=None), True
    yield _usage("digital_signature"), True
    yield x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False


def _usage(*bits: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital_signature" in bits,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign="key_cert_sign" in bits,
        crl_sign="crl_sign" in bits,
        encipher_only=False,
        decipher_only=False,
    )
