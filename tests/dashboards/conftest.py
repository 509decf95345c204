"""Grafana's packages, installed once for all tests that ask them."""

from __future__ import annotations

import pytest

from tests.dashboards.grafana_code import installed


@pytest.fixture(scope="session")
def packages(request):
    return installed(request.config.cache.mkdir("grafana"))
