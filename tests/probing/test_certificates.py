"""Chains are judged apart from the handshake, with every fault named."""

from __future__ import annotations

import datetime as dt
import ssl

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exporter.probing.certificates import Handshake, read

DAY = 86400.0
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp()


def utc(days: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(NOW + days * DAY, dt.UTC)


def chain(leaf: trustme.LeafCert) -> tuple[bytes, ...]:
    return tuple(ssl.PEM_cert_to_DER_cert(blob.bytes().decode()) for blob in leaf.cert_chain_pems)


def shown(leaf: trustme.LeafCert, sni: str | None = "a.test") -> Handshake:
    return Handshake("TLSv1.3", "TLS_AES_128_GCM_SHA256", "http/1.1", chain(leaf), sni)


@pytest.mark.parametrize(
    ("names", "sni", "days", "faults"),
    [
        (["a.test"], "a.test", (-1, 1), ()),
        (["*.a.test"], "www.a.test", (-1, 1), ()),
        (["*.a.test"], "a.test", (-1, 1), ("wrong-name",)),
        (["*.a.test"], "x.www.a.test", (-1, 1), ("wrong-name",)),
        (["b.test"], "a.test", (-1, 1), ("wrong-name",)),
        (["b.test"], None, (-1, 1), ()),
        (["a.test"], "a.test", (-2, -1), ("expired",)),
        (["a.test"], "a.test", (1, 2), ("not-yet-valid",)),
        (["b.test"], "a.test", (-2, -1), ("expired", "wrong-name")),
    ],
)
def test_every_fault_of_a_chain_is_named(judge, ca, ca_file, names, sni, days, faults):
    leaf = ca.issue_cert(*names, not_before=utc(days[0]), not_after=utc(days[1]), key_type=trustme.KeyType.ECDSA)

    session = judge.session(shown(leaf, sni), str(ca_file), NOW)

    assert session.faults == faults
    assert bool(session.fault_detail) == bool(faults)


def test_a_chain_of_an_unknown_authority_is_untrusted_and_expired_if_both(judge, ca_file):
    stranger = trustme.CA(key_type=trustme.KeyType.ECDSA)
    leaf = stranger.issue_cert("a.test", not_before=utc(-2), not_after=utc(-1), key_type=trustme.KeyType.ECDSA)

    assert "untrusted" in judge.session(shown(leaf), str(ca_file), NOW).faults


def test_a_missing_intermediate_is_untrusted(judge, ca, ca_file):
    leaf = ca.create_child_ca(key_type=trustme.KeyType.ECDSA).issue_cert("a.test", key_type=trustme.KeyType.ECDSA)
    whole = judge.session(shown(leaf), str(ca_file), NOW)
    alone = Handshake("TLSv1.3", "x", None, chain(leaf)[:1], "a.test")

    assert whole.faults == ()
    assert judge.session(alone, str(ca_file), NOW).faults == ("untrusted",)


def test_an_expired_intermediate_is_told_by_its_place(judge, ca, ca_file):
    leaf = ca.issue_cert("a.test", not_before=utc(-2), not_after=utc(-1), key_type=trustme.KeyType.ECDSA)

    detail = judge.session(shown(leaf), str(ca_file), NOW).fault_detail

    assert detail == "certificate has expired (certificate 0 of the chain)"


def test_a_verdict_is_remembered_but_not_beyond_the_certificate_s_life(judge, ca, ca_file):
    leaf = ca.issue_cert("a.test", not_before=utc(-1), not_after=utc(0.01), key_type=trustme.KeyType.ECDSA)

    first = judge.session(shown(leaf), str(ca_file), NOW)
    again = judge.session(shown(leaf), str(ca_file), NOW + 1)
    later = judge.session(shown(leaf), str(ca_file), NOW + DAY)

    assert again is first
    assert (first.faults, later.faults) == ((), ("expired",))


def test_a_trust_store_that_is_replaced_is_seen_after_a_reload(judge, ca, tmp_path):
    stranger, store = trustme.CA(key_type=trustme.KeyType.ECDSA), tmp_path / "ca.pem"
    stranger.cert_pem.write_to_path(store)
    leaf = ca.issue_cert("a.test", key_type=trustme.KeyType.ECDSA)
    before = judge.session(shown(leaf), str(store), NOW)
    store.write_bytes(ca.cert_pem.bytes())

    judge.forget()

    assert (before.faults, judge.session(shown(leaf), str(store), NOW).faults) == (("untrusted",), ())


def test_without_a_ca_file_the_system_is_asked_and_trusts_no_test_authority(judge, ca):
    leaf = ca.issue_cert("a.test", key_type=trustme.KeyType.ECDSA)

    assert judge.session(shown(leaf), None, NOW).faults == ("untrusted",)


@pytest.mark.parametrize("junk", [b"", b"\x30\x03\x02\x01\x01", b"\xff" * 1000])
def test_what_cannot_be_read_is_untrusted_and_breaks_nothing(judge, ca_file, junk):
    session = judge.session(Handshake("TLSv1.3", "x", None, (junk,), "a.test"), str(ca_file), NOW)

    assert (session.chain, session.faults) == ((), ("untrusted",))


def test_no_certificate_at_all_is_untrusted(judge, ca_file):
    session = judge.session(Handshake("TLSv1.3", "x", None, (), "a.test"), str(ca_file), NOW)

    assert (session.faults, session.fault_detail) == (("untrusted",), "no certificate was shown")


def test_a_certificate_for_very_many_names_is_bounded(ca):
    leaf = ca.issue_cert(*(f"n{number}.test" for number in range(1500)), key_type=trustme.KeyType.ECDSA)

    certificate = read(chain(leaf)[0])

    assert (len(certificate.names), certificate.names_total) == (1000, 1500)


def test_addresses_in_a_certificate_are_names_too(ca):
    certificate = read(chain(ca.issue_cert("a.test", "127.0.0.1", "::1", key_type=trustme.KeyType.ECDSA))[0])

    assert certificate.names == ("a.test", "127.0.0.1", "::1")


def test_the_facts_of_a_certificate_are_those_of_its_bytes(ca):
    leaf = ca.issue_cert("a.test", not_before=utc(-1), not_after=utc(1), key_type=trustme.KeyType.ECDSA)
    parsed = x509.load_der_x509_certificate(chain(leaf)[0])

    certificate = read(chain(leaf)[0])

    assert (certificate.not_before, certificate.not_after) == (NOW - DAY, NOW + DAY)
    assert certificate.issuer == parsed.issuer.rfc4514_string()


def test_a_self_signed_certificate_that_is_its_own_ca_file_is_trusted(judge, tmp_path):
    """As small sites have it: no authority, the server's certificate itself is given as what to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), utc(-1), utc(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    handshake = Handshake("TLSv1.3", "x", None, (certificate.public_bytes(serialization.Encoding.DER),), "a.test")

    assert judge.session(handshake, str(tmp_path / "own.pem"), NOW).faults == ()
