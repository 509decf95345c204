"""What a scenario is: servers, the names that lead to them, the true cause, and what curl must see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.real.authority import NEXT_YEAR, PAST

HEALTHY = "healthy"
EDGE = "edge"
BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that servers show.

    Attributes:
        is_trusted: whether the authority that the prober trusts has signed it.
    """

    names: tuple[str, ...]
    not_before: datetime = PAST
    not_after: datetime = NEXT_YEAR
    is_trusted: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """One process.

    Attributes:
        kind: a row of `tests.lab.servers`.
        text: its configuration, its program or its behaviour, with holes: `@edge` is the endpoint of that name,
            `@edge_address` and `@edge_port` its parts, `@<certificate>` a PEM file, `@pages/<domain>` a folder.
        at: the place where it listens when it is ready.
        options: further arguments, with holes too.
        files: what else its folder, `@folder`, must hold.
    """

    kind: str
    text: str
    at: str = EDGE
    options: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One question of curl, and what it must see.

    Attributes:
        seen: a status, or a word of `tests.lab.curl` for what came instead of one.
        says: stands in the body.
        http2: ask by HTTP/2 (and by nothing else).
        follows: go after redirects.
        verifies: hold the certificate against the authority that the prober trusts.
        header: a further field.
    """

    sni: str | None
    host: str
    seen: int | str
    says: str = ""
    path: str = "/"
    at: str = EDGE
    http2: bool = False
    follows: bool = False
    verifies: bool = False
    header: str = ""

    def __str__(self) -> str:
        version = "h2" if self.http2 else "h1"
        return f"{version} SNI {self.sni or 'none'} Host {self.host} {self.path[:40]} at {self.at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Servers set up wrongly, or well, and the truth about them.

    Attributes:
        cause: an id of the project's causes, or `healthy`.
        why: for whoever reads the confusion list.
        targets: each domain, and the places that its addresses are; a name that is no place stands for itself, and a
            domain without places is left to DNS.
        broken: the domains that have the cause; none: it is latent, and whoever names it at all is right.
        alike: causes that nobody can tell from it from outside.
        besides: what may be said of a neighbour, for it is true too as long as the fault is there.
        also: domains with a cause of their own beside it.
        settings: further keys of a domain in the exporter's configuration.
        every: keys of all of them.
        places: further endpoints for servers behind the edge, and for nobody.
        visits: cells that are asked first, so that a cache is filled.
        fixed: what is otherwise in the variant where somebody mended it; None: there is no such variant.
    """

    name: str
    cause: str
    why: str
    targets: Mapping[str, tuple[str, ...]]
    servers: tuple[Server, ...]
    shows: tuple[Cell, ...]
    certificates: Mapping[str, Leaf] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    every: Mapping[str, object] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    visits: tuple[Cell, ...] = ()
    fixed: Mapping[str, object] | None = None

    @property
    def is_healthy(self) -> bool:
        return self.cause == HEALTHY

    def variants(self) -> Iterator[Scenario]:
        """The scenario, and what is left of it when it is mended."""
        yield self
        if self.fixed is not None:
            mended = {"cause": HEALTHY, "broken": (), "alike": (), "besides": (), "also": {}, "fixed": None}
            yield replace(self, name=f"{self.name}-fixed", **mended, **self.fixed)
