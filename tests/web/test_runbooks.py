from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from exporter import runbooks
from tests.web.houses import client_of, household


class Parts(HTMLParser):
    """What a page links to or loads, and the tags that it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in {"href", "src"}]


@pytest.fixture
async def client():
    """Of an application without any domain, served for real."""
    async with client_of(household()) as session:
        yield session


async def text_of(client, path):
    async with client.get(path) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), path
        return await answer.text()


async def test_the_index_lists_every_page_once(client):
    links = Parts(await text_of(client, "/runbooks/")).links

    assert [link for link in links if "/" not in link and link != "#main"] == list(runbooks.ids())


async def test_every_page_is_served_readable_without_script(client):
    for id_ in runbooks.ids():
        text = await text_of(client, f"/runbooks/{id_}")
        assert f"<title>{runbooks.page(id_).title} " in text.replace("&#39;", "'")
        assert Parts(text).tags.isdisjoint({"style", "iframe"})


@pytest.mark.parametrize("path", ["/", "/runbooks/", "/runbooks/421", "/runbooks/vhost-missing"])
async def test_every_relative_reference_of_a_page_is_served(client, path):
    links = [link for link in Parts(await text_of(client, path)).links if not link.startswith("#")]

    assert not [link for link in links if link.startswith(("/", "http:", "https:"))]
    for link in links:
        async with client.get(urljoin(path, link)) as answer:
            assert answer.status == 200, link


async def test_the_overview_leads_to_the_runbooks(client):
    assert "runbooks/" in Parts(await text_of(client, "/")).links


@pytest.mark.parametrize(
    "path",
    [
        "/runbooks/nothing",
        "/runbooks/421/",
        "/runbooks/causes/unknown",
        "/runbooks/..%2fcodes%2f421",
        "/runbooks/%3Cscript%3E",
        "/runbooks/421.md",
    ],
)
async def test_what_has_no_page_is_not_found(client, path):
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (404, "404 Not Found\n")


async def test_the_index_is_found_without_its_slash_by_a_relative_reference(client):
    async with client.get("/runbooks", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "runbooks/")


async def test_pages_are_under_the_strict_policy(client):
    async with client.get("/runbooks/421") as answer:
        await answer.read()

    assert answer.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self';"
    )
