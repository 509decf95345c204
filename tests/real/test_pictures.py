"""README's pictures are made by the project, and show what its pages show today."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.programs import program
from tests.real.exporter_process import Exporter
from tests.real.pages import opened, running_browser
from tests.real.pictures import (
    MAKERS,
    PAGES,
    ROOT,
    SETTLES_WITHIN_SECONDS,
    WINDOW,
    await_all_that_is_wrong,
    demo,
    words,
)
from tests.real.png import description, size
from tests.real.processes import awaited, free_endpoint

pytestmark = pytest.mark.timeout(180)

SHOWN = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))


def test_every_picture_of_readme_has_a_maker_and_every_one_that_is_made_is_shown():
    assert sorted(SHOWN) == sorted(MAKERS)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in MAKERS.values())


def test_no_other_picture_is_kept():
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").iterdir()} == {*MAKERS}


@pytest.mark.parametrize("picture", MAKERS)
def test_a_picture_is_no_burden_for_who_clones_the_repository(picture):
    assert 10_000 < (ROOT / picture).stat().st_size < 300_000


@pytest.mark.parametrize("picture", PAGES)
def test_a_picture_is_one_window(picture):
    assert size((ROOT / picture).read_bytes()) == (WINDOW["width"], WINDOW["height"])


@pytest.fixture(scope="module")
def exporter(tmp_path_factory) -> Iterator[Exporter]:
    program("chromium")
    port = free_endpoint("127.0.42.1").port
    with demo(tmp_path_factory.mktemp("demo"), port, interval="2s", timeout="1s") as exporter:
        with running_browser() as browser:
            # Else a page that has not found all yet may say what an old picture shows.
            await_all_that_is_wrong(exporter, opened(browser, viewport=WINDOW))
        yield exporter


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with running_browser() as browser:
        yield opened(browser, viewport=WINDOW)


@pytest.mark.parametrize(("picture", "path"), PAGES.items())
def test_the_page_of_today_says_what_its_picture_shows(exporter, page, picture, path):
    shown = sorted(description((ROOT / picture).read_bytes()).splitlines())
    today: list[str] = []

    def is_the_same() -> bool:
        today[:] = sorted(words(page, f"http://{exporter.endpoint}{path}"))
        return today == shown

    try:
        awaited(is_the_same, within_seconds=SETTLES_WITHIN_SECONDS, what="the page says what its picture shows")
    except AssertionError:
        pytest.fail(f"{picture} shows {shown}; the page says {today}: run `make pictures`")
