"""Every key that a configuration may hold, with its check and its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Annotated, get_type_hints

from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter, ValidationInfo

from exporter import __version__, extras
from exporter.config import addresses, durations, expectations, labels, names, request, scalars
from exporter.config.surroundings import bundle_of_authorities, existing_file, surroundings_of
from exporter.model import Expect, IpFamily, Method, Protocol, StatusRange

MAX_LISTED = 100


def _secret_file(value: object, info: ValidationInfo) -> str:
    if not surroundings_of(info).secret_in_file(value).strip():
        raise ValueError("names a file that is empty")
    return existing_file(value, info)


def _speakable(protocol: Protocol) -> Protocol:
    if not extras.can_speak(protocol):
        raise ValueError(f"{protocol} needs an optional library: {extras.how_to_speak(protocol)}")
    return protocol


_AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000)]
_Rounds = Annotated[int, Field(ge=1, le=1_000)]
_Bounded = AfterValidator(scalars.at_most(MAX_LISTED))
_NotEmpty = AfterValidator(scalars.not_empty)
_Distinct = AfterValidator(scalars.distinct)
_Pattern = Annotated[str, PlainValidator(expectations.pattern)]
_Seconds = Annotated[float, PlainValidator(durations.parse)]
_MaxSeconds = Annotated[float, PlainValidator(durations.parse_seconds)]
_Interval = Annotated[float, PlainValidator(durations.parse_interval)]
_FieldName = Annotated[str, PlainValidator(request.field_name)]
_FieldValue = Annotated[request.HeaderValue, PlainValidator(request.field_value)]
_Headers = Annotated[dict[_FieldName, _FieldValue | None], _Bounded, AfterValidator(request.headers)]
_AnswerFieldName = Annotated[str, PlainValidator(request.lower_field_name)]
_LabelName = Annotated[str, PlainValidator(labels.label_name)]
_LabelValue = Annotated[str, PlainValidator(labels.label_value)]
_Address = Annotated[str, PlainValidator(addresses.address)]
_SniName = Annotated[str, PlainValidator(names.sni_name)]
_HostName = Annotated[str, PlainValidator(names.host_name)]
_Protocol = Annotated[Protocol, PlainValidator(scalars.one_of(Protocol)), AfterValidator(_speakable)]
_Tag = Annotated[str, PlainValidator(scalars.tag)]
_ClientFile = Annotated[str, PlainValidator(existing_file)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Keys of `global` alone."""

    max_in_flight: _AtLeastOne = 64
    max_in_flight_per_address: _AtLeastOne = 8
    max_series: _AtLeastOne = 100_000
    confirm_rounds: _Rounds = 2
    resolve_rounds: _Rounds = 2
    scrape_interval: _Seconds = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grafana:
    """Keys of `grafana`.

    Attributes:
        token_file: its absolute path; the token is read anew whenever it is used.
    """

    url: Annotated[str, PlainValidator(scalars.url)]
    token_file: Annotated[str, PlainValidator(_secret_file)]
    dashboard_uid: Annotated[str, PlainValidator(scalars.grafana_uid)] | None = None
    tags: Annotated[tuple[_Tag, ...], AfterValidator(scalars.at_most(10)), _Distinct] = ("statuscode",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Keys of `expect`."""

    status: Annotated[tuple[StatusRange, ...], PlainValidator(expectations.statuses)] = Expect().status
    body_regex: _Pattern | None = None
    header_regex: Annotated[dict[_AnswerFieldName, _Pattern | None], _Bounded] = field(default_factory=dict)
    max_seconds: _MaxSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Keys that may stand at `global`, at a group and at a domain."""

    interval: _Interval = 60.0
    timeout: _Seconds = 10.0
    port: Annotated[int, Field(ge=1, le=65_535)] = 443
    path: Annotated[str, PlainValidator(request.path)] = "/"
    method: Annotated[Method, PlainValidator(scalars.one_of(Method))] = Method.GET
    headers: request.Headers = field(default_factory=dict)
    user_agent: Annotated[str, PlainValidator(request.user_agent)] = f"statuscode-exporter/{__version__}"
    protocols: Annotated[tuple[_Protocol, ...], _NotEmpty, _Bounded, _Distinct] = (Protocol.HTTP11, Protocol.H2)
    sni: Annotated[tuple[_SniName, ...], _NotEmpty, _Bounded, AfterValidator(names.asks_for_itself)] = names.SNI_WORDS
    host: Annotated[tuple[_HostName, ...], _Bounded] = ("siblings", "unknown")
    addresses: Annotated[int | None, PlainValidator(addresses.limit)] = None
    resolve: Annotated[tuple[_Address, ...], _Bounded, _Distinct] = ()
    ip_family: Annotated[IpFamily, PlainValidator(scalars.one_of(IpFamily))] = IpFamily.ANY
    ca_file: Annotated[str, PlainValidator(bundle_of_authorities)] | None = None
    client_certificate: _ClientFile | None = None
    client_key: _ClientFile | None = None
    verify: bool = True
    hold: bool = False
    expect: Expectation = field(default_factory=Expectation)
    labels: Annotated[dict[_LabelName, _LabelValue | None], AfterValidator(scalars.at_most(labels.MAX_LABELS))] = field(
        default_factory=dict
    )
    siblings_per_round: Annotated[int, Field(ge=1, le=1_000)] = 8


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what checks its value, and whether it may be left out.

    Attributes:
        check: a pydantic adapter, or the keys of the section that stands there; None: its own code reads it.
    """

    check: TypeAdapter[object] | Mapping[str, Key] | None
    required: bool = False


def keys_of(kind: type) -> dict[str, Key]:
    """The keys that a dataclass describes."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        item.name: Key(
            TypeAdapter(hints[item.name]),
            required=item.default is MISSING and item.default_factory is MISSING,
        )
        for item in fields(kind)
    }


EXPECT = keys_of(Expectation)
SETTINGS = keys_of(Settings) | {"headers": Key(TypeAdapter(_Headers)), "expect": Key(EXPECT)}
LIMITS = keys_of(Limits)
GLOBAL = LIMITS | SETTINGS
GROUP = {
    "name": Key(TypeAdapter(Annotated[str, PlainValidator(labels.group_name)]), required=True),
    "domains": Key(None, required=True),
} | SETTINGS
NAME = TypeAdapter[object](Annotated[str, PlainValidator(names.domain_name)])
DOMAIN = {"domain": Key(NAME, required=True)} | SETTINGS
GRAFANA = keys_of(Grafana)
TOP = {"global": Key(None), "grafana": Key(GRAFANA), "groups": Key(None, required=True)}
