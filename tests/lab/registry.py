"""All scenarios, and the number by which each variant gets addresses of its own."""

from __future__ import annotations

from tests.lab.scenario import Scenario
from tests.lab.scenarios import (
    addresses,
    applications,
    demands,
    healthy,
    policies,
    pools,
    proxied_requests,
    proxies,
    routers,
    shared_connections,
    transport,
    upstreams,
    virtual_hosts,
)

FAMILIES = (
    virtual_hosts,
    shared_connections,
    routers,
    proxies,
    proxied_requests,
    upstreams,
    pools,
    addresses,
    applications,
    policies,
    demands,
    transport,
    healthy,
)
SCENARIOS: tuple[Scenario, ...] = tuple(scenario for family in FAMILIES for scenario in family.SCENARIOS)
VARIANTS: tuple[Scenario, ...] = tuple(variant for scenario in SCENARIOS for variant in scenario.variants())
NUMBERS = {variant.name: number for number, variant in enumerate(VARIANTS, 1)}
