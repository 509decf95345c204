"""What lies in `dashboards/` is what its source makes, and speaks of what the exporter has."""

from __future__ import annotations

import re

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

from dashboards.build import files, main
from dashboards.classic import dashboard
from dashboards.names import of_exporter
from dashboards.queries import everywhere
from dashboards.recording import RECORDINGS
from exporter.diagnosis import CAUSES
from tests.dashboards import committed

OF_PROMETHEUS = {"up", "ALERTS", "scrape_duration_seconds"}
NAME = re.compile(r"\b[a-z_]+(?::[a-z_0-9]+)*\b(?=\{)|\b(?:[a-z_]+:)?(?:statuscode|process)_[a-z_:0-9]+\b|\bup\b")


def every_expression() -> dict[str, list[str]]:
    """By where it stands."""
    found = {
        "panels": [one.expr for one in committed.targets()],
        "variables": [committed.matched(one["query"]["query"])[0] for _, one in committed.variables()],
        "annotations": [one["expr"] for _, one in committed.annotations()],
        "rules": [one["expr"] for one in committed.rules()],
    }
    assert all(found.values())
    return found


def names_in(expression: str) -> set[str]:
    without_texts = re.sub(r'"[^"]*"', '""', expression)
    without_labels = re.sub(r"\b(?:by|on|without|group_left)\s*\([^)]*\)", "", without_texts)
    return set(NAME.findall(without_labels))


def test_every_file_is_the_one_that_its_source_makes():
    made = dict(files())

    assert {name: (committed.FOLDER / name).read_text("utf-8") == text for name, text in made.items()} == dict.fromkeys(
        made, True
    ), "run `make dashboards`"


def test_no_other_dashboard_lies_there():
    assert {f"{name}.json" for name in committed.BOARDS} == {name for name, _ in files() if name.endswith(".json")}


def test_another_address_of_grafana_is_in_every_link(tmp_path):
    main(["--grafana-url=https://grafana.example/", f"--output={tmp_path}"])

    text = (tmp_path / "prometheus" / "statuscode.rules.yaml").read_text("utf-8")
    links = re.findall(r"dashboard_url: '?(\S+)", text)
    assert len(links) == len(committed.alerts())
    assert all(link.startswith("https://grafana.example/d/statuscode-") for link in links)


@pytest.mark.parametrize("board", committed.BOARDS)
def test_the_sdk_knows_every_key(board):
    """Reading drops what it does not know, and writing adds nothing but what the models put into menus."""
    register_default_plugins()
    document = committed.BOARDS[board]
    import json

    read = dashboard.Dashboard.from_json(json.loads(json.dumps(document)))
    again = json.loads(json.dumps(read, cls=JSONEncoder))

    assert list(lost(document, again)) == []


def lost(before, after, path=""):
    """What stands in `before` and not, or otherwise, in `after`."""
    # The links of a field are typed as those of a dashboard: `targetBlank` and the rest survive, more keys appear.
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{index}]")
    elif before != after:
        yield path, before, after


@pytest.mark.parametrize("where", every_expression())
def test_every_series_that_is_asked_for_exists(where):
    recorded = {one.name for one in RECORDINGS}
    asked = {name for expression in every_expression()[where] for name in names_in(expression)}

    assert asked <= {*of_exporter(), *recorded, *OF_PROMETHEUS}
    assert asked


def test_a_misspelt_name_is_not_built():
    with pytest.raises(KeyError):
        everywhere("statuscode_domain_upp")


def test_every_series_of_ours_is_used_somewhere():
    """Histograms by one of their parts. Documented, all of them, in README (held there)."""
    used = {name for expressions in every_expression().values() for one in expressions for name in names_in(one)}
    ours = {name for name in of_exporter() if name.startswith("statuscode_")}
    of_histograms = {name.rpartition("_")[0] for name in ours if name.endswith("_bucket")}

    unused = ours - used
    assert {name for name in unused if name.rpartition("_")[0] not in of_histograms} == set()
    assert of_histograms <= {name.rpartition("_")[0] for name in used}


def test_every_recording_is_used_by_what_it_was_made_for():
    expressions = every_expression()
    alerting = [one["expr"] for one in committed.alerts()]
    used = {name for one in (*expressions["panels"], *alerting) for name in names_in(one)}

    assert {one.name for one in RECORDINGS} <= used


def test_causes_are_shown_by_their_titles_in_the_colors_of_their_severity():
    (panel,) = [panel for uid, panel in committed.panels() if (uid, panel["id"]) == ("statuscode-fleet", 8)]
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]

    shown = {number: result["text"] for number, result in mapping["options"].items()}
    assert shown == {"0": "as expected"} | {str(one.number): one.title for one in CAUSES.values()}


def test_grafana_has_the_alerts_of_prometheus():
    of_grafana = [
        rule for group in committed.provisioned("provisioning/alerting/rules.yaml")["groups"] for rule in group["rules"]
    ]

    asked = {rule["title"]: (rule["data"][0]["model"]["expr"], rule["for"]) for rule in of_grafana}
    assert asked == {rule["alert"]: (rule["expr"], rule["for"]) for rule in committed.alerts()}


def test_the_same_source_makes_the_same_text_twice():
    assert dict(files()) == dict(files())
    assert all(yaml.safe_load(text) for name, text in files() if name.endswith(".yaml"))
