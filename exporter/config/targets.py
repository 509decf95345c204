"""From a domain and its settings to the Target, sharing what is equal."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from exporter.config import addresses
from exporter.config.names import HOST_WORDS, SNI_WORDS, UNKNOWN_HOST
from exporter.config.schema import Expectation, Settings
from exporter.model import Expect, Target

Value = TypeVar("Value", bound=Hashable)


class Pool:
    """Gives equal values as one object: thousands of targets have the same headers, labels and expectations."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Hashable] = {}

    def same(self, value: Value) -> Value:
        found = self._values.setdefault(value, value)
        return found if isinstance(found, type(value)) else value


@dataclass(frozen=True, slots=True)
class Group:
    """Domains that are served together.

    Attributes:
        siblings: all of them in configured order; the targets share this tuple.
        members: the same, to look up in.
    """

    name: str
    siblings: tuple[str, ...]
    members: frozenset[str]


def target(domain: str, group: Group, settings: Settings, pool: Pool) -> Target:
    """The target of `domain` in its group."""
    return Target(
        domain=domain,
        group=group.name,
        siblings=group.siblings,
        interval_seconds=settings.interval,
        timeout_seconds=settings.timeout,
        port=settings.port,
        path=settings.path,
        method=settings.method,
        headers=pool.same(tuple(entry for entry in settings.headers.values() if entry)),
        user_agent=settings.user_agent,
        protocols=settings.protocols,
        snis=(domain, *pool.same(tuple(_snis(domain, group, settings)))),
        hosts=pool.same(tuple(_hosts(domain, group, settings))),
        sibling_snis="siblings" in settings.sni,
        sibling_hosts="siblings" in settings.host,
        max_addresses=settings.addresses,
        siblings_per_round=settings.siblings_per_round,
        resolve=pool.same(addresses.of_family(settings.resolve, settings.ip_family)),
        ip_family=settings.ip_family,
        ca_file=settings.ca_file,
        client_certificate=settings.client_certificate,
        client_key=settings.client_key or settings.client_certificate,
        verify=settings.verify,
        hold=settings.hold,
        expect=pool.same(_expect(settings.expect)),
        labels=pool.same(_texts(settings.labels)),
    )


def _snis(domain: str, group: Group, settings: Settings) -> Iterator[str | None]:
    """Without the domain, and without the siblings where all of them are asked anyway."""
    for item in dict.fromkeys(settings.sni):
        if item == "none":
            yield None
        elif item not in SNI_WORDS and item != domain and not ("siblings" in settings.sni and item in group.members):
            yield item


def _hosts(domain: str, group: Group, settings: Settings) -> Iterator[str]:
    """As `_snis`."""
    for item in dict.fromkeys(UNKNOWN_HOST if item == "unknown" else item for item in settings.host):
        if item not in HOST_WORDS and item != domain and not ("siblings" in settings.host and item in group.members):
            yield item


def _expect(expectation: Expectation) -> Expect:
    return Expect(
        status=expectation.status,
        body_regex=expectation.body_regex,
        header_regex=_texts(expectation.header_regex),
        max_seconds=expectation.max_seconds,
    )


def _texts(pairs: dict[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in pairs.items() if text is not None)
