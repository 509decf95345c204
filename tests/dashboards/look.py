"""`make look GRAFANA=http://localhost:3000`: the dashboards as a running Grafana draws them, walked through by clicks.

It needs a Grafana that has them, and an exporter that this machine reaches, too. Where a panel shows an error or a link
leads nowhere, it says so in one line and fails; else it leaves a picture of each dashboard. Where Grafana lets nobody
in, GRAFANA_TOKEN in the environment is the token of a service account, which is sent to Grafana only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Error, Locator, Page, Response, Route, sync_playwright
from playwright.sync_api import TimeoutError as TooLateError

from tests.dashboards.committed import BOARDS

WIDTH, HEIGHT = 1600, 1320
ROW, HEAD = 38, 400
"""Pixels: of a row of panels with its margin, and of all that stands above them."""

WAITS_MS = 30_000
KEPT = ("from", "to", "var-datasource", "var-job", "var-instance")
QUERIES = "/api/ds/query"

LOADING = '[aria-label="Panel loading bar"], [data-testid="Spinner"]'
BROKEN = '[data-testid="data-testid Panel status error"], [aria-label="Panel status error"]'
MISSING = "text=/Panel plugin not found|Failed to load its plugin|Datasource .* was not found/i"
DOMAIN_LINK = 'a[href*="/d/statuscode-domain/?"]'
CELL = ':is([role="cell"], [role="gridcell"])'


class SeenWrongError(Exception):
    """What is wrong with what was seen, in one line."""


@dataclass(frozen=True, slots=True)
class Grafana:
    """Attributes: `refused` are the answers to queries of panels that were errors, in words."""

    page: Page
    url: str
    since: str
    refused: list[str]

    def open(self, uid: str) -> None:
        self.page.goto(f"{self.url}/d/{uid}/?from=now-{self.since}&to=now")
        self.settled(uid)

    def settled(self, uid: str) -> None:
        """SeenWrongError: a panel is not there, still loads, or shows an error."""
        self._heighten(uid)
        for panel in BOARDS[uid]["panels"]:
            _shown(self.page.get_by_text(panel["title"], exact=True), f"{uid}: no panel {panel['title']!r}")
        self.page.wait_for_load_state("networkidle")
        loading = self.page.locator(LOADING)
        with suppress(TooLateError):
            loading.first.wait_for(state="detached")
        if loading.count():
            raise SeenWrongError(f"{uid}: a panel still loads after {WAITS_MS / 1000:g} s")
        self._healthy(uid)

    def _heighten(self, uid: str) -> None:
        """A window that is high enough for all panels: those out of sight do not load."""
        rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in BOARDS[uid]["panels"])
        self.page.set_viewport_size({"width": WIDTH, "height": rows * ROW + HEAD})

    def _healthy(self, uid: str) -> None:
        missing = self.page.locator(MISSING)
        broken = self.page.locator(BROKEN)
        if self.refused:
            raise SeenWrongError(f"{uid}: {self.refused[0]}")
        if missing.count():
            raise SeenWrongError(f"{uid}: {missing.first.inner_text()}")
        if broken.count():
            raise SeenWrongError(f"{uid}: an error in {_title(broken.first)}")

    def photograph(self, to: Path) -> None:
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self.page.wait_for_load_state("networkidle")
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=to)
        print(f"{to}: {to.stat().st_size // 1000} kB")


def _shown(what: Locator, otherwise: str) -> None:
    try:
        what.first.wait_for()
    except TooLateError:
        raise SeenWrongError(f"{otherwise} within {WAITS_MS / 1000:g} s") from None


def _title(sign: Locator) -> str:
    found: str | None = sign.evaluate("sign => sign.closest('section')?.querySelector('h2, h6')?.textContent")
    return found or "a panel"


def walk(grafana: Grafana) -> None:
    """From the fleet by clicking: a domain with its time and choices, its evidence, its runbook."""
    page = grafana.page
    link = page.locator(f"{CELL} {DOMAIN_LINK}").first
    if not link.count():
        print("nothing is wrong there: there is no incident to walk to")
        grafana.open("statuscode-domain")
        return
    name, before = link.inner_text(), parse_qs(urlsplit(page.url).query)
    link.click()
    page.wait_for_url("**/d/statuscode-domain/**")
    grafana.settled("statuscode-domain")
    after = parse_qs(urlsplit(page.url).query)
    if after.get("var-domain") != [name]:
        raise SeenWrongError(f"a click on {name} led to {page.url}")
    if lost := [key for key in KEPT if key in before and key not in after]:
        raise SeenWrongError(f"on the way to {name} was lost: {', '.join(lost)}")
    print(f"{name}: {_followed(page, 'what was seen')}, {_followed(page, 'what to do')}")


def _followed(page: Page, text: str) -> str:
    """The address of a page that a link opens in a new tab. SeenWrongError: it does not answer with 200."""
    link = page.locator(f"{CELL} a", has_text=text)
    _shown(link, f"no link {text!r}")
    with page.context.expect_page() as opened:
        link.first.click()
    url = str(link.first.get_attribute("href"))
    with suppress(Error):
        opened.value.wait_for_load_state()
        url = opened.value.url
    opened.value.close()
    try:
        status = page.context.request.get(url).status
    except Error as error:
        raise SeenWrongError(f"{url} cannot be reached: {str(error).splitlines()[0]}") from None
    if status != 200:
        raise SeenWrongError(f"{url} answers {status}")
    return url


@contextmanager
def seen_by_a_browser(url: str, since: str) -> Iterator[Grafana]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SeenWrongError("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        context.set_default_timeout(WAITS_MS)
        _let_in(context, url)
        refused: list[str] = []
        page = context.new_page()
        page.on("response", lambda answer: refused.extend(_refusal(answer)))
        yield Grafana(page, url, since, refused)
        browser.close()


def _let_in(context: BrowserContext, url: str) -> None:
    """The token goes to Grafana, and not along to the pages that its links lead to."""
    token = os.environ.get("GRAFANA_TOKEN")

    def go_on(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "authorization": f"Bearer {token}"})

    if token:
        context.route(f"{url}/**", go_on)


def _refusal(answer: Response) -> Iterator[str]:
    if QUERIES in answer.url and answer.status >= 400:
        yield f"a query was answered {answer.status}: {answer.text()[:300]}"


def look(url: str, output: Path, since: str) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with seen_by_a_browser(url, since) as grafana:
        grafana.open("statuscode-fleet")
        grafana.photograph(output / "fleet.png")
        walk(grafana)
        grafana.photograph(output / "domain-dashboard.png")
        grafana.open("statuscode-421")
        grafana.photograph(output / "incidents-dashboard.png")
        grafana.open("statuscode-exporter")
        grafana.photograph(output / "exporter-dashboard.png")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make look", description=__doc__)
    parser.add_argument("grafana", type=lambda text: text.rstrip("/"), help="where it is, as http://localhost:3000")
    parser.add_argument("--output", type=Path, default=Path("build/screenshots"), help="a folder for the pictures")
    parser.add_argument("--since", default="1h", help="how far back to look; default: 1h")
    asked = parser.parse_args(argv)
    try:
        look(asked.grafana, asked.output, asked.since)
    except (SeenWrongError, Error) as error:
        print(f"look: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
