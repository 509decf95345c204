"""The API as a program meets it: over HTTP, with the real store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from exporter import __version__
from exporter.diagnosis import CAUSES
from exporter.model import Experiment, Failure, Phase, Protocol, Secret, Severity, Trial, Verdict
from exporter.store import MOST_PER_PAGE
from exporter.web.checks import ALL_AT_ONCE
from tests.factories import AS_EXPECTED, NOON, finding, observation, probe, response, round_, target
from tests.web.houses import client_of, household, soon

CONFIRMED = (Trial(Experiment.REPEAT, "a.test", "127.0.0.1", Protocol.HTTP11),)
WRONG = Verdict(expected=False, reason="502 instead of 200-399")


@pytest.fixture
def home():
    return household()


@pytest.fixture
async def client(home):
    async with client_of(home) as client:
        yield client


def bad(domain, cause="upstream-down", at=NOON, **settings):
    """A round that opens an incident."""
    seen = observation(probe(domain), status=502)
    found = () if cause is None else (finding(cause, domain),)
    about = {"of": target(domain), "started_at": at, "findings": found, "trials": CONFIRMED, **settings}
    return round_(seen, verdicts=(WRONG,), **about)


async def get(client, path, status=200, **headers):
    async with client.get(f"/api/v1/{path}", headers=headers) as answer:
        document = json.loads(await answer.text())
        assert answer.status == status, document
        assert answer.content_type == ("application/json" if status < 400 else "application/problem+json")
        return document


async def test_domains_are_told_by_name_with_state_cause_and_age(client, home):
    home.record(round_(of=target("b.test")))
    await home.remember(bad("a.test", duration_seconds=0.5))
    home.targets["new.test"] = target("new.test")

    answer = await get(client, "domains")

    assert answer["cursor"] == ""
    first, second, third = answer["domains"]
    (incident,) = home.house.chronicle.open
    assert first == {
        "domain": "a.test",
        "group": "shop",
        "interval_seconds": 60.0,
        "state": "down",
        "cause": "upstream-down",
        "code": 502,
        "severity": "critical",
        "last_round_at": NOON + 0.5,
        "age_seconds": 59.5,
        "stale": False,
        "certificate_not_after": NOON + 90 * 86_400,
        "incidents": [incident.id],
        "since": NOON + 0.5,
    }
    assert (second["domain"], second["state"], second["cause"], second["incidents"]) == ("b.test", "up", None, [])
    assert (third["domain"], third["state"], third["last_round_at"], third["age_seconds"]) == (
        "new.test", "not-yet-probed", None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=down", ["a.test"]),
        ("state=up", ["b.test", "c.test"]),
        ("cause=upstream-down", ["a.test"]),
        ("group=shop", ["a.test", "b.test"]),
        ("group=nobody", []),
        ("cursor=", ["a.test", "b.test", "c.test"]),
    ],
)
async def test_domains_are_filtered(client, home, query, names):
    home.record(bad("a.test"))
    home.record(round_(of=target("b.test")))
    home.record(round_(of=target("c.test", group="other")))

    assert [one["domain"] for one in (await get(client, f"domains?{query}"))["domains"]] == names


async def test_pages_of_domains_hold_all_of_them_once(client, home):
    names = [f"{number:03}.test" for number in range(95)]
    for name in names:
        home.record(round_(of=target(name)))
    found, cursor = [], ""
    for _ in range(20):
        page = await get(client, f"domains?limit=10&cursor={cursor}")
        found += [one["domain"] for one in page["domains"]]
        cursor = page["cursor"]
        if not cursor:
            break

    assert found == names


async def test_a_domain_has_its_last_round_with_cells_certificates_and_findings(client, home):
    failed = observation(probe("a.test", sni=None), failure=Failure(Phase.TLS, "alert", "unrecognized_name"))
    home.record(
        round_(
            observation(probe("a.test"), response=response(421, headers=(("server", "nginx"), ("location", "/x")))),
            failed,
            of=target("a.test"),
            verdicts=(WRONG, AS_EXPECTED),
            findings=(finding("vhost-missing", "a.test", code=421, evidence=("a", "b")),),
        )
    )

    answer = await get(client, "domains/A.test.")

    cells = answer["round"]["cells"]
    assert [(cell["combination"], cell["status"], cell["expected"]) for cell in cells] == [
        ("matched", 421, False),
        ("no_sni", None, True),
    ]
    assert (cells[0]["server"], cells[0]["location"], cells[0]["reason"]) == ("nginx", "/x", WRONG.reason)
    assert cells[1]["failure"] == {"phase": "tls", "kind": "alert", "detail": "unrecognized_name"}
    assert [one["sha256"] for one in answer["round"]["certificates"]] == ["00" * 32]
    assert answer["round"]["findings"][0]["evidence"] == ["a", "b"]
    assert (answer["state"], answer["cause"], answer["code"]) == ("down", "vhost-missing", 421)


async def test_a_secret_that_a_server_says_again_is_shown_nowhere(client, home):
    secret = "hunter2-hunter2"
    about = target("a.test", headers=(("authorization", Secret(secret, "env TOKEN")),))
    echo = response(500, reason=secret, headers=(("server", secret), ("location", f"/{secret}")), body=secret.encode())
    told = Verdict(expected=False, reason=f"500 and {secret}")
    found = finding("application-error", "a.test", evidence=(f"it says {secret}",))
    home.record(round_(observation(probe("a.test"), response=echo), of=about, verdicts=(told,), findings=(found,)))

    for path in ("/api/v1/domains/a.test", "/domains/a.test", "/"):
        async with client.get(path) as answer:
            text = await answer.text()
            assert (answer.status, secret in text) == (200, False), path
            assert "secret&gt;" in text or "<secret>" in text, path


async def test_incidents_are_found_by_what_is_asked_for(client, home):
    await home.remember(bad("a.test", at=NOON))
    await home.remember(bad("b.test", "connection-refused", at=NOON + 1000))
    home.now = NOON + 2000

    async def found(query):
        return [one["domains"] for one in (await get(client, f"incidents?{query}"))["incidents"]]

    assert await found("") == [["b.test"], ["a.test"]]
    assert await found("domain=A.TEST.") == [["a.test"]]
    assert await found("cause=connection-refused") == [["b.test"]]
    assert await found("code=502&state=firing") == [["b.test"], ["a.test"]]
    assert await found("code=none") == []
    assert await found("state=resolved") == []
    assert await found(f"until={NOON + 500}") == [["a.test"]]
    assert await found("until=25m") == [["a.test"]]
    assert await found("since=2023-11-14T22:13:20Z") == [["b.test"], ["a.test"]]


async def test_pages_of_incidents_hold_all_of_them_once(client, home):
    for number in range(23):
        await home.remember(bad(f"{number}.test", at=NOON + number))
    found, cursor = [], ""
    for _ in range(10):
        page = await get(client, f"incidents?limit=5&cursor={cursor}")
        found += [one["domains"][0] for one in page["incidents"]]
        cursor = page["cursor"]
        if not cursor:
            break

    assert found == [f"{number}.test" for number in reversed(range(23))]


async def test_an_incident_has_the_rounds_that_changed_it(client, home):
    await home.remember(bad("a.test"))
    (incident,) = home.house.chronicle.open
    for number in (1, 2):
        await home.remember(round_(of=target("a.test"), started_at=NOON + 60 * number))

    answer = await get(client, f"incidents/{incident.id}")

    assert (answer["id"], answer["state"], answer["until"]) == (incident.id, "resolved", NOON + 120.5)
    assert [(one["kind"], one["round"]["up"]) for one in answer["rounds"]] == [("opened", False), ("resolved", True)]
    assert answer["finding"]["cause"] == "upstream-down"


async def test_causes_are_those_of_the_catalogue(client):
    found = (await get(client, "causes"))["causes"]

    assert {one["cause"]: one["number"] for one in found} == {one.id: one.number for one in CAUSES.values()}


async def test_status_tells_how_the_exporter_is(client, home):
    home.record(round_(of=target("a.test"), started_at=NOON - 600))
    home.complaints = ("groups[0]: what is wrong",)
    home.house.health.store_failed()

    answer = await get(client, "status")

    assert (answer["version"], answer["uptime_seconds"], answer["ready"]) == (__version__, 60.0, True)
    assert answer["domains"] == {
        "total": 1, "stale": 1, "down": 0, "partly-down": 0, "not-yet-probed": 0, "odd": 0, "up": 1,
    }  # fmt: skip
    assert answer["store"]["up"] is False
    assert answer["configuration"]["complaints"] == ["groups[0]: what is wrong"]
    assert [one["id"] for one in answer["troubles"]] == ["stale-rounds", "store", "reload"]


BAD_QUESTIONS = [
    ("domains?state=broken", "state"),
    ("domains?state=up&state=up", "state"),
    ("domains?limit=0", "limit"),
    ("domains?limit=1001", "limit"),
    ("domains?limit=%EF%BC%91", "limit"),  # a full-width digit
    ("domains?limit=" + "9" * 5000, "limit"),
    ("domains?cursor=nonsense!", "cursor"),
    ("domains?cursor=YQ==", "cursor"),
    ("domains?cause=" + "x" * 300, "cause"),
    ("domains?group=%00", "group"),
    ("domains?sort=name", "sort"),
    ("domains/a.test?verbose=1", "verbose"),
    ("incidents?domian=a.test", "domian"),
    ("incidents?domain=" + "a" * 254, "domain"),
    ("incidents?domain=%1b%5b31m", "domain"),
    ("incidents?code=99", "code"),
    ("incidents?code=1000", "code"),
    ("incidents?code=4xx", "code"),
    ("incidents?cause='%20OR%201=1--", "cause"),
    ("incidents?state=open", "state"),
    ("incidents?since=yesterday", "since"),
    ("incidents?since=-1", "since"),
    ("incidents?since=nan", "since"),
    ("incidents?since=inf", "since"),
    ("incidents?since=1e300", "since"),
    ("incidents?until=", "until"),
    ("incidents?until=2026-13-01", "until"),
    (f"incidents?limit={MOST_PER_PAGE + 1}", "limit"),
    ("incidents?cursor=../../etc/passwd", "cursor"),
    ("incidents?cursor=AAAA", "cursor"),
    ("incidents?cursor=bmFuIHg", "cursor"),  # "nan x"
    ("incidents?%3Cscript%3E=1", "<script>"),
    ("events?domain=" + "a" * 254, "domain"),
    ("events?since=1", "since"),
    ("status?x=1", "x"),
    ("causes?x=1", "x"),
]


@pytest.mark.parametrize(("path", "parameter"), BAD_QUESTIONS)
async def test_a_question_that_cannot_be_understood_is_400_and_says_which_parameter(client, path, parameter):
    problem = await get(client, path, 400)

    assert (problem["status"], problem["title"], problem["parameter"]) == (400, "Bad Request", parameter)
    assert problem["detail"].startswith(f"{parameter}: ")


async def test_a_cursor_that_was_tampered_with_is_refused(client, home):
    for number in range(3):
        await home.remember(bad(f"{number}.test", at=NOON + number))
    cursor = (await get(client, "incidents?limit=1"))["cursor"]

    for tampered in (cursor[:-1], cursor[::-1], cursor.swapcase(), cursor + "="):
        await get(client, f"incidents?cursor={tampered}", 400)


@pytest.mark.parametrize(
    "path",
    [
        "domains/nobody.test",
        "domains/..%2f..%2fetc%2fpasswd",
        "domains/%00",
        "domains/" + "a" * 3000,
        "incidents/0123456789abcdef",
        "incidents/..%2fx",
        "incidents/%F0%9F%92%A9",
        "incidents/' OR 1=1 --",
        "nothing",
    ],
)
async def test_what_is_not_there_is_404(client, path):
    assert (await get(client, path, 404))["title"] == "Not Found"


async def test_a_wrong_method_is_405_and_says_which_are_right(client):
    async with client.delete("/api/v1/domains") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
        assert (await answer.json(content_type="application/problem+json"))["status"] == 405


async def test_what_cannot_be_read_now_is_503(tmp_path):
    home = household(tmp_path)
    async with client_of(home) as client:
        for file in tmp_path.iterdir():
            file.unlink()
        for path in ("incidents", "incidents/0123456789abcdef"):
            assert (await get(client, path, 503))["detail"] == "the store cannot be read now"


async def test_a_check_runs_a_round_and_answers_with_it(client, home):
    home.record(bad("a.test"))
    home.checked = round_(of=target("a.test"), started_at=NOON + 59)

    async with client.post("/api/v1/domains/a.test/check") as answer:
        document = await answer.json()

    assert (answer.status, document["state"], document["round"]["started_at"]) == (200, "up", NOON + 59)
    assert home.checks == ["a.test"]


async def test_checks_of_one_domain_are_ten_seconds_apart_and_those_of_all_are_bounded(client, home):
    for number in range(20):
        home.record(round_(of=target(f"{number}.test")))
    home.checked = round_(of=target("0.test"), started_at=NOON + 59)

    statuses = []
    for path in ("0.test", "0.test", *(f"{number}.test" for number in range(1, 20))):
        async with client.post(f"/api/v1/domains/{path}/check") as answer:
            statuses.append(answer.status)
            if answer.status == 429:
                assert 1 <= int(answer.headers["Retry-After"]) <= 11
            home.checked = replace(home.checked, started_at=home.checked.started_at + 1)

    assert statuses[:2] == [200, 429]
    assert ALL_AT_ONCE <= len(home.checks) <= ALL_AT_ONCE + 2
    assert statuses[-1] == 429


async def test_another_site_cannot_make_a_browser_check(client, home):
    home.record(round_(of=target("a.test")))
    for path in ("/api/v1/domains/a.test/check", "/domains/a.test/check"):
        async with client.post(path, headers={"Origin": "http://evil.test"}) as answer:
            assert answer.status == 403

    assert home.checks == []


async def test_the_button_without_a_script_leads_back_to_the_page(client, home):
    home.record(round_(of=target("a.test")))
    home.checked = round_(of=target("a.test"), started_at=NOON + 59)
    async with client.post("/domains/a.test/check", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "../a.test")
    async with client.post("/domains/a.test/check", allow_redirects=False) as answer:
        assert (answer.status, "ask again in" in await answer.text()) == (429, True)


async def events(answer, number):
    """The next events, parsed: (kind, data)."""
    found = []
    async with asyncio.timeout(10):
        while len(found) < number:
            block = (await answer.content.readuntil(b"\n\n")).decode()
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line and line[0] != ":")
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_rounds_and_changes_of_incidents_are_told_as_they_happen(client, home):
    async with client.get("/api/v1/events") as answer:
        await soon(lambda: home.house.events.clients == 1)
        home.record(round_(of=target("b.test")))
        await home.remember(bad("a.test"))
        home.record(bad("a.test", at=NOON + 60))
        told = await events(answer, 4)

    assert answer.content_type == "text/event-stream"
    assert [(kind, data.get("domain"), data.get("changed")) for kind, data in told] == [
        ("round", "b.test", True),
        ("round", "a.test", True),
        ("incident", None, None),
        ("round", "a.test", False),
    ]
    assert told[1][1] | {"ended_at": 0} == {
        "domain": "a.test", "state": "down", "cause": "upstream-down", "ended_at": 0, "changed": True,
    }  # fmt: skip
    (incident,) = home.house.chronicle.open
    change = told[2][1]
    assert (change["kind"], change["id"], change["domains"]) == ("opened", incident.id, ["a.test"])


async def test_events_may_be_asked_for_of_one_domain(client, home):
    async with client.get("/api/v1/events?domain=a.test") as answer:
        await soon(lambda: home.house.events.clients == 1)
        for domain in ("b.test", "a.test"):
            await home.remember(bad(domain))
        told = await events(answer, 2)

    assert [data.get("domain") or data["domains"] for _, data in told] == ["a.test", ["a.test"]]


async def test_a_client_that_leaves_is_forgotten_and_one_too_many_is_refused(client, home):
    hub = home.house.events
    taken = [hub.subscribe() for _ in range(64)]
    problem = await get(client, "events", 503)
    assert problem["detail"] == "as many clients listen as may"
    for subscription in taken:
        hub.unsubscribe(subscription)

    async with client.get("/api/v1/events") as answer:
        await soon(lambda: hub.clients == 1)
        assert answer.status == 200
    for _ in range(100):
        home.record(round_(of=target("b.test")))  # writing shows that it has gone
        await asyncio.sleep(0.01)
        if hub.clients == 0:
            break
    assert hub.clients == 0


async def test_answers_that_go_on_end_when_the_house_closes():
    home = household()
    async with client_of(home) as client:
        answer = await client.get("/api/v1/events")
        await soon(lambda: home.house.events.clients == 1)

    assert home.house.events.clients == 0
    answer.close()


async def test_severities_are_told_in_words_that_the_description_knows(client, home):
    home.record(bad("a.test", None))
    description = await get(client, "openapi.json")

    assert description["openapi"].startswith("3.1")
    severity = description["components"]["schemas"]["Domain"]["properties"]["severity"]["enum"]
    assert severity == [*Severity, None]
