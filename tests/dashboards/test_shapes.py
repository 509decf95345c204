"""Grafana's own types hold every part of what it is given, and refuse typical faults."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.dashboards import committed
from tests.dashboards.shapes import Shapes, generated

pytestmark = pytest.mark.timeout(400)

RULES = committed.provisioned("provisioning/alerting/rules.yaml")
FILTER = "filterFieldsByName"
# As a value: the key is taken away.
GONE = object()


@pytest.fixture(scope="module")
def shapes(packages) -> Shapes:
    return generated(packages)


@pytest.mark.parametrize("board", committed.BOARDS)
def test_every_part_of_a_dashboard_is_as_grafanas_types_say(shapes, board):
    assert list(shapes.of_board(committed.BOARDS[board])) == []


def test_every_alert_rule_is_as_grafanas_types_say(shapes):
    assert list(shapes.of_rules(RULES)) == []


def test_the_examples_are_as_grafanas_types_say(shapes):
    (contact,) = committed.provisioned("examples/contact-points.yaml")["contactPoints"]
    (policy,) = committed.provisioned("examples/policies.yaml")["policies"]
    (template,) = committed.provisioned("examples/templates.yaml")["templates"]

    assert [fault for one in contact["receivers"] for fault in shapes.of_one("contactPoint", one)] == []
    assert list(shapes.of_one("policy", without_organization(policy))) == []
    assert list(shapes.of_one("template", without_organization(template))) == []


def without_organization(one: dict) -> dict:
    """Which a file names and the API does not ask for."""
    return {key: value for key, value in one.items() if key != "orgId"}


def changed(document, path: tuple[str | int, ...], value: object):
    """A copy with `value` at `path`."""
    copy = deepcopy(document)
    *above, last = path
    place = copy
    for step in above:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copy


FAULTS_OF_BOARDS = [
    pytest.param(("schemaVersion",), "39", id="text for a number"),
    pytest.param(("schemaVersion",), GONE, id="no version of the schema"),
    pytest.param(("refreshes",), "30s", id="unknown key of the dashboard"),
    pytest.param(("links", 0, "type"), "dashboard", id="unknown kind of link"),
    pytest.param(("templating", "list", 1, "hide"), 7, id="unknown way to hide a variable"),
    pytest.param(("templating", "list", 1, "refresh"), "2", id="text for how often a variable is asked anew"),
    pytest.param(("annotations", "list", 0, "iconColour"), "red", id="unknown key of an annotation"),
    pytest.param(("annotations", "list", 0, "target", "range"), "true", id="text for yes in an annotation's query"),
]


@pytest.mark.parametrize(("path", "value"), FAULTS_OF_BOARDS)
def test_a_fault_of_a_dashboard_is_refused(shapes, path, value):
    board = changed(committed.BOARDS["statuscode-fleet"], path, value)

    assert list(shapes.of_board(board))


FAULTS_OF_PANELS = [
    pytest.param("table", ("collapsd",), True, id="unknown key of a panel"),
    pytest.param("stat", ("gridPos", "w"), "4", id="text for a width"),
    pytest.param("stat", ("type",), "singlestat", id="plugin that is no more"),
    pytest.param("table", ("options", "rows"), 20, id="unknown option of a table"),
    pytest.param("timeseries", ("options", "legend", "placement"), "below", id="unknown place of a legend"),
    pytest.param("timeseries", ("options", "legend", "placement"), GONE, id="legend without a place"),
    pytest.param("timeseries", ("options", "tooltip", "mode"), "all", id="unknown mode of a tooltip"),
    pytest.param("stat", ("options", "reduceOptions"), GONE, id="number that is not reduced"),
    pytest.param("stat", ("fieldConfig", "defaults", "custom"), {}, id="fields where the plugin has none of its own"),
    pytest.param("timeseries", ("fieldConfig", "defaults", "custom", "lineWidth"), "1", id="text for a line's width"),
    pytest.param("stat", ("fieldConfig", "defaults", "thresholds", "mode"), "percent", id="unknown mode of thresholds"),
    pytest.param("stat", ("fieldConfig", "defaults", "colour"), {"mode": "fixed"}, id="unknown key of fields"),
    pytest.param("timeseries", ("targets", 0, "format"), "frames", id="unknown form of an answer"),
    pytest.param("timeseries", ("targets", 0, "query"), "up", id="unknown key of a query"),
    pytest.param("table", ("transformations", 0, "id"), "filterByNames", id="unknown transformation"),
    pytest.param(
        "table", ("transformations", 0, "options", "include", "names"), "domain", id="text for a list of names"
    ),
]


@pytest.mark.parametrize(("plugin", "path", "value"), FAULTS_OF_PANELS)
def test_a_fault_of_a_panel_is_refused(shapes, plugin, path, value):
    panel = next(one for _, one in committed.panels() if is_complete(one, plugin))

    faults = list(shapes.of_board(board_of(changed(panel, path, value))))
    assert faults
    assert all(fault.startswith("panels[0]") for fault in faults)


def is_complete(panel: dict, plugin: str) -> bool:
    """Whether every kind of fault has its place in it."""
    return panel["type"] == plugin and (plugin != "table" or panel.get("transformations", [{}])[0].get("id") == FILTER)


def board_of(panel: dict) -> dict:
    return committed.BOARDS["statuscode-fleet"] | {"panels": [panel]}


FAULTS_OF_COLUMNS = [
    ("custom.widht", 100),
    ("custom.width", "100"),
    ("custom.cellOptions", {"type": "colour-text"}),
    ("unitt", "s"),
    ("links", [{"titel": "Runbook", "url": "/"}]),
    ("mappings", [{"type": "value", "options": {"1": "one"}}]),
    ("thresholds", {"mode": "absolute", "steps": [{"colour": "red", "value": 1}]}),
]


@pytest.mark.parametrize(("name", "value"), FAULTS_OF_COLUMNS)
def test_a_fault_of_a_column_is_refused(shapes, name, value):
    panel = next(one for _, one in committed.panels() if is_complete(one, "table"))
    override = {"matcher": {"id": "byName", "options": "Value"}, "properties": [{"id": name, "value": value}]}

    assert list(shapes.of_board(board_of(changed(panel, ("fieldConfig", "overrides"), [override]))))


def test_panels_within_a_row_are_looked_at_too(shapes):
    panel = changed(committed.panels()[0][1], ("gridPos", "w"), "4")
    row = {"type": "row", "id": 99, "title": "More", "collapsed": True, "panels": [panel]}

    assert [fault.partition(":")[0] for fault in shapes.of_board(board_of(row))] == ["panels[0].panels[0].gridPos.w"]


FAULTS_OF_RULES = [
    (("noDataState",), "Ok"),
    (("panelId",), "8"),
    (("labels",), ["severity"]),
    (("annotation",), {"summary": "Down"}),
    (("condition",), GONE),
    (("data", 0, "relativeTimeRange", "from"), "10m"),
    (("data", 0, "model", "instantly"), True),
    (("data", 1, "model", "conditions", 0, "evaluator", "type"), "above"),
]


@pytest.mark.parametrize(("path", "value"), FAULTS_OF_RULES)
def test_a_fault_of_a_rule_is_refused(shapes, path, value):
    faults = list(shapes.of_rules(changed(RULES, ("groups", 0, "rules", 0, *path), value)))

    assert faults
    assert all(fault.startswith(RULES["groups"][0]["rules"][0]["title"]) for fault in faults)
