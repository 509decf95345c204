"""The pages by their ids, read from the Markdown files that lie beside this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from exporter.runbooks.rendering import Section, rendered

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Family:
    """Causes that belong together, in the order in which an index lists them."""

    title: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One runbook.

    Attributes:
        id: of the cause, the status code as text, or one of `ABOUT_US`.
        title: one line without markup.
        html: what follows the title; its links are relative to the folder of all pages.
        sections: the headings of the second level, in order.
    """

    id: str
    title: str
    html: str
    sections: tuple[Section, ...]


FAMILIES = (
    Family(
        "Names, connections and virtual hosts",
        (
            "vhost-tls-params-differ",
            "vhost-client-cert-differs",
            "sni-policy-forbids-connection-reuse",
            "vhost-certs-overlap",
            "sni-router-with-shared-cert",
            "sni-router-lacks-name",
            "vhost-missing",
            "no-route-for-host",
            "http-version-disabled-for-host",
            "strict-sni-rejects-clients-without-sni",
            "server-rejects-sni",
            "tls-name-rejected",
            "host-header-shape",
            "tls-resumption-across-names",
            "stale-connection",
            "cdn-name-not-attached",
            "monitor-sends-no-sni",
        ),
    ),
    Family(
        "Behind the edge",
        (
            "proxy-sends-no-sni-upstream",
            "proxy-sends-wrong-sni-upstream",
            "proxy-forwards-client-sni",
            "proxy-reuses-upstream-connection",
            "proxy-loses-host",
            "plain-http-to-https-port",
            "illegal-upgrade-header-in-h2",
            "upstream-down",
            "upstream-too-slow",
            "upstream-bad-answer",
            "one-backend-misconfigured",
            "cached-error",
        ),
    ),
    Family(
        "Addresses and DNS",
        (
            "dns-failure",
            "address-serves-other-hosts",
            "address-unreachable",
            "address-sets-overlap",
            "alt-svc-wrong-server",
            "alt-svc-dead",
            "origin-frame-too-wide",
        ),
    ),
    Family(
        "Application and policy",
        (
            "application-answers-421",
            "application-rejects-host",
            "rewrite-rule-421",
            "application-error",
            "maintenance",
            "overloaded",
            "auth-required",
            "access-denied",
            "legal-or-geo-block",
            "content-missing",
            "answer-not-as-expected",
            "method-not-allowed",
            "rate-limited",
            "request-headers-too-big",
            "uri-too-long",
            "client-cert-required",
            "redirect-loop",
            "redirect-to-broken-host",
        ),
    ),
    Family(
        "Transport",
        (
            "connection-refused",
            "connection-timeout",
            "connection-reset",
            "connection-reset-on-hello",
            "closed-without-answer",
            "tls-handshake-timeout",
            "tls-handshake-failed",
            "cert-expired",
            "cert-not-yet-valid",
            "cert-name-mismatch",
            "cert-untrusted",
            "port-speaks-plain-http",
            "not-http",
            "response-headers-too-big",
            "response-timeout",
            "response-too-slow",
            "body-truncated",
            "body-never-ends",
            "http2-protocol-error",
        ),
    ),
    Family("Ourselves", ("vantage-offline", "unknown")),
)

CODES = tuple(
    str(code)
    for code in (
        *(400, 401, 403, 404, 405, 408, 410, 413, 414, 415, 416, 417, 418, 421, 425, 426, 429, 431, 451),
        *(500, 501, 502, 503, 504, 505, 507, 511),
        *(520, 521, 522, 523, 524, 525, 526, 527, 530),  # Cloudflare's
    )
)

ABOUT_US = ("exporter-in-trouble",)
"""For alerts about the exporter itself."""

_FOLDERS = {
    **{cause: "causes" for family in FAMILIES for cause in family.causes},
    **dict.fromkeys(CODES, "codes"),
    **dict.fromkeys(ABOUT_US, "exporter"),
}


def ids() -> tuple[str, ...]:
    """Of all pages: the causes by family, the codes, and what is about the exporter itself."""
    return tuple(_FOLDERS)


@cache
def titles() -> Mapping[str, str]:
    """Of all pages by id, as `ids` orders them; without rendering any, which would take a tenth of a second."""
    return {id_: _source(id_)[0] for id_ in _FOLDERS}


def page(id_: str) -> Page | None:
    """The page of an id; `None`: there is none. Never opens a file that `ids` does not name."""
    return _read(id_) if id_ in _FOLDERS else None


def markdown(id_: str) -> str | None:
    """A page as it was written, its title first; `None`: there is none."""
    if id_ not in _FOLDERS:
        return None
    title, text = _source(id_)
    return f"# {title}\n{text}"


@lru_cache(maxsize=len(_FOLDERS))
def _read(id_: str) -> Page:
    """Rendered once, in about a millisecond: the files of a package do not change while it runs."""
    title, text = _source(id_)
    html, sections = rendered(text)
    return Page(id_, title, html, sections)


def _source(id_: str) -> tuple[str, str]:
    """The title, and what follows it."""
    text = (_HERE / _FOLDERS[id_] / f"{id_}.md").read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    return title.removeprefix("# "), rest
