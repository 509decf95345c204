"""The pages as people use them: a real browser, a running exporter, and a server that breaks and is mended."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Browser, Page, expect

from tests.background import in_background
from tests.origin import answer, origin
from tests.real.exporter_process import Exporter
from tests.real.laboratory import Laboratory
from tests.real.pages import barriers, opened, photograph, running_browser
from tests.real.processes import Endpoint, awaited

SERVER = """
server {
    listen @endpoint ssl;
    ssl_certificate @certificate;
    ssl_certificate_key @certificate;
    server_name shop.test help.test;
    set $broken no;
    if (-f @switch) { set $broken yes; }
    if ($host = help.test) { set $broken no; }
    if ($broken = yes) { return 503; }
    return 200 "welcome to $host";
}
"""
CONFIG = """
global: {interval: 1s, timeout: 1s, ca_file: @ca, port: @port, resolve: ["@address"]}
groups:
  - {name: shop, domains: [shop.test, help.test]}
"""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Shop:
    """The server's switch, and the exporter that watches it."""

    def __init__(self, switch: Path, exporter: Exporter) -> None:
        self._switch = switch
        self.exporter = exporter
        self.url = f"http://{exporter.endpoint}"

    def breaks(self) -> None:
        self._switch.touch()

    def is_mended(self) -> None:
        self._switch.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def shop(laboratory: Laboratory) -> Iterator[Shop]:
    # Not pytest's own folder: only its owner may look into that, and nginx's workers are somebody else.
    with tempfile.TemporaryDirectory(prefix="switch-") as name:
        Path(name).chmod(0o755)
        switch = Path(name) / "broken"
        certificate = laboratory.authority.certificate("shop.test", "help.test")
        server = laboratory.nginx(SERVER, "127.0.51.31", certificate=certificate, switch=switch)
        yield Shop(switch, laboratory.exporter(CONFIG, server))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = opened(browser, permissions=["clipboard-read", "clipboard-write"])
    yield page
    assert page.complaints == []
    page.context.close()


@pytest.fixture
def broken(shop: Shop) -> Iterator[Shop]:
    shop.breaks()
    until(shop.exporter, is_open=True)
    yield shop
    shop.is_mended()
    until(shop.exporter, is_open=False)


def open_incident(exporter: Exporter) -> str:
    """The id of the only one that is open; empty: none is. The metrics show what is over for a while longer."""
    found = json.loads(exporter.ask("GET", "/api/v1/incidents?state=firing").body)["incidents"]
    assert len(found) < 2
    return str(found[0]["id"]) if found else ""


def until(exporter: Exporter, *, is_open: bool) -> None:
    words = "an incident" if is_open else "the end of the incident"
    awaited(lambda: bool(open_incident(exporter)) is is_open, within_seconds=30, what=words)


def heading(page: Page) -> str:
    return page.locator("h1").first.inner_text()


def test_from_the_overview_to_the_incident_to_the_command_until_it_is_over(broken: Shop, page: Page) -> None:
    page.goto(broken.url)
    expect(page.locator("#now h1")).to_have_text("What is wrong now")
    expect(page.locator("#live")).to_have_text("live")
    card = page.locator(".causes-now .wrong").first
    expect(card).to_contain_text("503")
    expect(card).to_contain_text("shop.test")
    photograph(page, "overview")

    card.get_by_role("link", name="Incident").first.click()
    expect(page.locator("#incident .state")).to_have_text("Open")
    expect(page.locator("article.finding")).to_contain_text("SNI=shop.test Host=shop.test")
    expect(page.locator("article.finding")).to_contain_text("Fix")
    photograph(page, "incident")

    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command.startswith("curl ")
    assert "https://shop.test:" in command

    page.evaluate("window.loaded = 'once'")
    broken.is_mended()
    expect(page.locator("#incident .state")).to_have_text("Over")
    expect(page.locator("#rounds .step").first).to_contain_text("Over")
    expect(page.locator("#rounds .step").first).to_contain_text("503 ✕")
    assert page.evaluate("window.loaded") == "once"
    photograph(page, "incident-over")


