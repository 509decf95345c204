"""The nouns: what is asked, how, what came back. Values only; imports nothing of ours and touches nothing.

`sni`, `host` and `address` are three identities and never mixed: the TLS server name, the HTTP authority asked for,
and the IP address connected to. `domain` is the configured target's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Protocol(StrEnum):
    """HTTP versions, by their IANA ALPN ids."""

    HTTP11 = "http/1.1"
    H2 = "h2"
    H3 = "h3"


class Connection(StrEnum):
    """Whether a probe was planned as the first on its connection, or on one that is kept from round to round."""

    FRESH = "fresh"
    REUSED = "reused"
    HELD = "held"


class Phase(StrEnum):
    """The parts of one probe, in the words of blackbox_exporter's `probe_http_duration_seconds`."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    PROCESSING = "processing"
    TRANSFER = "transfer"


class Transport(StrEnum):
    """What carries HTTP: TLS as good as both sides can, TLS 1.2 at most, or nothing but TCP."""

    TLS = "tls"
    TLS12 = "tls1.2"
    PLAIN = "plain"


class Combination(StrEnum):
    """Kinds of probe: how SNI, Host and domain relate, and whether the connection was new."""

    MATCHED = "matched"
    NO_SNI = "no_sni"
    OTHER_SNI = "other_sni"
    COALESCED = "coalesced"
    UNKNOWN_HOST = "unknown_host"
    HELD = "held"
    ALTERNATIVE = "alternative"


class Method(StrEnum):
    """Methods that are safe to repeat (RFC 9110, section 9.2.1), and POST for who needs it."""

    GET = "GET"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"
    POST = "POST"


class IpFamily(StrEnum):
    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is sent but never shown: not by repr, not by str, not in an error.

    Attributes:
        source: where it came from, for people (`env API_TOKEN`, `file token.txt`).
    """

    reveal: str = field(repr=False)
    source: str

    def __str__(self) -> str:
        return "<secret>"


def revealed(value: str | Secret) -> str:
    """A field's value as it is sent."""
    return value.reveal if isinstance(value, Secret) else value


