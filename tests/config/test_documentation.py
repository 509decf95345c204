"""The example and the README say what the schema says."""

import re
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest
import yaml

from exporter.config import load
from exporter.config.complaints import Complaints
from exporter.config.load import Config
from exporter.config.schema import DOMAIN, EXPECT, GLOBAL, GRAFANA, GROUP, TOP, Expectation, Grafana, Limits, Settings
from exporter.config.sections import Reader
from exporter.config.source import compose
from exporter.config.surroundings import Surroundings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
KEYS = {*TOP, *GLOBAL, *GROUP, *DOMAIN, *(f"expect.{key}" for key in EXPECT), *(f"grafana.{key}" for key in GRAFANA)}


def rows() -> dict[str, str]:
    """Key to default, from the README's table."""
    section = (ROOT / "README.md").read_text(encoding="utf-8")
    section = section.partition("<!-- configuration -->")[2].partition("<!-- /configuration -->")[0]
    return dict(re.findall(r"^\| `([a-z_.]+)` \| `?(.*?)`? \|", section, re.MULTILINE))


def uncommented(text: str) -> str:
    return re.sub(r"^( +)# ( *[a-z_]+:(?: |$))", r"\1\2", text, flags=re.MULTILINE)


def test_the_readme_has_a_row_for_each_key() -> None:
    assert rows().keys() == KEYS


def given_values(section: str, keys: dict) -> dict:
    complaints = Complaints("README.md")
    root = compose(section, complaints)
    assert root is not None
    given = Reader(complaints, Surroundings(ROOT, {})).section(root, (), keys).given
    complaints.raise_any()
    return dict(given)


@pytest.mark.parametrize("kind", [Limits, Settings])
def test_the_readme_says_the_defaults_of_the_schema(kind: type) -> None:
    defaults = {item.name: item.default for item in fields(kind) if item.default is not MISSING}
    section = "".join(f"{name}: {rows()[name]}\n" for name in defaults if name != "user_agent")

    given = given_values(section, GLOBAL)

    assert rows().get("user_agent", "").endswith("/<version>")
    assert given == {name: value for name, value in defaults.items() if name != "user_agent"}


def test_the_readme_says_the_defaults_of_expect() -> None:
    section = "".join(f"{name}: {rows()[f'expect.{name}']}\n" for name in EXPECT)

    assert Expectation(**given_values(section, EXPECT)) == Expectation()


def test_the_readme_says_the_defaults_of_grafana() -> None:
    optional = [name for name, key in GRAFANA.items() if not key.required]
    section = "".join(f"{name}: {rows()[f'grafana.{name}']}\n" for name in optional)
    given = given_values(section, {name: GRAFANA[name] for name in optional})

    assert Grafana(url="", token_file="", **given) == Grafana(url="", token_file="")
    assert all(rows()[f"grafana.{name}"] == "required" for name, key in GRAFANA.items() if key.required)


def test_the_example_names_every_key() -> None:
    found = set(re.findall(r"^(?: *(?:# +|- )?| +)([a-z_]+):", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))

    assert {key.rpartition(".")[2] for key in KEYS} == found


def test_the_example_comments_say_the_defaults(tmp_path: Path) -> None:
    """With every comment taken away it is the same configuration, but for the placeholder of the version."""
    path = tmp_path / "config.yaml"
    path.write_text(uncommented(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")

    explicit, active = load(path, {}), load(EXAMPLE, {})

    top = yaml.safe_load(path.read_text(encoding="utf-8"))["global"]
    assert top.keys() == GLOBAL.keys()
    assert top["expect"].keys() == EXPECT.keys()
    assert [replace(target, user_agent="") for target in explicit.targets] == [
        replace(target, user_agent="") for target in active.targets
    ]
    assert explicit == Config(
        explicit.targets, active.max_in_flight, active.max_in_flight_per_address, active.max_series
    )


def test_the_example_is_the_laboratory() -> None:
    config = load(EXAMPLE, {})

    assert [(target.group, target.domain, target.resolve) for target in config.targets] == [
        ("shop", "shop.example.test", ("127.0.42.1",)),
        ("shop", "api.example.test", ("127.0.42.1",)),
        ("blog", "blog.example.test", ("127.0.42.2", "127.0.42.3")),
        ("maintenance", "maintenance.example.test", ("127.0.42.4",)),
        ("down", "down.example.test", ("127.0.42.5",)),
        ("flaky", "flaky.example.test", ("127.0.42.6",)),
        ("old", "old.example.test", ("127.0.42.7",)),
        ("secure", "secure.example.test", ("127.0.42.8",)),
        ("secure", "open.example.test", ("127.0.42.8",)),
        ("router", "cart.example.test", ("127.0.42.9",)),
        ("router", "help.example.test", ("127.0.42.9",)),
        ("news", "news.example.test", ("127.0.42.10",)),
    ]
    assert {(target.timeout_seconds, target.port) for target in config.targets} == {(3.0, 8443)}
    assert {target.group for target in config.targets if target.interval_seconds != 10.0} == {"news"}
