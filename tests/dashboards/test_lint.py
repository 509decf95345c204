"""Rules for dashboards: those of Grafana's dashboard-linter, and ours for links, ids, places and texts."""

from __future__ import annotations

import re
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import promql_parser
import pytest

from tests.dashboards import committed

PANELS = [pytest.param(panel, id=f"{uid}-{panel['id']}") for uid, panel in committed.panels()]
VARIABLES = [pytest.param(one, id=f"{uid}-{one['name']}") for uid, one in committed.variables()]
TARGETS = [pytest.param(one, id=f"{one.board}-{one.panel}-{index}") for index, one in enumerate(committed.targets())]
BOARDS = committed.BOARDS
UNWELL = {"not probed", "none was shown", "no exporter answers", "no domain is probed", "no exporter within a day"}


def names_of_variables(uid):
    return {one["name"] for one in BOARDS[uid]["templating"]["list"]}


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_says_what_it_is_and_cannot_be_edited(uid):
    board = BOARDS[uid]

    assert (board["uid"], board["editable"], board["schemaVersion"], board["tags"]) == (uid, False, 39, ["statuscode"])
    assert board["title"]
    assert board["description"]
    assert len(uid) <= 40


@pytest.mark.parametrize("uid", BOARDS)
def test_the_first_variables_are_data_source_job_and_instance(uid):
    first, *_ = variables = BOARDS[uid]["templating"]["list"]

    assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus")
    assert [one["name"] for one in variables][1:3] == ["job", "instance"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_follows_the_time_range_and_the_data_source(variable):
    assert variable["refresh"] == 2
    assert variable["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert variable["label"]
    if variable["multi"]:
        assert (variable["includeAll"], variable["allValue"]) == (True, ".+")


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_title_description_unit_and_a_text_for_no_data(panel):
    assert panel["title"]
    assert panel["description"].endswith((".", ")"))
    if panel["type"] == "text":
        return
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    always_a_number = all("or vector(0)" in one["expr"] for one in panel["targets"])
    assert defaults.get("noValue") or always_a_number


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_the_chosen_data_source(panel):
    if panel["type"] == "text":
        return
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == chosen
    assert panel["targets"]
    assert {str(one["datasource"]) for one in panel["targets"]} == {str(chosen)}
    assert len({one["refId"] for one in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("target", TARGETS)
def test_an_expression_is_good_promql_over_the_chosen_exporters(target):
    expression = committed.filled(target.expr)
    promql_parser.parse(expression)

    for selector in re.findall(r"\b(?:statuscode|process|up|scrape)[a-z_:0-9]*\{([^}]*)\}", target.expr):
        assert 'job=~"$job"' in selector
        assert 'instance=~"$instance"' in selector


@pytest.mark.parametrize("target", TARGETS)
def test_counters_are_rates_and_rates_fit_the_view(target):
    inner = re.sub(r"\{[^}]*\}", "", target.expr)

    for window in re.findall(r"\brate\(\S+?\[([^\]]+)\]", inner):
        assert window == "$__rate_interval"
    for counter in re.finditer(r"\b(?:statuscode|process)\w+_(?:total|bucket|sum|count)\b", inner):
        before, after = inner[: counter.start()], inner[counter.end() :]
        inside = re.search(r"\b(?:rate|increase)\($", before) is not None
        # A series that was born within the range is taken whole: `increase` would not see its first event.
        whole = re.match(r"\s+unless ", after) is not None or re.search(r"unless $", before) is not None
        assert inside or whole, inner


@pytest.mark.parametrize("uid", BOARDS)
def test_ids_are_unique_and_places_do_not_overlap(uid):
    panels = BOARDS[uid]["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["id"] > 0 for panel in panels)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
    assert max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels) == 24


def test_the_first_thing_below_the_figures_is_the_table_of_what_is_wrong():
    fleet = sorted(BOARDS["statuscode-fleet"]["panels"], key=lambda panel: panel["gridPos"]["y"])

    table = next(panel for panel in fleet if panel["type"] != "stat")
    assert (table["title"], table["gridPos"]["w"]) == ("What is wrong now", 24)
    assert table["gridPos"]["y"] + table["gridPos"]["h"] <= 14  # of about 16 rows that a screen of 1080 lines shows


@pytest.mark.parametrize("uid", sorted(set(BOARDS) - {"statuscode-domain"}))
def test_the_choice_of_many_domains_is_not_carried_to_the_board_about_one(uid):
    (to_domain,) = [link["url"] for link in BOARDS[uid]["links"] if "/statuscode-domain/" in link["url"]]

    assert "domain:" not in to_domain
    assert "var-domain" not in to_domain


def test_what_is_unknown_is_not_green():
    for uid, panel in committed.panels():
        if panel["type"] == "stat" and panel["fieldConfig"]["defaults"].get("noValue") in UNWELL:
            base = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"]
            assert base not in {"green", "blue"}, (uid, panel["title"])


def links() -> list[tuple[str, str]]:
    """(dashboard, URL) of every link of a field."""
    found = []
    for uid, panel in committed.panels():
        config = panel.get("fieldConfig", {})
        found += [(uid, link["url"]) for link in config.get("defaults", {}).get("links") or ()]
        for override in config.get("overrides", ()):
            for property_ in override["properties"]:
                if property_["id"] == "links":
                    found += [(uid, link["url"]) for link in property_["value"]]
    return found


def test_a_link_to_a_dashboard_names_one_that_exists_and_its_variables_and_keeps_time_and_choices():
    to_boards = [(uid, url) for uid, url in links() if url.startswith("/")]

    for uid, url in to_boards:
        parts = urlsplit(url)
        target = parts.path.strip("/").removeprefix("d/")
        told = {name.removeprefix("var-") for name in parse_qs(parts.query) if name.startswith("var-")}
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", url))
        assert target in BOARDS
        assert told | kept <= names_of_variables(target)
        assert kept | {"datasource"} <= names_of_variables(uid)
        assert {"datasource", "job", "instance"} <= kept
        assert "${__url_time_range}" in url
    assert {target for _, url in to_boards for target in BOARDS if f"/d/{target}/" in url} == set(BOARDS)


def test_links_elsewhere_lead_to_what_the_series_say():
    elsewhere = {url for _, url in links() if not url.startswith("/")}

    assert elsewhere == {"${__value.raw}", "${__value.raw}/domains/${__data.fields.domain}"}


@pytest.mark.parametrize("uid", BOARDS)
def test_all_boards_are_linked_and_nothing_hides_in_a_menu(uid):
    links = {urlsplit(link["url"]).path.split("/")[2]: link for link in BOARDS[uid]["links"]}

    assert {*links, uid} == set(BOARDS)
    for target, link in links.items():
        carried = set(re.findall(r"\$\{(\w+):queryparam\}", link["url"]))
        assert {"datasource", "job", "instance"} <= carried <= names_of_variables(target) & names_of_variables(uid)
        assert (link["type"], link["includeVars"], link["keepTime"]) == ("link", False, True)
    assert "inControlsMenu" not in str(BOARDS[uid])


@pytest.mark.parametrize("panel", PANELS)
def test_no_panel_is_as_wide_as_the_dashboard_because_it_could_repeat(panel):
    assert not {key for key in panel if key.startswith("repeat")}


@pytest.mark.parametrize("panel", PANELS)
def test_states_over_time_are_shown_by_their_names(panel):
    """Where thresholds give the color, Grafana merges values into their ranges before it looks for names."""
    if panel["type"] == "state-timeline":
        defaults = panel["fieldConfig"]["defaults"]
        assert (defaults["color"]["mode"], bool(defaults["mappings"])) == ("fixed", True)


@pytest.mark.parametrize("panel", PANELS)
def test_a_table_is_sorted_by_columns_that_it_shows(panel):
    shown = {
        property_["value"]
        for override in panel.get("fieldConfig", {}).get("overrides", ())
        for property_ in override["properties"]
        if property_["id"] == "displayName"
    }
    assert {one["displayName"] for one in panel["options"].get("sortBy") or ()} <= shown


def test_titles_of_figures_fit_on_a_narrow_screen():
    """Pixels of a screen of 1280; a letter has up to eight, the sign of the description and the edges 60."""
    for uid, panel in committed.panels():
        if panel["type"] == "stat":
            assert len(panel["title"]) * 8 <= panel["gridPos"]["w"] * 52 - 60, (uid, panel["title"])


@pytest.mark.parametrize("uid", BOARDS)
def test_the_layers_are_the_same_on_all_and_only_causes_are_shown_at_first(uid):
    layers = BOARDS[uid]["annotations"]["list"]
    about_domains = uid != "statuscode-exporter"

    assert [(one["name"], one["enable"]) for one in layers] == [
        ("Causes", about_domains),
        ("Alerts", False),
        ("Reloads", False),
    ]
    for one in layers:
        assert (one["target"]["expr"], one["target"]["interval"]) == (one["expr"], one["step"])
        # Grafana reads the first unit of a step only.
        assert re.fullmatch(r"[1-9]\d*[sm]", one["step"])
        assert " " not in one["tagKeys"]
        promql_parser.parse(committed.filled(one["expr"]))


@pytest.mark.parametrize("uid", ["statuscode-fleet", "statuscode-421"])
def test_regions_of_many_incidents_do_not_hide_a_graph(uid):
    causes = BOARDS[uid]["annotations"]["list"][0]
    graphs = {panel["id"] for panel in BOARDS[uid]["panels"] if panel["type"] == "timeseries"}

    assert (causes["filter"]["exclude"], set(causes["filter"]["ids"])) == (True, graphs)
    assert "domain" not in causes["expr"].partition("(")[2].partition(")")[0]


@pytest.mark.parametrize("panel", PANELS)
def test_a_status_history_bounds_its_points(panel):
    if panel["type"] == "status-history":
        assert panel["interval"]
        assert panel["maxDataPoints"] <= 100


def test_a_table_shows_only_columns_that_its_query_gives():
    for uid, panel in committed.panels():
        wanted = [
            name
            for one in panel.get("transformations", ())
            if one["id"] == "filterFieldsByName"
            for name in one["options"]["include"]["names"]
        ]
        if wanted:
            by = re.search(r"(?:max|min|count|sum) by \(([^)]*)\)", panel["targets"][0]["expr"])
            several = {f"Value #{one['refId']}" for one in panel["targets"]}
            assert set(wanted) <= {"Value", *several, *by[1].split(", ")}, (uid, panel["title"])


@pytest.mark.parametrize("panel", PANELS)
def test_colors_are_chosen_in_ways_that_grafana_9_knows(panel):
    """It takes a mode that it does not know for an error, and shows nothing else in the panel."""
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    overridden = [
        one["value"] for override in config["overrides"] for one in override["properties"] if one["id"] == "color"
    ]
    modes = {one["mode"] for one in (config["defaults"].get("color"), *overridden) if one}
    assert modes <= {"fixed", "thresholds", "palette-classic"}
