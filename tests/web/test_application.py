from __future__ import annotations

import asyncio
import gzip
from html.parser import HTMLParser

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition import Format
from exporter.model import Verdict
from tests.factories import observation, probe, round_, target
from tests.web.houses import client_of, household, served

PARSERS = {Format.TEXT: parse_text, Format.OPENMETRICS: parse_openmetrics}


@pytest.fixture
def home():
    return household()


@pytest.fixture
def record(home):
    return home.record


@pytest.fixture
async def address(home):
    """Of the application, really served."""
    async with served(home) as address:
        yield address


@pytest.fixture
async def client(address):
    async with aiohttp.ClientSession("http://{}:{}".format(*address)) as session:
        yield session


@pytest.fixture
async def packed_client(address):
    """One that leaves what it gets as it came."""
    async with aiohttp.ClientSession("http://{}:{}".format(*address), auto_decompress=False) as session:
        yield session


@pytest.mark.parametrize("form", Format)
async def test_metrics_is_one_valid_document_of_domains_and_exporter_in_the_format_asked_for(client, record, form):
    record(round_())
    async with client.get("/metrics", headers={"Accept": form.content_type}) as answer:
        document = await answer.text()

    names = {family.name for family in PARSERS[form](document)}
    assert answer.status == 200
    assert answer.headers["Content-Type"] == form.content_type
    assert {"statuscode_domain_up", "statuscode_exporter_targets", "process_start_time_seconds"} <= names
    assert document.count("# EOF") == (form is Format.OPENMETRICS)


async def test_metrics_is_compressed_for_those_who_accept_it(packed_client, record):
    record(round_())
    async with packed_client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = await answer.read()
    async with packed_client.get("/metrics", headers={"Accept-Encoding": "identity"}) as plain:
        text = await plain.read()

    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept, Accept-Encoding"
    own = b"# HELP process"  # from here on two answers differ
    assert gzip.decompress(packed).split(own)[0] == text.split(own)[0]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_head_has_the_headers_of_get_and_no_body(packed_client, encoding):
    asked = {"Accept-Encoding": encoding}
    async with packed_client.head("/metrics", headers=asked) as head:
        body = await head.read()
    async with packed_client.get("/metrics", headers=asked) as get:
        await get.read()

    alike = ("Content-Type", "Content-Encoding", "Vary", "Cache-Control")
    assert (head.status, body) == (200, b"")
    assert [head.headers.get(name) for name in alike] == [get.headers.get(name) for name in alike]


async def test_healthy_is_always_and_ready_when_the_house_is(client, home):
    answers = {}
    for ready in (False, True):
        home.ready = ready
        for path in ("/-/healthy", "/-/ready"):
            async with client.get(path) as answer:
                answers[ready, path] = answer.status, await answer.text()

    assert answers == {
        (False, "/-/healthy"): (200, "Healthy\n"),
        (False, "/-/ready"): (503, "Not ready: the first rounds are not scheduled yet\n"),
        (True, "/-/healthy"): (200, "Healthy\n"),
        (True, "/-/ready"): (200, "Ready\n"),
    }


@pytest.mark.parametrize(
    ("complaints", "status", "text"),
    [
        ((), 200, "Reloaded\n"),
        (
            ("groups.0.port: 0 is no port", "global.intervall: unknown key"),
            500,
            """The configuration was not reloaded; the last one stays in force:
groups.0.port: 0 is no port
global.intervall: unknown key
""",
        ),
    ],
)
async def test_reload_answers_with_the_complaints(client, home, complaints, status, text):
    home.complaints = complaints
    async with client.post("/-/reload") as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (status, "text/plain", text)

    assert home.reloads == 1


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://{host}"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://{host}"}, True),
        ({"Origin": "https://status.example"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "something new"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://{host}.evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.test"}, False),
    ],
)
async def test_another_site_cannot_make_a_browser_reload(client, address, home, headers, allowed):
    sent = {name: value.format(host="{}:{}".format(*address)) for name, value in headers.items()}
    async with client.post("/-/reload", headers=sent) as answer:
        assert answer.status == (200 if allowed else 403)

    assert home.reloads == allowed


