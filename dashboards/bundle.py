"""All alerts and dashboards of the bundle."""

from __future__ import annotations

from dashboards import domain, fleet, health, timeline
from dashboards.alerts_of_domains import OF_DOMAINS
from dashboards.alerts_of_exporter import OF_EXPORTERS

ALERTS = (*OF_DOMAINS, *OF_EXPORTERS)
BOARDS = (fleet.BOARD, domain.BOARD, timeline.BOARD, health.BOARD)
