"""What Grafana is told of incidents, by real requests to a server that keeps to its contract."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trustme

from exporter import config
from exporter.exposition import Format
from exporter.grafana import Announcer
from exporter.health import Health
from exporter.model import ChangeKind, Stage
from exporter.store import Store
from tests.factories import NOON
from tests.grafana.server import TOKEN, running_grafana
from tests.store.kept import Watch, incident, kept

RESOLVED = incident("1", stage=Stage.RESOLVED, until=NOON + 90.5)


class House:
    def __init__(self, folder, grafana, token_file):
        self.grafana = grafana
        self.health = Health()
        self.store = Store(folder, Watch(), now=lambda: NOON)
        self.announcer = Announcer(self.store, self.health, "https://status.example/exporter/", 0.02)
        self.settings = config.Grafana(url=grafana.url, token_file=str(token_file), dashboard_uid="abc", tags=("t",))

    async def tell(self, one, kind=ChangeKind.OPENED, at=NOON):
        await self.store.keep(kept(one, kind=kind, at=at))
        self.announcer.wake(None)

    async def resolve(self):
        await self.tell(RESOLVED, ChangeKind.RESOLVED, NOON + 90.5)

    async def until(self, question):
        async with asyncio.timeout(15):
            while not question():  # noqa: ASYNC110  # what is counted for scrapes has no event
                await asyncio.sleep(0.01)

    def pushes(self, result):
        text = self.health.text(Format.TEXT).decode()
        return float(text.split(f'grafana_pushes_total{{result="{result}"}} ')[1].split()[0])


@asynccontextmanager
async def running(folder, grafana, token_file, configure=True):
    house = House(folder, grafana, token_file)
    async with house.store.running(), house.announcer.running():
        if configure:
            house.announcer.configure(house.settings)
        yield house


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


@pytest.fixture
async def grafana():
    async with running_grafana() as grafana:
        yield grafana


@pytest.fixture
async def house(grafana, token_file):
    async with running(None, grafana, token_file) as house:
        yield house


def is_over(grafana):
    return grafana.annotations and all(one["timeEnd"] > one["time"] for one in grafana.annotations.values())


async def test_an_incident_is_a_region_that_opens_with_it_and_is_closed_with_it(grafana, house):
    await house.tell(incident("1", "a.test", "b.test", evidence=("1 of 2 <addresses>",)))
    await grafana.until(lambda it: it.annotations)
    assert grafana.only == {
        "id": 41,
        "dashboardUID": "abc",
        "time": NOON * 1000,
        "timeEnd": NOON * 1000,
        "tags": ["t", "incident:1", "cause:upstream-down", "code:502"],
        "text": "<b>upstream-down at a.test, b.test</b><br>upstream-down at a.test, b.test<br>"
        "- 1 of 2 &lt;addresses&gt;<br>"
        '<a href="https://status.example/exporter/incidents/1">Incident</a> · '
        '<a href="https://status.example/exporter/runbooks/upstream-down">Runbook</a>',
    }

    await house.resolve()
    await grafana.until(is_over)
    assert grafana.only["timeEnd"] == NOON * 1000 + 90_500
    assert grafana.requests == ["GET", "POST", "PATCH"]
    await house.until(lambda: house.pushes("written") == 2)


async def test_what_is_over_before_it_could_be_told_is_written_whole(grafana, token_file):
    async with running(None, grafana, token_file, configure=False) as house:
        house.store.announces = True
        await house.tell(incident("1"))
        await house.resolve()
        house.announcer.configure(house.settings)
        await grafana.until(is_over)

    assert grafana.requests == ["GET", "POST"]


@pytest.mark.parametrize("status", [500, 502, 429, 301, 404])
async def test_a_grafana_that_is_down_is_told_when_it_is_back(grafana, house, status, caplog):
    grafana.failures = [status] * 4
    await house.tell(incident("1"))
    await house.resolve()
    await grafana.until(is_over)

    assert len(grafana.annotations) == 1
    assert house.pushes("failed") == 4
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert f"is answered with {status}" in errors[0].getMessage()
    assert "\n" not in errors[0].getMessage()
    assert TOKEN not in caplog.text


async def test_an_answer_that_gets_lost_makes_no_second_annotation(grafana, house):
    grafana.loses = 3
    await house.tell(incident("1"))
    await house.resolve()
    await grafana.until(lambda it: is_over(it) and not it.loses)

    assert len(grafana.annotations) == 1


async def test_what_was_not_told_before_a_restart_is_told_after_it_and_once(tmp_path, grafana, token_file):
    folder = tmp_path / "data"
    grafana.failures = [503]
    async with running(folder, grafana, token_file) as house:
        await house.tell(incident("1"))
        await grafana.until(lambda it: it.requests)
    async with running(folder, grafana, token_file):
        await grafana.until(lambda it: it.annotations)
    async with running(folder, grafana, token_file) as house:
        await house.resolve()
        await grafana.until(is_over)

    assert len(grafana.annotations) == 1


async def test_what_was_open_before_grafana_was_configured_is_told(grafana, token_file):
    async with running(None, grafana, token_file, configure=False) as house:
        await house.tell(incident("1"))
        await house.tell(incident("2", stage=Stage.PENDING))
        house.announcer.configure(house.settings)
        await grafana.until(lambda it: it.annotations)

    assert grafana.only["tags"][1] == "incident:1"


async def test_nobody_is_told_without_a_configuration(grafana, token_file):
    async with running(None, grafana, token_file, configure=False) as house:
        await house.tell(incident("1"))
        house.announcer.configure(None)
        assert (await house.store.letters(10)) == ((), 0)

    assert grafana.requests == []


async def test_a_wrong_token_is_said_once_and_a_right_one_is_taken_without_a_restart(
    grafana, house, token_file, caplog
):
    grafana.token = "another"
    await house.tell(incident("1"))
    await grafana.until(lambda it: len(it.requests) >= 3)
    token_file.write_text("another")
    await grafana.until(lambda it: it.annotations)

    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "is answered with 401" in errors[0]
    assert "is the token in grafana.token_file valid?" in errors[0]
    assert house.pushes("forbidden") >= 3


@pytest.mark.parametrize("content", [None, "", "two words", "é", "line\nline"])
async def test_a_token_file_that_is_none_is_said_and_read_again(grafana, house, token_file, caplog, content):
    token_file.unlink()
    if content is not None:
        token_file.write_text(content)
    await house.tell(incident("1"))
    await house.until(lambda: house.pushes("forbidden"))
    token_file.write_text(TOKEN)
    await grafana.until(lambda it: it.annotations)

    assert caplog.text.count("grafana: token_file") == 1


async def test_one_that_is_refused_keeps_no_other_from_being_told(grafana, house, caplog):
    grafana.refuses = "bad one"
    await house.tell(incident("1", summary="bad one"))
    await house.tell(incident("2", since=NOON + 1))
    await grafana.until(lambda it: it.annotations and len(it.requests) > 6)
    grafana.refuses = None
    await grafana.until(lambda it: len(it.annotations) == 2)

    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
    assert house.pushes("refused") >= 2


async def test_what_a_person_deleted_is_not_written_again(grafana, house):
    await house.tell(incident("1"))
    await grafana.until(lambda it: it.annotations)
    grafana.annotations.clear()
    await house.resolve()
    await grafana.until(lambda it: it.requests[-1] == "PATCH")
    await house.tell(incident("2"))
    await grafana.until(lambda it: it.annotations)

    assert grafana.only["tags"][1] == "incident:2"


async def test_what_changes_is_said_in_the_same_annotation(grafana, house):
    await house.tell(incident("1", "a.test"))
    await grafana.until(lambda it: it.annotations)
    await house.tell(incident("1", "a.test", code=504), ChangeKind.UPDATED, NOON + 5)
    await grafana.until(lambda it: "code:504" in it.only["tags"])

    assert grafana.only["time"] == NOON * 1000


async def test_what_a_server_made_the_finding_say_is_text_and_bounded(grafana, house):
    nasty = "<script>alert(1)</script>" + "x" * 1000
    await house.tell(incident("1", summary=nasty, evidence=(nasty,) * 100))
    await grafana.until(lambda it: it.annotations)

    assert "<script" not in grafana.only["text"]
    assert len(grafana.only["text"]) < 5000


async def test_the_certificate_is_verified(token_file, monkeypatch, tmp_path, caplog):
    """Nobody outside trusts trustme; a private authority is given to OpenSSL, as for every program."""
    authority = trustme.CA()
    async with running_grafana(authority.issue_cert("localhost")) as grafana:  # noqa: SIM117  # the house asks for it
        async with running(None, grafana, token_file) as house:
            await house.tell(incident("1"))
            await house.until(lambda: house.pushes("failed"))
            assert grafana.requests == []
            assert "CERTIFICATE_VERIFY_FAILED" in caplog.text

            authority.cert_pem.write_to_path(tmp_path / "ca.pem")
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            await grafana.until(lambda it: it.annotations)


async def test_one_annotation_whoever_is_killed_in_between(tmp_path, grafana, token_file):
    """The process ends after Grafana has written and before the store knows: the tag tells."""
    folder = tmp_path / "data"
    grafana.annotations[7] = {"id": 7, "time": NOON * 1000, "timeEnd": NOON * 1000, "tags": ["incident:1"], "text": "x"}
    async with running(folder, grafana, token_file) as house:
        await house.tell(incident("1"))
        await grafana.until(lambda it: it.requests == ["GET", "PATCH"])
        await house.tell(replace(incident("1"), flaps=1), ChangeKind.UPDATED, NOON + 5)
        await grafana.until(lambda it: it.requests == ["GET", "PATCH", "PATCH"])

    assert grafana.only["id"] == 7
