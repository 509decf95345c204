"""What all tests share: an authority whose certificates nobody outside trusts."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture(scope="session")
def ca_file(ca, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def leaf(ca) -> trustme.LeafCert:
    """One certificate for two names."""
    return ca.issue_cert("a.test", "b.test", key_type=trustme.KeyType.ECDSA)
