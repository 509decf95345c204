"""`--web.config.file`: who may ask this exporter, and by which certificate it is known.

The keys are those of Prometheus' exporter-toolkit, so that one file serves exporters of all kinds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PlainValidator, TypeAdapter

from exporter.config import scalars, source
from exporter.config.complaints import Complaints
from exporter.config.schema import MAX_LISTED, Key, keys_of
from exporter.config.sections import Reader, Section
from exporter.config.surroundings import Surroundings, bundle_of_authorities, existing_file

_USER = re.compile(r"[^:\x00-\x1f\x7f]{1,256}")
"""RFC 7617, section 2: a colon would end the name."""
_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
_COSTS = range(4, 16)
"""15 takes two seconds of a processor for each new password, and each wrong one."""


class ClientAuth(StrEnum):
    """Which certificates clients must show. Go's other two, which ask for one and do not verify it, protect nothing."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


class TlsVersion(StrEnum):
    TLS12 = "TLS12"
    TLS13 = "TLS13"


def _user(value: object) -> str:
    given = scalars.text(value)
    if not _USER.fullmatch(given):
        raise ValueError("must be a name of 1 to 256 characters without a colon")
    return given


def _hash(value: object) -> str:
    found = _BCRYPT.fullmatch(scalars.text(value))
    if found is None:
        raise ValueError("must be a bcrypt hash, as `htpasswd -nB` makes it, not a password")
    if int(found["cost"]) not in _COSTS:
        raise ValueError(f"has a cost of {int(found['cost'])}: from {_COSTS[0]} to {_COSTS[-1]} are taken")
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServer:
    """Keys of `tls_server_config`.

    Attributes:
        cert_file, key_file, client_ca_file: absolute paths of PEM files.
    """

    cert_file: Annotated[str, PlainValidator(existing_file)]
    key_file: Annotated[str, PlainValidator(existing_file)]
    client_ca_file: Annotated[str, PlainValidator(bundle_of_authorities)] | None = None
    client_auth_type: Annotated[ClientAuth, PlainValidator(scalars.one_of(ClientAuth))] = ClientAuth.NONE
    min_version: Annotated[TlsVersion, PlainValidator(scalars.one_of(TlsVersion))] = TlsVersion.TLS12


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says.

    Attributes:
        users: bcrypt hashes by user; empty: nobody is asked for a password.
        tls: None: plain HTTP.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    tls: TlsServer | None = None


OPEN = WebConfig()
"""Where there is no such file."""


_USERS = Annotated[
    dict[Annotated[str, PlainValidator(_user)], Annotated[str, PlainValidator(_hash)]],
    AfterValidator(scalars.at_most(MAX_LISTED)),
]
_TOP = {"tls_server_config": Key(keys_of(TlsServer)), "basic_auth_users": Key(TypeAdapter(_USERS))}


def load_web(path: Path) -> WebConfig:
    """Read the file; raises ConfigError with all that is wrong with it."""
    text, complaints = source.read(path), Complaints(str(path))
    surroundings = Surroundings(path.parent, {})
    root = source.compose(text, complaints, wanted="`tls_server_config` or `basic_auth_users`")
    top = Reader(complaints, surroundings).section(root, (), _TOP) if root else None
    tls = _tls(top, complaints, surroundings) if top else None
    complaints.raise_any()
    if top is None:
        raise AssertionError("a document that gives nothing gives a complaint")
    users = top.given.get("basic_auth_users")
    return WebConfig(users if isinstance(users, Mapping) else {}, tls)


def _tls(top: Section, complaints: Complaints, surroundings: Surroundings) -> TlsServer | None:
    given = top.given.get("tls_server_config")
    if not isinstance(given, Mapping) or not {"cert_file", "key_file"} <= given.keys():
        return None
    tls = TlsServer(**{key: value for key, value in given.items() if value is not None})
    path = ("tls_server_config",)
    place = top.node.follow(path)[0].place
    try:
        surroundings.check_pair(tls.cert_file, tls.key_file)
    except ValueError as error:
        complaints.add(place, (*path, "cert_file"), str(error))
    if (tls.client_auth_type is ClientAuth.NONE) != (tls.client_ca_file is None):
        complaints.add(place, path, "needs both `client_ca_file` and a `client_auth_type` that asks for it, or neither")
    return tls
