"""The house as it is put together: what a reload changes, and what a removed domain leaves behind."""

from __future__ import annotations

import pytest

from exporter import config
from exporter.app import Exporter, Options, describe
from exporter.exposition import Format
from exporter.incidents import Settings
from exporter.model import Connection, Experiment, Protocol, Trial
from tests.factories import finding, probe, round_, target

NOBODY = 'interval: 1h, resolve: ["127.0.0.1"], port: 1'
BEFORE = f"groups: [{{name: g, {NOBODY}, domains: [a.example, b.example]}}]"
AFTER = f"""
global: {{confirm_rounds: 3, resolve_rounds: 4, scrape_interval: 15s}}
grafana: {{url: "http://127.0.0.1:9", token_file: token}}
groups: [{{name: g, {NOBODY}, domains: [a.example]}}]
"""
CONFIRMED = (Trial(Experiment.REPEAT, "b.example", "127.0.0.1", Protocol.HTTP11),)


@pytest.fixture
async def house(tmp_path):
    (tmp_path / "token").write_text("hunter2")
    file = tmp_path / "config.yaml"
    file.write_text(BEFORE)
    house = Exporter(Options(file, (), storage=tmp_path / "data"), config.load(file, {}))
    async with house.running():
        yield house


async def test_a_reload_takes_how_sure_to_be_and_where_to_write(house, tmp_path):
    assert (house.chronicle.settings, house.announcer.settings) == (Settings(2, 2), None)
    (tmp_path / "config.yaml").write_text(AFTER)
    assert await house.reload() == ()

    assert house.chronicle.settings == Settings(3, 4)
    assert house.metrics.incidents.scrape_interval_seconds == 15.0
    assert house.announcer.settings.url == "http://127.0.0.1:9"


async def test_a_domain_that_a_reload_removes_leaves_no_open_incident(house, tmp_path):
    about = target("b.example", siblings=("b.example",))
    await house.chronicle.record(round_(of=about, findings=(finding("upstream-down", "b.example"),), trials=CONFIRMED))
    assert b'incident_active{domain="b.example"' in b"".join(house.metrics.chunks(Format.TEXT))
    (tmp_path / "config.yaml").write_text(AFTER)
    await house.reload()

    assert not [one for one in house.chronicle.open if "b.example" in one.domains]
    assert (tmp_path / "data" / "incidents.db").exists()


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (probe("a.test"), "a.test at 127.0.0.1 over http/1.1"),
        (probe("a.test", address=None), "a.test at no address over http/1.1"),
        (probe("a.test", sni=None), "a.test at 127.0.0.1 over http/1.1 without SNI"),
        (
            probe("a.test", sni="b.test", protocol=Protocol.H2, connection=Connection.REUSED),
            "a.test at 127.0.0.1 over h2 on the connection of b.test",
        ),
        (
            probe("a.test", protocol=Protocol.H3, port=8443),
            "a.test at 127.0.0.1:8443 over h3 as advertised",
        ),
    ],
)
def test_a_line_of_the_log_says_what_was_asked(asked, line):
    assert describe(asked) == line
