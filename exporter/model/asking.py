"""What is asked, and how: targets as configured, probes, and the connections that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exporter.model.words import Combination, Connection, IpFamily, Method, Protocol, Transport


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