def test_the_overview_follows_by_itself(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    expect(page.locator("#now h1")).to_have_text("Nothing is wrong")
    page.evaluate("window.loaded = 'once'")
    shop.breaks()
    expect(page.locator("#now h1")).to_have_text("What is wrong now")
    shop.is_mended()
    expect(page.locator("#now h1")).to_have_text("Nothing is wrong")

    assert page.evaluate("window.loaded") == "once"


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus; it must be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in focused.inner_text():
            outline = focused.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none", name
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


def test_all_of_it_is_done_by_keyboard_alone(broken: Shop, page: Page) -> None:
    page.goto(broken.url)
    tab_to(page, "To the content")
    page.keyboard.press("Enter")
    tab_to(page, "Incident")
    page.keyboard.press("Enter")
    expect(page.locator("#incident .state")).to_have_text("Open")
    tab_to(page, "Copy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl ")
    page.goto(f"{broken.url}/domains/shop.test")
    tab_to(page, "Check now")
    page.keyboard.press("Enter")
    expect(page.locator("form [role=status]")).to_have_text(re.compile("done|ask again"))
    expect(page.get_by_role("button", name="Check now")).to_be_focused()
    tab_to(page, "Runbook")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runbooks/*")


def test_the_domain_tells_right_refusals_from_wrong_ones(broken: Shop, page: Page) -> None:
    page.goto(f"{broken.url}/domains/shop.test")
    expect(page.locator("#standing .state")).to_have_text("Down")
    wrong = page.locator("table.matrix td.cell.wrong")
    expect(wrong.first).to_contain_text("503")
    expect(page.locator(".legend")).to_contain_text("not as expected")
    expect(page.locator("#certificates")).to_contain_text("trusted")
    expect(page.locator("#phases")).to_contain_text("processing")
    photograph(page, "domain")


def test_everything_can_be_read_and_done_without_a_script(broken: Shop, browser: Browser) -> None:
    page = opened(browser, java_script_enabled=False)
    page.goto(broken.url)
    expect(page.locator("#now")).to_contain_text("503")
    page.get_by_role("link", name="Incident").last.click()
    expect(page.locator("article.finding")).to_contain_text("curl ")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.goto(f"{broken.url}/domains/help.test")
    page.get_by_role("button", name="Check now").click()
    page.wait_for_url("**/domains/help.test")
    assert heading(page) == "help.test"
    page.goto(f"{broken.url}/incidents")
    page.get_by_label("State").select_option("firing")
    page.get_by_role("button", name="Show").click()
    assert "state=firing" in page.url
    expect(page.locator("table.incidents tbody tr")).to_have_count(1)
    page.context.close()


PATHS = ("/", "/domains/shop.test", "/incidents", "/incidents/{id}", "/runbooks/", "/runbooks/421", "/domains/no.test")


def test_pages_have_no_serious_barriers_and_fit(broken: Shop, browser: Browser) -> None:
    identity = open_incident(broken.exporter)
    for viewport, scheme in product((WIDE, NARROW), ("light", "dark")):
        page = opened(browser, viewport=viewport, color_scheme=scheme)
        for path in PATHS:
            page.goto(broken.url + path.format(id=identity))
            name = re.sub(r"[^a-z0-9]+", "-", path.replace("{id}", "one")).strip("-") or "overview"
            photograph(page, f"{name}-{viewport['width']}-{scheme}")
            assert barriers(page) == [], (path, viewport, scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, viewport)
        page.context.close()


ATTACK = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"


def hostile(_head: str) -> bytes:
    fields = f"Server: {ATTACK}\r\nLocation: javascript:window.hacked=1//{ATTACK}\r\nSet-Cookie: {ATTACK}\r\n"
    return answer(502, ATTACK.encode(), fields, reason=ATTACK)


def test_nothing_that_a_server_says_is_run(
    ca: trustme.CA, ca_file: Path, laboratory: Laboratory, browser: Browser
) -> None:
    leaf = ca.issue_cert("evil.test", common_name=ATTACK[:64], organization_name=ATTACK[:64])
    with in_background(origin({None: leaf}, hostile, address="127.0.51.32")) as server:
        config = CONFIG.replace("@ca", str(ca_file)).replace("shop.test, help.test", "evil.test")
        exporter = laboratory.exporter(config, Endpoint(server.address, server.port))
        until(exporter, is_open=True)
        page = opened(browser)
        for path in ("/", "/domains/evil.test", "/incidents", f"/incidents/{open_incident(exporter)}"):
            page.goto(f"http://{exporter.endpoint}{path}")
            page.wait_for_timeout(300)  # an image would fail to load by now
            assert page.evaluate("window.hacked") is None
            assert page.locator("main img, main script").count() == 0
        assert page.complaints == []
        page.goto(f"http://{exporter.endpoint}/domains/evil.test")
        expect(page.locator("#certificates")).to_contain_text("window.hacked=1")
        page.context.close()
