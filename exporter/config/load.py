"""A configuration file to a Config, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.config import source
from exporter.config.complaints import Complaints, KeyPath, shown
from exporter.config.levels import settle
from exporter.config.schema import DOMAIN, GLOBAL, GROUP, LIMITS, NAME, TOP, Grafana, Limits, Settings
from exporter.config.sections import Reader, Section
from exporter.config.source import Node
from exporter.config.surroundings import Surroundings
from exporter.config.targets import Group, Pool, target
from exporter.model import Target

MAX_TARGETS = 100_000


@dataclass(frozen=True, slots=True)
class Config:
    """What the exporter is to do.

    Attributes:
        targets: in configured order, every setting in force.
        max_in_flight: connections open at once; `max_in_flight_per_address` of them to one address.
        max_series: samples of the probe matrix that are exported.
        confirm_rounds, resolve_rounds: after how many rounds an incident is told of, and over.
        scrape_interval_seconds: how often Prometheus asks.
        grafana: where incidents are written as annotations; None: nowhere.
    """

    targets: tuple[Target, ...]
    max_in_flight: int
    max_in_flight_per_address: int
    max_series: int
    confirm_rounds: int = 2
    resolve_rounds: int = 2
    scrape_interval_seconds: float = 60.0
    grafana: Grafana | None = None


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file and the secrets and certificates that it names; raises ConfigError with all that is wrong."""
    return parse(source.read(path), path, environ)


def parse(text: str, path: Path, environ: Mapping[str, str]) -> Config:
    """What `text` says; `path` is how complaints call it, and where relative paths begin."""
    complaints = Complaints(str(path))
    root = source.compose(text, complaints)
    config = _Loading(complaints, Surroundings(path.parent, environ)).config(root) if root else None
    complaints.raise_any()
    if config is None:
        raise AssertionError("a document that gives no configuration gives a complaint")
    return config


@dataclass(frozen=True, slots=True)
class _Domain:
    """A domain whose name is right, before its siblings are known."""

    name: str
    settings: Settings


class _Loading:
    """One reading of one document."""

    def __init__(self, complaints: Complaints, surroundings: Surroundings) -> None:
        self._complaints = complaints
        self._surroundings = surroundings
        self._reader = Reader(complaints, surroundings)
        self._pool = Pool()
        self._seen_domains: dict[str, Section] = {}
        self._seen_groups: dict[str, Section] = {}

    def config(self, root: Node) -> Config | None:
        """The configuration; only of use if nothing was complained of."""
        top = self._reader.section(root, (), TOP)
        shared = self._shared(top)
        groups = list(self._reader.items(top, "groups"))
        if self._are_too_many(top, groups):
            return None
        targets = tuple(found for path, node in groups for found in self._group(node, path, shared))
        limits = Limits(**_given(shared, LIMITS))
        return Config(
            targets,
            limits.max_in_flight,
            limits.max_in_flight_per_address,
            limits.max_series,
            limits.confirm_rounds,
            limits.resolve_rounds,
            limits.scrape_interval,
            self._grafana(top),
        )

    @staticmethod
    def _grafana(top: Section) -> Grafana | None:
        given = top.given.get("grafana")
        if not isinstance(given, Mapping) or not {"url", "token_file"} <= given.keys():
            return None
        return Grafana(**{key: value for key, value in given.items() if value is not None})

    def _shared(self, top: Section) -> Section:
        """The settings of `global`."""
        node = top.given.get("global")
        if isinstance(node, Node):
            return self._reader.section(node, ("global",), GLOBAL)
        return Section(top.node, ("global",), {})

    def _are_too_many(self, top: Section, groups: Iterable[tuple[KeyPath, Node]]) -> bool:
        domains = (group.follow(("domains",))[0].value for _, group in groups)
        total = sum(len(value) for value in domains if isinstance(value, tuple))
        if total > MAX_TARGETS:
            message = f"hold {total:,} domains together, at most {MAX_TARGETS:,} are allowed"
            self._complaints.add(top.node.follow(("groups",))[0].place, ("groups",), message)
        return total > MAX_TARGETS

    def _group(self, node: Node, path: KeyPath, shared: Section) -> Iterator[Target]:
        group = self._reader.section(node, path, GROUP)
        self._refuse_second_group(group)
        domains = tuple(self._domains(group, shared))
        names = tuple(domain.name for domain in domains)
        members = Group(str(group.given.get("name")), names, frozenset(names))
        return (target(domain.name, members, domain.settings, self._pool) for domain in domains)

    def _refuse_second_group(self, group: Section) -> None:
        name = group.given.get("name")
        first = self._seen_groups.setdefault(name, group) if isinstance(name, str) else group
        if first is not group:
            place = group.node.follow(("name",))[0].place
            self._complaints.add(place, (*group.path, "name"), f"is also the name of {_where(first)}")

    def _domains(self, group: Section, shared: Section) -> Iterator[_Domain]:
        """The group's domains that have a right name."""
        inherited = settle((shared, group), self._complaints, self._surroundings)
        for path, node in self._reader.items(group, "domains"):
            if isinstance(node.value, Mapping):
                section = self._reader.section(node, path, DOMAIN)
                settings = settle((shared, group, section), self._complaints, self._surroundings)
                name = section.given.get("domain")
            else:
                name, settings = self._reader.value(node, path, NAME), inherited
            if isinstance(name, str) and self._is_first(name, Section(node, path, {})):
                yield _Domain(name, settings)

    def _is_first(self, name: str, here: Section) -> bool:
        first = self._seen_domains.setdefault(name, here)
        if first is not here:
            self._complaints.add(here.node.place, here.path, f"{name} is already configured as {_where(first)}")
        return first is here


def _given(section: Section, keys: Iterable[str]) -> dict[str, Any]:
    """The checked values that are not None: the checks have seen to their types."""
    return {key: value for key in keys if (value := section.given.get(key)) is not None}


def _where(first: Section) -> str:
    return f"{shown(first.path)} in line {first.node.place.line}"
