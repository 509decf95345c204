"""The answers are held to their description by schemathesis, which makes up good and bad questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from exporter.model import Experiment, Protocol, Trial, Verdict
from tests.background import in_background
from tests.factories import NOON, finding, observation, probe, round_, target
from tests.web.houses import household, served

CONFIRMED = (Trial(Experiment.REPEAT, "a.test", "127.0.0.1", Protocol.HTTP11),)


@asynccontextmanager
async def furnished() -> AsyncIterator[str]:
    """A house with a domain that is well, one that is not, and an incident that is over."""
    home = household(external_url="")
    async with served(home) as (host, port):
        for at, findings in ((0, ("over.test",)), (60, ()), (120, ())):
            found = tuple(finding("access-denied", name, code=403) for name in findings)
            await home.remember(round_(of=target("over.test"), started_at=NOON + at, findings=found, trials=CONFIRMED))
        wrong = (Verdict(expected=False, reason="502 instead of 200-399"),)
        seen = observation(probe("a.test"), status=502)
        found = (finding("upstream-down", "a.test"),)
        await home.remember(round_(seen, of=target("a.test"), verdicts=wrong, findings=found, trials=CONFIRMED))
        home.checked = round_(of=target("over.test"), started_at=NOON + 180)
        yield f"http://{host}:{port}"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with in_background(furnished()) as base:
        yield base


WITH_QUESTIONS = ("GET /domains", "GET /incidents")
OPERATIONS = (
    *WITH_QUESTIONS,
    "GET /domains/{domain}",
    "POST /domains/{domain}/check",
    "GET /incidents/{id}",
    "GET /causes",
    "GET /status",
    "GET /openapi.json",
)


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
        *((operation, GenerationMode.NEGATIVE) for operation in WITH_QUESTIONS),
    ],
)
def test_every_answer_is_as_described(base, operation, mode):
    method, _, path = operation.partition(" ")
    described = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")[path][method]

    @given(case=described.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def ask(case):
        if mode is GenerationMode.POSITIVE:
            case.query.pop("cursor", None)  # no schema says which cursors there are
        case.call_and_validate()

    ask()


def test_every_path_of_the_description_is_served_and_every_path_that_is_served_is_described(base):
    from exporter.web.api import FOLDER, ROUTES

    described = {
        (path, method.upper())
        for path, item in requests.get(f"{base}{FOLDER}openapi.json", timeout=10).json()["paths"].items()
        for method in item
    }

    assert described == {(f"/{route.path.removeprefix(FOLDER)}", route.method) for route in ROUTES}


def test_the_lists_that_are_described_are_not_empty_here(base):
    """Or schemathesis would hold nothing to the description of what is in them."""
    for path, name in (("domains", "domains"), ("incidents", "incidents"), ("causes", "causes")):
        assert requests.get(f"{base}/api/v1/{path}", timeout=10).json()[name]
    for one in requests.get(f"{base}/api/v1/incidents", timeout=10).json()["incidents"]:
        found = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")
        answer = requests.get(f"{base}/api/v1/incidents/{one['id']}", timeout=10)
        found["/incidents/{id}"]["GET"].validate_response(answer)
    for domain in ("a.test", "over.test"):
        answer = requests.get(f"{base}/api/v1/domains/{domain}", timeout=10)
        found["/domains/{domain}"]["GET"].validate_response(answer)