@dataclass(frozen=True, slots=True)
class StatusRange:
    """Statuses from `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, status: int) -> bool:
        return self.first <= status <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Expect:
    """What a matched probe must answer to count as good.

    Attributes:
        status: any of these ranges.
        body_regex: RE2 pattern to be found in the first 64 KiB of the body; None: not asked for.
        header_regex: (lower-case field name, RE2 pattern) pairs, each to be found in one value of that field.
        max_seconds: all phases together; None: no bound but the timeout.
    """

    status: tuple[StatusRange, ...] = (StatusRange(200, 399),)
    body_regex: str | None = None
    header_regex: tuple[tuple[str, str], ...] = ()
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One monitored domain as configured, with every setting in force (global, group and domain level merged).

    Attributes:
        domain: A-label form, lower case, no trailing dot.
        siblings: all domains of its group in configured order, the domain itself among them: one tuple that the whole
            group shares, so that a large group does not cost the square of its size.
        snis: server names to send with Host = domain, without the siblings: the domain itself first; None in it means
            no SNI extension.
        hosts: authorities to ask for on the domain's own connection, without the domain itself and the siblings.
        sibling_snis: whether each sibling is also sent as SNI with Host = domain.
        sibling_hosts: whether each sibling is also asked for on the domain's own connection.
        headers: request fields in order, without Host and User-Agent.
        max_addresses: addresses probed per round; None: all. The rest comes by rotation.
        protocols: the first is the one over which other server names are tried.
        siblings_per_round: siblings asked for per round on the target's connections; the rest comes by rotation.
        resolve: addresses to use instead of DNS; empty: ask DNS.
        ca_file: PEM bundle that is trusted instead of the system's; None: the system's.
        verify: whether a certificate that is not trusted makes a matched probe unexpected.
        hold: whether one connection per address is kept open, and asked on again in every round.
        labels: extra labels of `statuscode_domain_info`.
    """

    domain: str
    group: str
    siblings: tuple[str, ...] = ()
    interval_seconds: float = 60.0
    timeout_seconds: float = 10.0
    port: int = 443
    path: str = "/"
    method: Method = Method.GET
    headers: tuple[tuple[str, str | Secret], ...] = ()
    user_agent: str = "statuscode-exporter"
    protocols: tuple[Protocol, ...] = (Protocol.HTTP11, Protocol.H2)
    snis: tuple[str | None, ...] = ()
    hosts: tuple[str, ...] = ()
    sibling_snis: bool = True
    sibling_hosts: bool = True
    max_addresses: int | None = None
    siblings_per_round: int = 8
    resolve: tuple[str, ...] = ()
    ip_family: IpFamily = IpFamily.ANY
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    verify: bool = True
    hold: bool = False
    expect: Expect = Expect()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One cell of the matrix: the key of every observation, label set and finding.

    Attributes:
        domain: the target that the answer is about.
        sni: None: no server_name extension is sent.
        address: None: the domain did not resolve, so nothing could be asked.
        connection: as planned; a reused probe has another request before it on its connection.
        port: of an alternative service that the domain advertises (RFC 7838), at `address`; None: the target's own.
    """

    domain: str
    sni: str | None
    host: str
    address: str | None
    protocol: Protocol = Protocol.HTTP11
    connection: Connection = Connection.FRESH
    port: int | None = None

    @property
    def place(self) -> str:
        """The address as a label shows it, with the port where it is an alternative's; empty: there is no address."""
        if self.address is None or self.port is None:
            return self.address or ""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def combination(self) -> Combination:
        if self.port is not None:
            return Combination.ALTERNATIVE
        if self.connection is Connection.HELD:
            return Combination.HELD
        if self.host != self.domain:
            return Combination.UNKNOWN_HOST
        if self.connection is Connection.REUSED:
            return Combination.COALESCED
        if self.sni is None:
            return Combination.NO_SNI
        return Combination.MATCHED if self.sni == self.domain else Combination.OTHER_SNI


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent for one probe.

    Attributes:
        authority: the Host field's value: the host, and the port unless it is 443 (RFC 9110, section 4.2.3).
        headers: further fields in order; secrets are revealed only when the bytes are written.
    """

    method: Method
    authority: str
    path: str
    headers: tuple[tuple[str, str | Secret], ...]

    @property
    def has_secrets(self) -> bool:
        return any(isinstance(value, Secret) for _, value in self.headers)

    def without_secrets(self) -> Request:
        """The same request for a server that must not see them."""
        return replace(self, headers=tuple(pair for pair in self.headers if not isinstance(pair[1], Secret)))


@dataclass(frozen=True, slots=True)
class Ask:
    """A probe and the request that makes it.

    Attributes:
        needs_cover: ask only if the connection's certificate covers the host: otherwise no client would.
    """

    probe: Probe
    request: Request
    needs_cover: bool = False


@dataclass(frozen=True, slots=True)
class Dial:
    """One connection to open, and what to ask over it, in order.

    Attributes:
        timeout_seconds: for opening the connection (connect and tls together), and again for each request.
        ca_file, client_certificate, client_key, verify: see Target. With `verify`, secrets are withheld from a server
            whose certificate is not trusted or does not cover the name asked for.
        resumes: take up the session of a connection with this server name, which is opened and asked first; None: shake
            hands in full.
    """

    address: str
    port: int
    sni: str | None
    protocol: Protocol
    timeout_seconds: float
    asks: tuple[Ask, ...]
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    verify: bool = True
    transport: Transport = Transport.TLS
    resumes: str | None = None


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an observation stands to what its combination is expected to show.

    Attributes:
        expected: False makes `statuscode_probe_success` 0.
        reason: one sentence for people; says what came instead of what.
        conclusive: False where nothing was learned about the server, as no question was put to it.
    """

    expected: bool
    reason: str
    conclusive: bool = True


class Client(StrEnum):
    """Browsers whose rules for reusing a connection are known."""

    CHROMIUM = "chromium"
    FIREFOX = "firefox"


@dataclass(frozen=True, slots=True)
class Exposure:
    """That `client` would ask for `domain` on a connection that it had opened for `sibling`."""

    domain: str
    sibling: str
    client: Client


@dataclass(frozen=True, slots=True)
class Round:
    """One sweep of one target. Immutable.

    Attributes:
        started_at: Unix time in seconds.
        addresses: all that the domain resolved to (or was configured with), probed this round or not.
        observations, verdicts: in the same order, one per planned probe.
        exposures: of the siblings to the connection that was opened for the target.
    """

    target: Target
    started_at: float
    duration_seconds: float
    addresses: tuple[str, ...]
    observations: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]
    exposures: tuple[Exposure, ...] = ()

    @property
    def up(self) -> bool:
        """Whether every matched probe answered as expected."""
        verdicts = [verdict for _, verdict in self.matched]
        return any(verdict.conclusive for verdict in verdicts) and all(verdict.expected for verdict in verdicts)

    @property
    def matched(self) -> tuple[tuple[Observation, Verdict], ...]:
        """What the matched probes saw."""
        pairs = zip(self.observations, self.verdicts, strict=True)
        return tuple(pair for pair in pairs if pair[0].probe.combination is Combination.MATCHED)
