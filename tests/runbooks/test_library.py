from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from exporter.runbooks import ABOUT_US, CODES, FAMILIES, Section, ids, page, titles

HEADINGS = [
    Section("meaning", "Meaning"),
    Section("impact", "Impact"),
    Section("diagnosis", "Diagnosis"),
    Section("mitigation", "Mitigation"),
]
CAUSES = tuple(cause for family in FAMILIES for cause in family.causes)
PLACEHOLDERS = {"DOMAIN", "SIBLING", "ADDRESS", "PORT"}
CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def source(id_: str) -> str:
    folder = "codes" if id_ in CODES else "exporter" if id_ in ABOUT_US else "causes"
    return files("exporter.runbooks").joinpath(folder, f"{id_}.md").read_text(encoding="utf-8")


def part(id_: str, heading: str) -> str:
    """What stands in the source below a heading of the second level."""
    return re.split(rf"^## {heading}$", source(id_), flags=re.MULTILINE)[1].split("\n## ")[0]


def commands(text: str) -> list[str]:
    return [code for language, code in CODE_BLOCK.findall(text) if language == "sh"]


class Parts(HTMLParser):
    """What a page links to, and the anchors it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag == "a":
            self.links.append(told["href"])
        if "id" in told:
            self.anchors.append(told["id"])


def test_every_id_has_a_page_and_every_page_an_id():
    folder = files("exporter.runbooks")
    found = {name: {file.name for file in folder.joinpath(name).iterdir()} for name in ("causes", "codes", "exporter")}

    expected = {"causes": CAUSES, "codes": CODES, "exporter": ABOUT_US}
    assert found == {name: {f"{id_}.md" for id_ in of_folder} for name, of_folder in expected.items()}
    assert [page(id_).id for id_ in ids()] == [*CAUSES, *CODES, *ABOUT_US]
    assert len(set(ids())) == len(ids())


@pytest.mark.parametrize(
    "id_", ["", "vhost", "421.md", "../codes/421", "causes/unknown", "UNKNOWN", "421\x00", "x" * 10_000]
)
def test_what_is_no_id_has_no_page(id_):
    assert page(id_) is None


@pytest.mark.parametrize("id_", ids())
def test_a_page_has_a_title_a_lead_and_the_four_headings_in_order(id_):
    title, _, rest = source(id_).partition("\n\n")
    read = page(id_)

    assert title == f"# {read.title}"
    assert len(read.title) <= 80
    assert rest[0] not in "#`-|"
    assert list(read.sections) == HEADINGS


@pytest.mark.parametrize("code", CODES)
def test_the_title_of_a_code_begins_with_it(code):
    assert page(code).title.startswith(f"{code} ")


def test_no_two_pages_have_one_title():
    told = [page(id_).title for id_ in ids()]

    assert len(set(told)) == len(told)
    assert list(titles().items()) == list(zip(ids(), told, strict=True))


def test_every_link_leads_to_a_page_and_to_an_anchor_on_it():
    parts = {id_: Parts(page(id_).html) for id_ in ids()}
    broken = [
        (id_, link)
        for id_ in ids()
        for link in parts[id_].links
        for target, _, anchor in [link.partition("#")]
        if (target or id_) not in parts or (anchor and anchor not in parts[target or id_].anchors)
    ]

    assert broken == []


def test_no_page_links_to_itself():
    assert [id_ for id_ in ids() if id_ in Parts(page(id_).html).links] == []


def test_codes_lead_to_the_causes_that_can_be_behind_them():
    alone = {code for code in CODES if not set(Parts(page(code).html).links) & set(CAUSES)}

    assert alone == {"408", "413", "415", "417", "425", "505", "507", "527"}  # no cause of the list is behind these


@pytest.mark.parametrize("id_", ids())
def test_diagnosis_has_commands_to_copy_with_the_exporter_s_own_among_them(id_):
    told = "".join(commands(part(id_, "Diagnosis")))

    assert 'statuscode-exporter check "$DOMAIN"' in told
    assert "$DOMAIN" in told.replace('check "$DOMAIN"', "")


@pytest.mark.parametrize("id_", ids())
def test_commands_name_no_place_but_the_placeholders(id_):
    told = "".join(commands(source(id_)))

    assert set(re.findall(r"\$\{?([A-Z_]+)", told)) <= PLACEHOLDERS
    assert set(re.findall(r"https?://[a-z0-9][^/\s\"']*", told.replace("https://unknown.invalid", ""))) in (
        set(),
        {"http://localhost:10421"},  # the exporter itself
        {"http://127.0.0.1:8000"},  # an application server, where it usually listens
    )


@pytest.mark.parametrize("id_", ids())
def test_mitigation_says_what_not_to_change_and_how_to_confirm(id_):
    headings = re.findall(r"^### (.*)$", part(id_, "Mitigation"), flags=re.MULTILINE)

    assert headings[-2:] == ["What not to change", "Confirm"]


@pytest.mark.parametrize("id_", ids())
def test_the_shell_can_read_every_command(id_, tmp_path):
    for number, code in enumerate(commands(source(id_))):
        script = tmp_path / f"{number}.sh"
        script.write_text(code)
        said = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")


def test_the_page_of_421_covers_what_people_search_for():
    text = source("421").lower()

    for word in (
        "wildcard",
        "shared certificates",
        ".htaccess",
        "no longer heuristically cacheable",
        "private window",
        "load balancer",
        "dns",
        "proxy",
        "sni",
        "client certificate",
        "http/2",
    ):
        assert word in text, word


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("401", ["403", "www-authenticate"]),
        ("403", ["401"]),
        ("500", ["logs", "database", "unhandled exceptions"]),
        ("502", ["listen where the proxy expects it", "killed for memory", "dmesg", "journalctl -k"]),
    ],
)
def test_codes_that_are_confused_or_common_say_what_people_need(code, words):
    text = source(code).lower()

    assert [word for word in words if word not in text] == []