@pytest.mark.parametrize(
    ("method", "path", "status", "text", "allow"),
    [
        ("GET", "/nowhere", 404, "404 Not Found\n", None),
        ("GET", "/static/", 403, "403 Forbidden\n", None),
        ("GET", "/-/reload", 405, "405 Method Not Allowed\n", "POST"),
        ("POST", "/", 405, "405 Method Not Allowed\n", "GET,HEAD"),
        ("POST", "/metrics", 405, "405 Method Not Allowed\n", "GET,HEAD"),
        ("DELETE", "/-/ready", 405, "405 Method Not Allowed\n", "GET,HEAD"),
    ],
)
async def test_errors_are_one_line_of_text(client, method, path, status, text, allow):
    async with client.request(method, path) as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (status, "text/plain", text)
        assert answer.headers.get("Allow") == allow


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/-/healthy", "/-/reload", "/nowhere", "/static/style.css", "/static/icon.svg"]
)
async def test_every_answer_is_hardened_and_tells_no_version(client, path):
    async with client.get(path) as answer:
        await answer.read()

    assert answer.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self';"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Server"] == "statuscode-exporter"


@pytest.mark.parametrize(
    "path", ["/static/../house.py", "/static/%2e%2e/house.py", "/static/..%2fhouse.py", "/static//etc/passwd"]
)
async def test_no_file_outside_is_served(address, path):
    """Over a bare socket: HTTP clients tidy such paths themselves."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status_line = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert status_line.split()[1] in {b"403", b"404"}


class Page(HTMLParser):
    """The cells of a page's table, row by row, its other text, and the tags that it holds."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.tags = set()
        self.scripts = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "script":
            self.scripts.append(dict(attributes).get("src"))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data):
        if self._in_cell:
            self.rows[-1][-1] = " ".join((self.rows[-1][-1] + " " + data).split())


async def page_of(client):
    async with client.get("/") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        return await answer.text()


async def test_the_overview_shows_the_worst_domain_first(client, record, home):
    record(round_(of=target("good.test")))
    verdict = Verdict(expected=False, reason="421 instead of 200-399")
    record(round_(observation(probe("bad.test"), status=421), of=target("bad.test"), verdicts=(verdict,)))
    home.targets["new.test"] = target("new.test")
    text = await page_of(client)

    assert Page(text).rows == [
        ["Domain", "State", "Answers by address", "What is wrong", "Certificate", "Last round"],
        [
            "bad.test shop",
            "Down",
            "421 127.0.0.1 http/1.1 not as expected",
            "421 instead of 200-399",
            "89 d left",
            "59 s ago",
        ],
        ["new.test shop", "Not yet probed", "", "", "", ""],
        ["good.test shop", "Up", "200 127.0.0.1 http/1.1", "", "89 d left", "59 s ago"],
    ]
    for total in ("<strong>1</strong> down", "<strong>1</strong> not yet probed", "<strong>1</strong> up</a>"):
        assert total in text


async def test_the_overview_says_that_nothing_is_wrong_only_of_what_was_probed(client, record, home):
    home.targets.update({name: target(name) for name in ("a.test", "b.test")})
    before = await page_of(client)
    record(round_(of=target("a.test")))
    midway = await page_of(client)
    record(round_(of=target("b.test")))
    after = await page_of(client)

    assert ["<h1>Nothing is known yet</h1>" in before, "<h1>Nothing is wrong so far</h1>" in midway] == [True, True]
    assert "<h1>Nothing is wrong</h1>" in after


async def test_the_overview_escapes_what_servers_say_and_needs_no_script(client, record):
    hostile = Verdict(expected=False, reason="<script>alert('1')</script><img src=x>")
    record(round_(verdicts=(hostile,)))
    text = await page_of(client)
    page = Page(text)

    assert page.tags.isdisjoint({"img", "style"})
    assert page.scripts == ["static/live.js"]
    assert page.rows[1][3] == hostile.reason


async def test_the_overview_shows_only_domains_that_are_configured(client, record, home):
    record(round_(of=target("gone.test")))
    home.targets.clear()

    assert "No domains are configured." in await page_of(client)


async def test_an_empty_external_url_allows_no_origin_but_our_own():
    home = household(external_url="")
    async with client_of(home) as client:
        for origin in ("null", "", "file://", "http://status.example"):
            async with client.post("/-/reload", headers={"Origin": origin}) as answer:
                assert answer.status == 403

    assert home.reloads == 0


async def test_the_event_loop_turns_while_a_long_overview_is_made(client, record):
    turns = 0

    async def watch():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    for number in range(2000):
        record(round_(of=target(f"{number}.test")))
    watching = asyncio.create_task(watch())
    text = await page_of(client)
    watching.cancel()

    assert len(Page(text).rows) == 101
    assert turns > 2000 / 200 + 100 / 25  # steps of reading the rounds, and of writing the rows
