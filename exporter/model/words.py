"""The closed sets: words that code, metrics, pages and logs share."""

from __future__ import annotations

from enum import StrEnum

MISDIRECTED = 421
"""Misdirected Request: RFC 9110, section 15.5.20."""


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


class Client(StrEnum):
    """Browsers whose rules for reusing a connection are known."""

    CHROMIUM = "chromium"
    FIREFOX = "firefox"
    FIREFOX_AGGRESSIVE = "firefox-aggressive"
    """With the preference `network.http.http2.aggressive_coalescing`, which is off unless somebody sets it."""


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    CRITICAL = "critical"
    """An outage for everybody."""
    WARNING = "warning"
    """Wrong for some clients or at some addresses."""
    INFO = "info"
    """Latent, cosmetic, or as it is meant to be."""


class Experiment(StrEnum):
    """What is varied to tell one cause from another, and what that tells. The numbers are those of the catalogue."""

    REPEAT = "repeat"  # C1: does it last?
    NO_SNI = "no-sni"  # C2: is it for clients without SNI only?
    SIBLING_SNI = "sibling-sni"  # C3: is the name served on a neighbour's handshake?
    REVERSE = "reverse"  # C4: and the neighbour on this name's?
    UNKNOWN_HOST = "unknown-host"  # C6: is it for every Host, or for this one?
    UNKNOWN_NAME = "unknown-name"  # C7: what does the default site say?
    HOST_SHAPE = "host-shape"  # C8: does the spelling of the name matter?
    INTERLEAVED = "interleaved"  # C9: does the answer depend on who was asked before?
    OTHER_PATH = "other-path"  # C11: is it for every path and method?
    RESUMED = "resumed"  # C12: does a resumed session get another answer?
    FIELDS = "fields"  # C11: do the request's own fields matter?
    FOLLOWED = "followed"  # where does a redirect within the site lead?
    SAME_CONNECTION = "same-connection"  # C13: what does the connection say after the refusal?
    PLAIN_HTTP = "plain-http"  # C15: what is said without TLS?
    TLS12 = "tls1.2"  # C16: does the TLS version matter?
    HTTP11 = "http/1.1"  # C16: does the HTTP version matter?


class Variation(StrEnum):
    """How one answer of an experiment was asked for."""

    AS_CONFIGURED = "as configured"
    TRAILING_DOT = "Host with a trailing dot"
    UPPER_CASE = "Host in upper case"
    WITH_PORT = "Host with the port"
    WITHOUT_PORT = "Host without a port"
    OTHER_PORT = "Host with another port"
    SNI_TRAILING_DOT = "SNI with a trailing dot"
    NO_SUCH_PATH = "a path that nobody has"
    ROOT_PATH = "the path /"
    NEW_QUERY = "a query that no cache knows"
    HEAD = "the method HEAD"
    NO_FIELDS = "without the configured fields"
    REDIRECTED = "where the redirect leads"
    OWN_SESSION = "its own session resumed"
    NEIGHBOURS_SESSION = "the neighbour's session resumed"
    NEIGHBOUR = "the neighbour's name"
    AGAIN = "the name again"
