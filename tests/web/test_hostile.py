"""Whatever a probed server controls is text on every page and in every answer of the API."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from exporter.model import (
    Client,
    Excluded,
    Experiment,
    Exposure,
    Failure,
    Phase,
    Protocol,
    Trial,
    Variation,
    Verdict,
)
from tests.factories import NOON, certificate, finding, observation, probe, response, round_, target, tls
from tests.web.documents import Document
from tests.web.houses import client_of, household

ATTACKS = {
    "a script": "<script>window.hacked=1</script>",
    "an attribute": "\"><img src=x onerror='window.hacked=1'>",
    "a link": "javascript:window.hacked=1",
    "an entity": "&lt;script&gt;&#60;b&#62;",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "a line": "one\r\ntwo\x00\x1b[31mthree",
    "a turn": "\u202etext\u2066",
    "half a character": "half\ud800half",
    "a closed element": "</pre></td></table></main></body><svg onload=window.hacked=1>",
    "JSON in a script": "</script><script>window.hacked=1//",
    "something long": "A" * 100_000,
}

WRONG = Verdict(expected=False, reason="")


def hostile_round(attack):
    """The attack stands in every field that a server fills, and in all that quotes it."""
    answer = response(
        500,
        reason=attack,
        headers=(("server", attack), ("location", attack), (attack, attack), ("set-cookie", attack)),
        body=attack.encode("utf-8", "replace"),
    )
    shown = certificate(attack, subject=attack, issuer=attack, names=(attack,) * 30)
    session = tls(chain=(shown,), faults=("untrusted", attack), fault_detail=attack, version=attack, cipher=attack)
    own = observation(probe("a.test"), response=answer, tls=session)
    failed = observation(probe("a.test", sni=None), failure=Failure(Phase.TLS, "alert", attack))
    found = finding(
        "upstream-down",
        "a.test",
        summary=attack,
        evidence=(attack,),
        against=(attack,),
        excluded=(Excluded("vhost-missing", attack),),
        would_confirm=attack,
        noticed_by=(attack,),
        reproduce=(attack,),
        fix=(attack,),
    )
    answers = ((Variation.REDIRECTED, own),)
    followed = Trial(Experiment.FOLLOWED, "a.test", "127.0.0.1", Protocol.HTTP11, path=attack, answers=answers)
    return round_(
        own,
        failed,
        of=target("a.test"),
        verdicts=(replace(WRONG, reason=attack), replace(WRONG, reason=attack)),
        findings=(found,),
        exposures=(Exposure("a.test", "b.test", Client.CHROMIUM, "127.0.0.1"),),
        trials=(followed,),
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_what_a_server_says_is_text_everywhere(attack, tmp_path):
    home = household(tmp_path)
    async with client_of(home) as client:
        await home.remember(hostile_round(attack))
        (incident,) = home.house.chronicle.open
        for path in ("/", "/domains/a.test", "/incidents", f"/incidents/{incident.id}"):
            async with client.get(path) as answer:
                text = await answer.text()
                page = Document(text)
            assert answer.status == 200
            assert page.scripts == [f"{'../' if path.count('/') > 1 else ''}static/live.js"], path
            assert page.dangers == [], path
            assert not [link for link in page.links if ":" in link or link.startswith("//")], path
            assert len(page.ids) == len(set(page.ids)), path
            assert len(text) < 200_000, path
            assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(text), path
        for path in ("domains", "domains/a.test", "incidents", f"incidents/{incident.id}", "status"):
            async with client.get(f"/api/v1/{path}") as answer:
                assert (answer.status, answer.content_type) == (200, "application/json")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                json.loads(await answer.text())


@pytest.mark.parametrize("attack", ["<script>x</script>", '"onfocus="x', "javascript:x"])
async def test_what_a_link_brings_is_text_too(attack):
    home = household()
    async with client_of(home) as client:
        home.record(round_(of=target("a.test")))
        for path, parameter in (("/", "q"), ("/incidents", "domain"), ("/incidents", "code"), ("/", "state")):
            async with client.get(path, params={parameter: attack}, headers={"Accept": "text/html"}) as answer:
                page = Document(await answer.text())
            assert answer.status in {200, 400}
            assert (page.scripts, page.dangers) == (["static/live.js"], [])
            assert attack not in page.links
        async with client.get(f"/domains/{attack}", headers={"Accept": "text/html"}) as answer:
            page = Document(await answer.text())
        assert (answer.status, page.dangers) == (404, [])


async def test_pages_weigh_less_than_200_kb_however_much_there_is_to_say():
    home = household()
    async with client_of(home) as client:
        for number in range(300):
            about = target(f"{number}.{'long' * 10}.test")
            many = [
                observation(probe(about.domain, address=f"127.0.{number % 250}.{last}"), status=502)
                for last in range(30)
            ]
            cause = ("upstream-down", "access-denied", "maintenance", "rate-limited")[number % 4]
            found = finding(cause, about.domain, summary="s" * 400, evidence=("e" * 400,) * 20)
            wrong = (Verdict(expected=False, reason="r" * 400),) * 30
            await home.remember(
                round_(*many, of=about, verdicts=wrong, findings=(found,), started_at=NOON, trials=CONFIRMED)
            )
        (*_, incident) = home.house.chronicle.open
        weights = {}
        for path in ("/", "/?page=2", f"/domains/{incident.domains[0]}", "/incidents", f"/incidents/{incident.id}"):
            async with client.get(path) as answer:
                assert answer.status == 200
                weights[path] = len(await answer.read())

    assert {path: weight for path, weight in weights.items() if weight > 200_000} == {}


CONFIRMED = (Trial(Experiment.REPEAT, "a.test", "127.0.0.1", Protocol.HTTP11),)
