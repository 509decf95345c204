"""Single answers, and what they are worth: right or wrong, whose page, and from how far behind the edge. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from exporter.diagnosis import servers
from exporter.model import (
    MISDIRECTED,
    Client,
    Failure,
    Observation,
    Page,
    Protocol,
    Response,
    Target,
    Verdict,
)
from exporter.pages import differences, page_of


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to the domain's own name on a connection of its own.

    Attributes:
        is_right: whether the status is one that is expected; what the certificate is worth is another question.
    """

    seen: Observation
    verdict: Verdict
    is_right: bool

    @property
    def address(self) -> str:
        return self.seen.probe.address or ""

    @property
    def protocol(self) -> Protocol:
        return self.seen.probe.protocol

    @property
    def status(self) -> int | None:
        return status_of(self.seen)

    @property
    def failure(self) -> Failure | None:
        return self.seen.failure

    @property
    def answer(self) -> str:
        return answer_of(self.seen)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the domain was answered on a sibling's connection.

    Attributes:
        clients: the browsers that would ask there; never empty.
        is_refused: by 421, after which clients ask anew; otherwise what came is another page, or none.
    """

    opener: str
    seen: Observation
    verdict: Verdict
    clients: frozenset[Client]
    is_refused: bool


def status_of(seen: Observation) -> int | None:
    return seen.response.status if seen.response is not None else None


def answer_of(seen: Observation) -> str:
    """A word for what came: the status, or phase and kind of the failure."""
    if seen.failure is not None:
        return f"{seen.failure.phase} {seen.failure.kind}"
    return str(seen.response.status) if seen.response is not None else "no answer"


def is_right(target: Target, seen: Observation) -> bool:
    response = seen.response
    return (
        seen.failure is None
        and response is not None
        and any(response.status in statuses for statuses in target.expect.status)
    )


def page(seen: Observation) -> Page | None:
    """What kind of page it is; None: no answer, or its body is no longer there."""
    if seen.page is not None or seen.response is None:
        return seen.page
    response = seen.response
    return _made_out(response) if response.body or not response.body_bytes else None


@lru_cache(maxsize=64)
def _made_out(response: Response) -> Page:
    """The causes of one diagnosis ask for the same few pages again and again."""
    return page_of(response)


def same_kind(one: Observation, other: Observation) -> bool:
    """Whether two answers are pages of one kind, whatever words they hold: an error page may quote what was asked."""
    left, right = page(one), page(other)
    return left is not None and right is not None and not differences(left, right)


def same_page(one: Observation, other: Observation) -> bool:
    """Whether two answers are the same page, not only the same kind of page."""
    left, right = page(one), page(other)
    return left is not None and right is not None and (left.status, left.digest) == (right.status, right.digest)


def relayed(seen: Observation) -> bool | None:
    """Whether an error came from behind the edge: by its page against the Server field, and by what became of the
    HTTP/1.1 connection, which those who refuse a request themselves often close.
    """
    response = seen.response
    maker = servers.generator(response) if response is not None else None
    if response is None or maker is None:
        return None
    edge = servers.edge(response)
    if edge is not None and edge != maker:
        return True
    over_http11 = seen.probe.protocol is Protocol.HTTP11  # HTTP/2 connections outlive every answer
    if (
        response.status == MISDIRECTED
        and maker.closes_after_421
        and over_http11
        and seen.connection_survived is not None
    ):
        return seen.connection_survived
    return None if edge is None else False
