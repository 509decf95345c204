"""What came back: failures, TLS, answers, and the observation that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.model.asking import Probe
from exporter.model.words import Phase


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no (whole) answer.

    Attributes:
        kind: one word that holds across protocols (the table is `probing/failures.py`); `internal` is a fault of ours.
        detail: one printable line for people, bounded.
    """

    phase: Phase
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of the chain that the server showed.

    Attributes:
        sha256: of the DER form, lower-case hex.
        names: DNS names and IP addresses of the subjectAltName extension, at most 1,000; `names_total` counts all.
        not_before, not_after: Unix time in seconds.
    """

    sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    names_total: int
    not_before: float
    not_after: float


@dataclass(frozen=True, slots=True)
class TlsSession:
    """What the handshake agreed and showed. Trust is evidence: the handshake itself is done without verification.

    Attributes:
        alpn: the protocol the server selected; None: it selected none.
        chain: as sent, leaf first; empty where it could not be read.
        faults: everything wrong with the chain, of `expired`, `not-yet-valid`, `untrusted`, `wrong-name` (against the
            SNI sent); empty means trusted.
        fault_detail: one line for people.
        client_certificate_requested: whether the server asked for one in the handshake.
        resumed: whether an earlier session was taken up again; the chain is then that session's leaf, not judged again.
    """

    version: str
    cipher: str
    alpn: str | None
    chain: tuple[Certificate, ...]
    faults: tuple[str, ...] = ()
    fault_detail: str = ""
    client_certificate_requested: bool = False
    resumed: bool = False

    @property
    def leaf(self) -> Certificate | None:
        return self.chain[0] if self.chain else None

    def covers(self, name: str) -> bool:
        """Whether the leaf is valid for `name` (RFC 9525, section 6.3: a wildcard stands for one whole label)."""
        leaf = self.leaf
        return leaf is not None and any(matches_name(pattern, name) for pattern in leaf.names)


def matches_name(pattern: str, name: str) -> bool:
    """Whether a certificate's name covers `name`; both lower case.

    >>> matches_name("*.example.com", "shop.example.com"), matches_name("*.example.com", "example.com")
    (True, False)
    """
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:]
    return pattern == name


@dataclass(frozen=True, slots=True)
class Page:
    """What kind of page an answer is: two answers of one site are alike in this, however dynamic it is.

    Attributes:
        title: of HTML, spaces folded.
        cookies: the names that were set, sorted.
        digest: of the body without what changes from answer to answer.
        outline: digest of the body's structure: tags of HTML, keys of JSON.
    """

    status: int
    redirect_host: str
    server: str
    content_type: str
    title: str
    cookies: tuple[str, ...]
    digest: str
    outline: str


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer.

    Attributes:
        version: as the server said it: `1.0`, `1.1`, `2`.
        headers: (name, value) pairs in order; names lower case, values decoded as Latin-1 (RFC 9110, section 5.5).
        body: its first 64 KiB.
        body_bytes: how many were read, at most 1 MiB; what a longer body holds is not read.
        body_complete: whether the body ended within what was read.
        body_sha256: of what was read, lower-case hex.
    """

    status: int
    reason: str = ""
    version: str = "1.1"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_bytes: int = 0
    body_complete: bool = True
    body_sha256: str = ""

    def header(self, name: str) -> str | None:
        """The first value of field `name` (lower case)."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run of one probe saw.

    Attributes:
        started_at: Unix time in seconds.
        seconds: time spent by phase; a phase that was not reached is absent. A reused probe has no connect and tls.
        asked_before: requests that were answered on this connection before this one; 0: it was the first.
        response: may stand beside a failure, where the answer began but did not end well.
        origins: of the ORIGIN frame (RFC 8336) that the connection had sent so far; None: none came.
        alt_svc: of the ALTSVC frame (RFC 7838, section 4) that the connection had sent so far for the name asked for;
            in the form of the field of that name; None: none came.
        connection_survived: whether the server left the connection open after this answer; None: not known.
        page: what kind of page the answer is; None: not made out, as nothing is compared with it.
    """

    probe: Probe
    started_at: float
    seconds: Mapping[Phase, float]
    asked_before: int = 0
    tls: TlsSession | None = None
    response: Response | None = None
    failure: Failure | None = None
    origins: tuple[str, ...] | None = None
    connection_survived: bool | None = None
    page: Page | None = None
    alt_svc: str | None = None
