"""Debian's Chromium for pages of ours, driven by Playwright, and what axe-core finds on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.programs import program

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Kept by CI."""

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
SETTLES_WITHIN_MS = 20_000


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=SETTLES_WITHIN_MS)
        browser = playwright.chromium.launch(executable_path=str(program("chromium")), args=list(FLAGS))
        yield browser
        browser.close()


def opened(browser: Browser, **settings: Any) -> Page:
    """A page with a profile of its own; what its console complains of is an error of the test."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    context.set_default_timeout(SETTLES_WITHIN_MS)
    page = context.new_page()
    page.complaints = []  # type: ignore[attr-defined]  # kept where the test finds it
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    return page


def photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def barriers(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse: rule, and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
