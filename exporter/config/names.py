"""Domain names as they go over the wire: A-labels, lower case, no trailing dot. Each check raises ValueError."""

from __future__ import annotations

import difflib
import re
from ipaddress import ip_address

import idna

from exporter.config.scalars import text

UNKNOWN_HOST = "statuscode-exporter-unknown-host.invalid"
"""What `unknown` in `host` asks for: nobody can own a name under .invalid (RFC 6761, section 6.4)."""

SNI_WORDS = ("self", "siblings", "none")
HOST_WORDS = ("self", "siblings", "unknown")

_MAX_NAME = 253
_MAX_LABEL = 63
_MAX_INPUT = 1_000
"""Characters that are looked at; idna's checks are not linear."""

# Underscores are no host name (RFC 952), but served in the wild. Hyphens at both third and fourth place are, too.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_NOT_A_NAME = (
    ("://", "is a URL: give the name alone; `port` and `path` have keys of their own"),
    ("/", "holds a path: give the name alone, and the path in `path`"),
    ("?", "holds a query: give the name alone, and the query in `path`"),
    ("@", "holds an `@`: give the name alone"),
    ("*", "is a wildcard: give each name that is to be asked for"),
    (":", "holds a port: give the name alone, and the port in `port`"),
)


def domain_name(value: object) -> str:
    """The name to send.

    >>> domain_name("Bücher.Example.")
    'xn--bcher-kva.example'
    """
    name = text(value).strip()
    if not name or len(name) > _MAX_INPUT:
        raise ValueError("is longer than a domain name may be" if name else "must be a domain name, and is empty")
    _refuse_other_things(name)
    labels = [_label(label) for label in _mapped(name).removesuffix(".").split(".")]
    return _whole(labels)


def _refuse_other_things(name: str) -> None:
    if _is_address(name):
        raise ValueError("is an IP address: give the domain's name, and the address in `resolve`")
    for sign, fault in _NOT_A_NAME:
        if sign in name:
            raise ValueError(fault)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _mapped(name: str) -> str:
    """Lower case, and full stops of all scripts as `.` (UTS 46, section 4)."""
    if name.isascii():
        return name.lower()
    try:
        return idna.uts46_remap(name, std3_rules=False, transitional=False)
    except idna.IDNAError as error:
        raise ValueError(f"is not a valid international name: {error}") from None


def _label(label: str) -> str:
    encoded = label if label.isascii() else _a_label(label)
    if not encoded:
        raise ValueError("has an empty label: two dots stand together")
    if len(encoded) > _MAX_LABEL:
        raise ValueError(f"has a label of {len(encoded)} characters, at most {_MAX_LABEL} are allowed")
    if not _LABEL.fullmatch(encoded):
        raise ValueError("is not a domain name: labels are letters, digits, `-` and `_`, with no `-` at either end")
    return encoded


def _a_label(label: str) -> str:
    try:
        return idna.alabel(label).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"is not a valid international name: {error}") from None


def _whole(labels: list[str]) -> str:
    name = ".".join(labels)
    if len(name) > _MAX_NAME:
        raise ValueError(f"is {len(name)} characters long, at most {_MAX_NAME} are allowed")
    if _NUMBER.fullmatch(labels[-1]):  # inet_aton(3) takes `1`, `127.1` and `0x7f000001` for addresses
        raise ValueError("ends in a number, as only an IP address does: addresses stand in `resolve`")
    return name


def sni_name(value: object) -> str:
    """An item of `sni`: one of its words, or a name."""
    if value == "unknown":
        raise ValueError("is a word of `host` only: give a name here")
    return _word_or_name(value, SNI_WORDS)


def host_name(value: object) -> str:
    """An item of `host`: one of its words, or a name."""
    if value == "none":
        raise ValueError(
            "is a word of `sni` only: a request without Host is not valid HTTP/1.1 (RFC 9112, section 3.2)"
        )
    return _word_or_name(value, HOST_WORDS)


def _word_or_name(value: object, words: tuple[str, ...]) -> str:
    if value in words:
        return str(value)
    name = domain_name(value)
    meant = difflib.get_close_matches(name, words, n=1, cutoff=0.8)
    if meant:
        raise ValueError(f"did you mean `{meant[0]}`?")
    return name


def asks_for_itself(items: tuple[str, ...]) -> tuple[str, ...]:
    """The items of `sni`, if the matched probe is among them."""
    if "self" not in items:
        raise ValueError("must hold `self`: without the matched probe nothing tells whether the domain is up")
    return items
