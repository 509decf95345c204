"""Settings of several levels laid upon each other, and what must hold between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from exporter.config import addresses, durations
from exporter.config.complaints import Complaints
from exporter.config.labels import MAX_LABELS
from exporter.config.schema import SETTINGS, Expectation, Settings
from exporter.config.sections import Section
from exporter.config.surroundings import Surroundings

Values = Mapping[str, object]
Faults = Mapping[str, str]


def merged(below: Values, above: Values) -> dict[str, object]:
    """`above` laid upon `below`: mappings merge key by key, None takes away, everything else replaces."""
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            lower = result.get(key)
            result[key] = merged(lower if isinstance(lower, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def settle(levels: Sequence[Section], complaints: Complaints, surroundings: Surroundings) -> Settings:
    """The settings in force under these levels, the last winning. What cannot go together is complained of."""
    values: dict[str, object] = {}
    for level in levels:
        values = merged(values, {key: value for key, value in level.given.items() if key in SETTINGS})
    settings = _settings(values)
    broken = frozenset().union(*(level.broken for level in levels))
    for rule in _RULES:
        if not broken & set(rule.keys):
            _complain(rule.judge(settings, surroundings), levels, complaints)
    return settings


def _settings(values: Values) -> Settings:
    """The checks have seen to the types; what is not given has its default."""
    known = cast("dict[str, Any]", dict(values))
    if "expect" in known:
        known["expect"] = Expectation(**known["expect"])
    return Settings(**known)


def _complain(faults: Faults, levels: Sequence[Section], complaints: Complaints) -> None:
    """At the innermost level that set one of the keys at fault."""
    for level in reversed(levels):
        for key, message in faults.items():
            node = level.node.child(key)
            if node is not None:
                complaints.add(node.place, (*level.path, key), message)
                return


@dataclass(frozen=True, slots=True)
class _Rule:
    """Something that several keys, or several levels, can only break together.

    Attributes:
        judge: gives the message for each key that may be blamed; empty: all is well.
    """

    keys: tuple[str, ...]
    judge: Callable[[Settings, Surroundings], Faults]


def _timeout_within_interval(settings: Settings, _: Surroundings) -> Faults:
    if settings.timeout <= settings.interval:
        return {}
    timeout, interval = durations.render(settings.timeout), durations.render(settings.interval)
    return {
        "timeout": f"{timeout} is longer than the interval of {interval}",
        "interval": f"{interval} is shorter than the timeout of {timeout}",
    }


def _resolve_has_family(settings: Settings, _: Surroundings) -> Faults:
    if not settings.resolve or addresses.of_family(settings.resolve, settings.ip_family):
        return {}
    family = settings.ip_family
    return {
        "resolve": f"holds no address of the family that `ip_family` demands, {family}",
        "ip_family": f"{family} is demanded, and `resolve` holds no such address",
    }


def _key_has_certificate(settings: Settings, _: Surroundings) -> Faults:
    alone = settings.client_key is not None and settings.client_certificate is None
    return {"client_key": "needs `client_certificate` beside it"} if alone else {}


def _certificate_fits_key(settings: Settings, surroundings: Surroundings) -> Faults:
    if settings.client_certificate is None:
        return {}
    try:
        surroundings.check_pair(settings.client_certificate, settings.client_key or settings.client_certificate)
    except ValueError as error:
        return dict.fromkeys(("client_certificate", "client_key"), str(error))
    return {}


def _labels_are_few(settings: Settings, _: Surroundings) -> Faults:
    count = len(settings.labels)
    few = count <= MAX_LABELS
    return {} if few else {"labels": f"has {count} entries with those inherited, at most {MAX_LABELS} are allowed"}


_RULES = (
    _Rule(("timeout", "interval"), _timeout_within_interval),
    _Rule(("resolve", "ip_family"), _resolve_has_family),
    _Rule(("client_certificate", "client_key"), _key_has_certificate),
    _Rule(("client_certificate", "client_key"), _certificate_fits_key),
    _Rule(("labels",), _labels_are_few),
)
