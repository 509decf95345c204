"""All causes by id, in the order of their numbers. An id or a number is given once, for ever."""

from __future__ import annotations

from types import ModuleType

from exporter.diagnosis.cause import Cause
from exporter.diagnosis.causes import (
    addresses,
    application,
    backends,
    certificates,
    hello,
    ourselves,
    policy,
    proxies,
    redirects,
    sessions,
    sharing,
    transport,
    upstreams,
    vhosts,
)
from exporter.model import Severity

UNKNOWN_ID = "unknown"
UNKNOWN = Cause(UNKNOWN_ID, 999, "None of the known causes fits", Severity.CRITICAL, frozenset(), lambda _: None)

_FAMILIES: tuple[ModuleType, ...] = (
    addresses,
    application,
    backends,
    certificates,
    hello,
    ourselves,
    policy,
    proxies,
    redirects,
    sessions,
    sharing,
    transport,
    upstreams,
    vhosts,
)


def _catalogue() -> dict[str, Cause]:
    found = [one for family in _FAMILIES for one in vars(family).values() if isinstance(one, Cause)]
    found.append(UNKNOWN)
    causes = {one.id: one for one in sorted(found, key=lambda one: one.number)}
    assert len(causes) == len(found) == len({one.number for one in found}), "an id or a number stands twice"  # noqa: S101
    return causes


CAUSES: dict[str, Cause] = _catalogue()
