"""Probing runs on uvloop in production and on asyncio's own loop elsewhere: its tests run on both."""

from __future__ import annotations

import asyncio

import pytest
import uvloop


def pytest_asyncio_loop_factories(config, item):  # noqa: ARG001  # pytest passes them by these names
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def judge():
    from exporter.probing.certificates import Judge

    return Judge()
