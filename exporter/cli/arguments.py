"""What `check` is asked, as people type it: names, or addresses out of a browser. Held to the configuration's rules."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from exporter import config
from exporter.config import Config, ConfigError

_FLAGS = {
    "port": "--port",
    "path": "--path",
    "ca_file": "--ca-file",
    "timeout": "--timeout",
    "interval": "--timeout",
    "resolve": "--address",
}
_COMPLAINT = re.compile(r"arguments:\d+: groups\[0\]\.(?P<key>\w+)(?:\[(?P<index>\d+)\])?(?:\.\w+)?: (?P<message>.*)")
_MORE_THAN_A_NAME = re.compile(r"[/:?#]")
_IPV6 = re.compile(r"\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.%a-z]*\]?")
_MOST_CHARACTERS = 200

Domain = Mapping[str, object]


def configuration(options: argparse.Namespace) -> Config:
    """The file's, or one made of the arguments. Raises ConfigError, which names the argument."""
    given = {key: getattr(options, key) for key in ("port", "path", "ca_file", "timeout")}
    settings = {key: value for key, value in given.items() if value is not None}
    if options.config_file is not None:
        if options.domains or options.siblings or options.addresses or settings:
            raise ConfigError(["check: give names and settings, or --config.file, not both"])
        return config.load(options.config_file, os.environ)
    if not options.domains:
        raise ConfigError(["check: give the names to check, or --config.file"])
    if options.addresses:
        settings["resolve"] = options.addresses
    if "timeout" in settings:
        settings["interval"] = "1h"  # which bounds the timeout, and means nothing here
    if "ca_file" in settings:
        settings["ca_file"] = str(Path(settings["ca_file"]).absolute())
    return _parsed(settings, _domains([*options.domains, *options.siblings]))


def _parsed(settings: Mapping[str, object], domains: Mapping[str, Domain]) -> Config:
    document = {"groups": [{"name": "check", **settings, "domains": list(domains.values())}]}
    try:
        return config.parse(json.dumps(document), Path("arguments"), os.environ)
    except ConfigError as error:
        raise ConfigError(_told(complaint, list(domains)) for complaint in error.complaints) from None


def _domains(texts: Iterable[str]) -> dict[str, Domain]:
    """The settings of each, by what was typed; a name that was typed twice counts once."""
    found: dict[str, Domain] = {}
    names: dict[object, str] = {}
    for text in texts:
        domain = _domain(text)
        first = names.setdefault(domain["domain"], text)
        if first == text:
            found[text] = domain
        elif found[first] != domain and len(domain) > 1:
            raise ConfigError(
                [f"check: {_shown(text)}: is the same name as {_shown(first)}: it can be asked for one way"]
            )
    return found


def _domain(text: str) -> Domain:
    """Its settings.

    >>> _domain("https://shop.example:8443/cart?id=1#top"), _domain("Shop.Example")
    ({'domain': 'shop.example', 'port': 8443, 'path': '/cart?id=1'}, {'domain': 'shop.example'})
    """
    if not _MORE_THAN_A_NAME.search(text) or _IPV6.fullmatch(text):
        return {"domain": _name(text)}
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise ConfigError([f"check: {_shown(text)}: is no address: {error}"]) from None
    _refuse(parts, text)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    more = {"port": port} if port is not None else {}
    return {"domain": _name(parts.hostname or ""), **more, **({"path": path} if path != "/" else {})}


def _name(text: str) -> str:
    return text.lower().removesuffix(".")


def _refuse(parts: SplitResult, text: str) -> None:
    if parts.username is not None or parts.password is not None:
        raise ConfigError(["check: a user or a password stands in an address: leave it out"])
    if parts.scheme != "https":
        raise ConfigError([f"check: {_shown(text)}: only https is asked for"])


def _told(complaint: str, typed: list[str]) -> str:
    """The complaint about the argument that it is about."""
    found = _COMPLAINT.fullmatch(complaint)
    if found is None:
        return complaint.replace("arguments:1", "check", 1)
    key, index, message = found["key"], found["index"], found["message"].replace("`resolve`", "`--address`")
    if key == "domains" and index is not None:
        return f"check: {_shown(typed[int(index)])}: {message}"
    return f"check: {_FLAGS.get(key, key)}: {message}"


def _shown(text: str) -> str:
    return ascii(text[:_MOST_CHARACTERS])
