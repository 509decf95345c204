"""README's pictures of the exporter's pages: `make pictures` takes them, of the laboratory with all its faults.

Each picture carries, as a text, what a reader sees on it. A test asks the pages of today for the same words, so that no
picture can be out of date without being noticed.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from playwright.sync_api import Page, expect

from exporter.demo import Laboratory, example_config
from exporter.demo.sites import API, FIRST_FLIP_SECONDS, SERVERS, SHOP
from tests.background import in_background
from tests.programs import program
from tests.real.exporter_process import Exporter, running_exporter
from tests.real.pages import opened, running_browser
from tests.real.png import described
from tests.real.processes import awaited

ROOT = Path(__file__).parents[2]
PAGES = {"docs/overview.png": "/", "docs/domain.png": "/domains/blog.example.test"}
# Every picture that README shows, and the target of the Makefile that makes it.
MAKERS = {
    **dict.fromkeys(PAGES, "pictures"),
    "docs/fleet.png": "look",
    "docs/domain-dashboard.png": "look",
}
WINDOW = {"width": 1280, "height": 1440}
PORT = 8443  # the laboratory's own: it stands in the commands that a page shows
WRONG = {name for server in SERVERS for name in server.names} - {SHOP, API}
SETTLES_WITHIN_SECONDS = 90
# What a reader sees of it: headings, states and what the colors of the matrix mean, not times and evidence.
SEEN = "main h1, main h2, main h3, main .wrong.banner strong, main .state, main .legend li"


class Clock:
    """The laboratory's: real time, and what is added to it."""

    def __init__(self, ahead_seconds: float) -> None:
        self.ahead_seconds = ahead_seconds

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


@contextlib.contextmanager
def demo(folder: Path, port: int, **settings: object) -> Iterator[Exporter]:
    """The exporter on a laboratory that was opened a minute ago: the site that comes and goes has just gone."""
    clock = Clock(-FIRST_FLIP_SECONDS)
    with in_background(Laboratory(folder, port, clock)) as lab:
        clock.ahead_seconds = 0
        config = yaml.safe_load(example_config().read_text("utf-8"))
        config["global"] |= {"port": port, "ca_file": str(lab.ca_file), **settings}
        with running_exporter(folder, yaml.safe_dump(config)) as exporter:
            yield exporter


def words(page: Page, url: str) -> list[str]:
    """What a reader sees there, in order; on the overview, each cause with its domains."""
    page.goto(url)
    expect(page.locator("#live")).to_have_text("live")
    causes = page.locator("#now li.wrong").all()
    told = [f"{one.locator('h2').inner_text()}: {one.locator('.where').inner_text()}" for one in causes]
    return told or page.locator(SEEN).all_inner_texts()


def await_all_that_is_wrong(exporter: Exporter, page: Page) -> None:
    """Until it is told of every domain, and causes had two rounds more to settle."""

    def is_told() -> bool:
        told = " ".join(words(page, f"http://{exporter.endpoint}/"))
        return all(name in told for name in WRONG)

    def rounds() -> float:
        return exporter.scrape().value("statuscode_exporter_rounds_total")

    awaited(is_told, within_seconds=SETTLES_WITHIN_SECONDS, what="every domain that is wrong is on the overview")
    enough = rounds() + 2 * exporter.scrape().value("statuscode_exporter_targets")
    awaited(lambda: rounds() >= enough, within_seconds=SETTLES_WITHIN_SECONDS, what="two rounds more of each domain")


def picture(page: Page, url: str) -> bytes:
    """The window, in few colors, with its words."""
    told = words(page, url)
    small = subprocess.run(
        [program("pngquant"), "--speed=1", "--quality=80-100", "-"],
        input=page.screenshot(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return described(small.stdout, "\n".join(told))


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as folder,
        demo(Path(folder), PORT) as exporter,
        running_browser() as browser,
    ):
        page = opened(browser, viewport=WINDOW, color_scheme="light")
        await_all_that_is_wrong(exporter, page)
        for name, path in PAGES.items():
            (ROOT / name).write_bytes(picture(page, f"http://{exporter.endpoint}{path}"))


if __name__ == "__main__":
    main()
