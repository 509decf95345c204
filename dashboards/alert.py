"""What an alert is, whoever evaluates it. One alert for each symptom; the cause is a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.queries import with_labels_of_domain
from dashboards.values import Board

FROM_CAUSE = "{{ $labels.severity }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert.

    Attributes:
        lasts: how long the expression must hold.
        severity: or the label of the expression, by a template.
        summary: the same for all instances, so that notifications can be grouped by it.
        description, runbook: templates over `$labels` and `$value`.
        board, panel: where it shows.
        whose: the label that the dashboard is opened with.
    """

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    description: str
    runbook: str
    board: Board
    panel: int
    whose: str = "domain"

    def asked(self, labels: Sequence[str]) -> str:
        """The expression; about a domain, with those labels that its configuration gives it."""
        return with_labels_of_domain(self.expr, labels) if self.whose == "domain" else self.expr
