"""YAML as a tree with positions."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.complaints import Complaints, ConfigError, Place
from exporter.config.source import MAX_DEPTH, Node, compose


def tree(text: str) -> Node:
    complaints = Complaints("config.yaml")
    root = compose(text, complaints)
    complaints.raise_any()
    assert root is not None
    return root


def test_each_value_stands_at_its_key_or_its_item() -> None:
    root = tree("a:\n  - b\n  - c: 1\n    d:\n      2\n")

    assert root.follow(("a",))[0].place == Place(1, 1)
    assert root.follow(("a", 0))[0].place == Place(2, 5)
    assert root.follow(("a", 1, "d"))[0] == Node(2, Place(4, 5))


def test_a_path_is_followed_as_far_as_it_goes() -> None:
    root = tree("a: [b]")

    assert root.follow(("a", 0, "x", "y")) == (root.follow(("a", 0))[0], ("a", 0))
    assert root.follow(("a", 7))[1] == ("a",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-12", -12),
        ("010", 10),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    found = tree(f"a: {text}\nb: 1").plain()

    assert found == {"a": value, "b": 1}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize("opening", ["[", "{", "? ", "- ", "{[", "[{", "{? "])
def test_depth_is_bounded_whatever_nests(opening: str) -> None:
    with pytest.raises(ConfigError, match=f"is nested deeper than {MAX_DEPTH} levels"):
        tree(opening * 5_000)


# YAML 1.1 breaks lines where JSON does not (U+0085, U+2028, U+2029), and U+FEFF may stand for a byte order mark.
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"], exclude_characters="\ufeff"))
keys = texts.filter(lambda key: key != "<<")
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(value=plain)
def test_json_is_read_as_it_is(value: object) -> None:
    assert as_lists(tree(json.dumps(value, ensure_ascii=False)).plain()) == value


def as_lists(value: object) -> object:
    if isinstance(value, tuple):
        return [as_lists(item) for item in value]
    return {key: as_lists(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "bad").glob("*.yaml")), ids=lambda path: path.stem)
def test_both_parsers_of_pyyaml_give_the_same_tree(path: Path) -> None:
    """An installation without libyaml must not read another configuration."""
    text = path.read_text(encoding="utf-8")
    mine, pure = Complaints("config.yaml"), Complaints("config.yaml")

    assert compose(text, mine) == compose(text, pure, yaml.SafeLoader)
