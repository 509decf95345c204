"""How findings speak of probes and answers: one way, everywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import answer_of
from exporter.model import Connection, Observation, Probe

_MOST_NAMES = 5

MOST_CHARACTERS = 1000
"""Of a line. The laboratory's longest has 350; what a server wrote can be of any length."""


def asked(probe: Probe) -> str:
    """`SNI=a Host=b at 192.0.2.1 over h2 on a's connection`."""
    sni = f"SNI={probe.sni}" if probe.sni is not None else "no SNI"
    how = f" on {probe.sni}'s connection" if probe.connection is Connection.REUSED else ""
    return f"{sni} Host={probe.host} at {probe.place or 'no address'} over {probe.protocol}{how}"


def told(seen: Observation) -> str:
    """What was asked and what came."""
    return f"{asked(seen.probe)}: {answer_of(seen)}"


def where(evidence: Evidence) -> str:
    """In which part of the matrix the domain's own answers are wrong; begins with a space, or is empty."""
    wrong, total = evidence.share
    match evidence.split:
        case Split.ADDRESSES:
            return f" at {names(evidence.wrong_addresses)}, not at {names(evidence.right_addresses)}"
        case Split.PROTOCOLS:
            return f" over {names(dict.fromkeys(sample.protocol for sample in evidence.wrong))} only"
        case Split.SOMETIMES:
            return f" in {wrong} of {total} answers"
        case _:
            return ""


def names(items: Iterable[str]) -> str:
    """`a, b and c`; long lists are cut and counted.

    >>> names(["a"]), names(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    listed = list(items)
    if len(listed) > _MOST_NAMES:
        listed = [*listed[: _MOST_NAMES - 1], f"{len(listed) - _MOST_NAMES + 1} more"]
    return " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))


def names_and(items: Collection[str], one: str, more: str) -> str:
    """The names as a subject, with a verb that fits their number.

    >>> names_and(["a"], "fails", "fail"), names_and(["a", "b"], "fails", "fail")
    ('a fails', 'a and b fail')
    """
    return f"{names(items)} {one if len(items) == 1 else more}"


def bounded(text: str) -> str:
    """One printable line of at most `MOST_CHARACTERS`, whatever a server has put into it.

    >>> bounded("bell" + chr(7))
    'bell�'
    """
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
    return (
        cut if cut.isprintable() else "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in cut)
    )


def said_by(evidence: Evidence) -> str:
    """Who made the wrong answer, as far as that can be told."""
    maker, edge = evidence.generator, evidence.edge
    if maker is None:
        return "a page that no known server makes" if evidence.text else "an empty page"
    if edge is not None and edge != maker:
        return f"{maker.name}, behind {edge.name}"
    if evidence.is_relayed:
        return f"{maker.name}, behind the edge"
    return maker.name


def page_told(evidence: Evidence) -> str:
    """Whose page the wrong answer is, as a line of evidence."""
    if evidence.generator is None:
        return "no known server makes such a page" if evidence.text else "the page is empty"
    return f"the page is by {said_by(evidence)}"


def lines(observations: Sequence[Observation], most: int = 6) -> tuple[str, ...]:
    """Evidence lines of observations, each told once."""
    found: dict[str, None] = {}
    for seen in observations:
        found[told(seen)] = None
        if len(found) == most:
            break
    return tuple(found)
