"""A certificate authority for tests: certificates as single PEM files, the private key first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import trustme

PAST = datetime(2000, 1, 1, tzinfo=UTC)
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
TOMORROW = YESTERDAY + timedelta(days=2)
NEXT_YEAR = YESTERDAY + timedelta(days=366)


class Authority:
    """Attributes: `ca_file` holds the root alone, in PEM form, as a client that trusts it needs it."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self._serial = count(1)
        self.ca_file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def certificate(self, *names: str, not_before: datetime = PAST, not_after: datetime = NEXT_YEAR) -> Path:
        """One file that nginx, Apache and the exporter take as certificate and as key."""
        leaf = self._ca.issue_cert(*names, not_before=not_before, not_after=not_after)
        path = self._folder / f"{next(self._serial)}-{names[0]}.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path
