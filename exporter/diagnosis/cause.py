"""What a cause is: an id, a number that never changes, what it masks, and a pure function of evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exporter.diagnosis.evidence import Evidence
from exporter.model import Excluded, Observation, Severity

TEXT_ONLY, ONE_EXPERIMENT, BOTH, GUESS = 0.6, 0.8, 0.95, 0.4
"""Confidences: a page's words can be anybody's, an experiment may have one other reason, both together hardly."""

DISAGREEMENT = 0.8
"""What is left of a confidence where repeats of one probe disagree."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a cause's function says where the cause holds; `diagnose` makes a `Finding` of it.

    Attributes:
        shown: the probes that show it, the most telling first: they become the commands that reproduce it.
        code: what clients get; None: no status.
        severity: None: as the cause has it.
        noticed_by: empty: whoever asks the probes that are shown.
        others: further domains that it was seen to concern.
        verifies: whether the commands are to judge the certificate, as it is what is wrong.
    """

    confidence: float
    summary: str
    shown: tuple[Observation, ...] = ()
    code: int | None = None
    severity: Severity | None = None
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    would_confirm: str = ""
    noticed_by: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    verifies: bool = False


Find = Callable[[Evidence], "Draft | None"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the catalogue.

    Attributes:
        number: what `statuscode_domain_cause` shows; given once, for ever.
        title: a few words for tables.
        severity: what it usually is; a finding may say otherwise.
        masks: the causes that are only this one's consequences, and not told beside it.
        also_where_right: whether it can hold where the domain's own answers are all right; most need not be asked then.
    """

    id: str
    number: int
    title: str
    severity: Severity
    masks: frozenset[str]
    find: Find
    also_where_right: bool = False


def cause(
    id_: str,
    number: int,
    title: str,
    *,
    severity: Severity = Severity.CRITICAL,
    masks: tuple[str, ...] = (),
    also_where_right: bool = False,
) -> Callable[[Find], Cause]:
    """Make a cause of a function."""

    def made(find: Find) -> Cause:
        return Cause(id_, number, title, severity, frozenset(masks), find, also_where_right)

    return made


def confidence(*, text: bool = False, experiment: bool = False, disagreement: bool = False) -> float:
    """How sure: by what was seen, not by how many words it takes."""
    if text and experiment:
        sure = BOTH
    elif experiment:
        sure = ONE_EXPERIMENT
    else:
        sure = TEXT_ONLY if text else GUESS
    return round(sure * DISAGREEMENT, 2) if disagreement else sure
