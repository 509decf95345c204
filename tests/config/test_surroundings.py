"""Files and variables that a configuration names. Certificates are real ones, made by a test authority."""

import os
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from exporter.config import ConfigError, load
from exporter.config.surroundings import MAX_PEM_BYTES, MAX_SECRET_BYTES
from exporter.model import Secret, Target


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, two client certificates, and their keys in several forms."""
    directory = tmp_path_factory.mktemp("pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    for name in ("one", "two"):
        leaf = authority.issue_cert(f"{name}.example")
        leaf.cert_chain_pems[0].write_to_path(directory / f"{name}.pem")
        leaf.private_key_pem.write_to_path(directory / f"{name}.key")
        leaf.private_key_and_cert_chain_pem.write_to_path(directory / f"{name}-both.pem")
    key = load_pem_private_key((directory / "one.key").read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (directory / "encrypted.key").write_bytes(encrypted)
    return directory


def target(directory: Path, settings: str) -> Target:
    path = directory / "config.yaml"
    path.write_text(f"groups:\n  - {{name: g, domains: [a.example], {settings}}}\n", encoding="utf-8")
    return load(path, {}).targets[0]


def refusal(directory: Path, settings: str) -> str:
    with pytest.raises(ConfigError) as raised:
        target(directory, settings)
    [complaint] = raised.value.complaints
    return complaint.removeprefix(f"{directory}/config.yaml:2: groups[0].")


def test_paths_are_relative_to_the_configuration_and_held_absolute(pem: Path) -> None:
    found = target(pem, "ca_file: ca.pem, client_certificate: ./one.pem, client_key: one.key")

    assert (found.ca_file, found.client_certificate, found.client_key) == (
        str(pem / "ca.pem"),
        str(pem / "one.pem"),
        str(pem / "one.key"),
    )


def test_the_key_may_stand_in_the_file_of_the_certificate(pem: Path) -> None:
    found = target(pem, "client_certificate: one-both.pem")

    assert (found.client_certificate, found.client_key) == (str(pem / "one-both.pem"),) * 2


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("client_certificate: one.pem, client_key: two.key", "client_certificate: does not fit its key"),
        (
            "client_certificate: one.pem, client_key: encrypted.key",
            "client_certificate: has an encrypted key: only keys without a passphrase can be used",
        ),
        ("client_certificate: one.pem", "client_certificate: is not a certificate with its key in PEM form"),
        ("client_key: one.key", "client_key: needs `client_certificate` beside it"),
        ("ca_file: one.key", "ca_file: holds no certificate in PEM form"),
        ("ca_file: config.yaml", "ca_file: holds no certificate in PEM form"),
        ("ca_file: missing.pem", "ca_file: names a file that does not exist"),
        ('ca_file: "a\\0"', "ca_file: must be the path of a file"),
    ],
)
def test_what_does_not_fit_is_refused(pem: Path, settings: str, complaint: str) -> None:
    assert refusal(pem, settings) == complaint


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert refusal(tmp_path, "headers: {A: {file: pipe}}") == "headers.A: names no plain file"


def test_sizes_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"a" * (MAX_SECRET_BYTES + 1))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_PEM_BYTES + 1)

    assert refusal(tmp_path, "headers: {A: {file: secret}}") == "headers.A: names a file of more than 64 KiB"
    assert refusal(tmp_path, "ca_file: huge") == "ca_file: names a file of more than 16 MiB"


def test_a_secret_that_is_not_utf_8_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"hunter2\xff")

    assert refusal(tmp_path, "headers: {A: {file: secret}}") == "headers.A: names a file that is not UTF-8"


def test_the_newline_at_the_end_of_a_secret_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"Bearer hunter2\r\n")

    found = target(tmp_path, "headers: {Authorization: {file: secret}}")

    assert found.headers == (("Authorization", Secret("Bearer hunter2", "file secret")),)
