"""What Grafana's own code makes of what Prometheus answers: regions, tags, links, columns, texts and colors."""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode

import pytest

from exporter.diagnosis import CAUSES
from tests.dashboards import committed
from tests.dashboards.grafana_code import asked

pytestmark = pytest.mark.timeout(400)

STEP_SECONDS = 2
FLAKY = 'statuscode_incident_active{domain="flaky.example.test"}'
LAYERS = {one["name"]: one for uid, one in committed.annotations() if uid == "statuscode-fleet"}


def series(world, expression, start, end, step):
    query = urlencode({"query": expression, "start": start, "end": end, "step": step})
    return world.prometheus._api(f"query_range?{query}")["result"]


def window():
    # Aligned to the step, as Grafana aligns it.
    end = time.time() // STEP_SECONDS * STEP_SECONDS
    return end - 120, end


def of_layer(world, packages, name, start, end):
    layer = LAYERS[name]
    found = series(world, committed.filled(layer["expr"]), start, end, STEP_SECONDS)
    (made,) = asked(packages, [{"annotation": layer, "series": found, "step": f"{STEP_SECONDS}s"}])
    return made["events"]


def runs(moments, gap):
    """The first and last of each run of moments that are at most `gap` apart."""
    found = []
    for moment in sorted(moments):
        if found and moment - found[-1][1] <= gap:
            found[-1][1] = moment
        else:
            found.append([moment, moment])
    return found


def test_each_time_that_an_incident_was_open_is_one_region(lived, packages):
    start, end = window()
    regions = of_layer(lived, packages, "Causes", start, end)

    # The truth at a finer step, straight from the series: whenever any domain had the cause.
    moments = {}
    for one in series(lived, "statuscode_incident_active", start, end, 1):
        moments.setdefault(title_of(one["metric"]), set()).update(float(moment) for moment, _ in one["values"])
    truth = {title: runs(found, 2 * STEP_SECONDS) for title, found in moments.items()}
    seen = {title: [] for title in truth}
    for one in regions:
        seen[one["title"]].append([one["time"] / 1000, one["timeEnd"] / 1000])
    assert {title: len(found) for title, found in seen.items()} == {title: len(found) for title, found in truth.items()}
    for title, found in seen.items():
        for one, other in zip(sorted(found), truth[title], strict=True):
            assert one == pytest.approx(other, abs=2 * STEP_SECONDS), title
    flaky = {title_of(one["metric"]) for one in series(lived, FLAKY, start, end, 1)}
    assert sum(len(seen[title]) for title in flaky) >= 2


def title_of(labels):
    return f"{labels['code']} {CAUSES[labels['cause']].title}"


def test_a_region_says_what_it_is_and_links_to_the_runbook(lived, packages):
    regions = of_layer(lived, packages, "Causes", *window())
    down = next(one for one in regions if one["title"] == "none Connection refused")

    runbook = f"http://{lived.exporter.endpoint}/runbooks/connection-refused"
    assert f'<a href="{runbook}" target="_blank" rel="noopener noreferrer">' in down["text"]
    assert sorted(down["tags"]) == ["connection-refused", "critical", "none"]
    assert all("{{" not in str(one) and "runbook_url" not in one["text"] for one in regions)


def test_alerts_that_fire_are_regions_with_their_names(lived, packages):
    titles = {one["title"] for one in of_layer(lived, packages, "Alerts", *window())}

    assert {"StatusCodeMisdirected - blog.example.test", "StatusCodeReloadFailed - exporter"} <= titles


def test_a_reload_is_a_point_at_its_moment(lived, packages):
    points = of_layer(lived, packages, "Reloads", *window())
    loaded = lived.exporter.scrape().value("statuscode_exporter_config_last_reload_success_timestamp_seconds")

    assert [(one["time"], one["timeEnd"]) for one in points] == [(int(loaded * 1000), int(loaded * 1000))]


def panel(uid, number):
    (found,) = [one for board, one in committed.panels() if (board, one["id"]) == (uid, number)]
    return found


def as_shown(world, packages, uid, number, domain=".+"):
    one = panel(uid, number)
    query = urlencode({"query": committed.filled(one["targets"][0]["expr"], domain=domain)})
    found = world.prometheus._api(f"query?{query}")["result"]
    (made,) = asked(packages, [{"panel": one, "series": found}])
    return made


def test_the_table_of_what_is_wrong_has_its_columns_in_order_and_the_fields_of_its_links(lived, packages):
    table = as_shown(lived, packages, "statuscode-fleet", 7)

    assert table["columns"] == ["Severity", "Open for", "Domain", "Status", "Cause", "Runbook", "Evidence"]
    rows = {row[2]["text"]: [cell["text"] for cell in row] for row in table["rows"]}
    assert [rows["blog.example.test"][index] for index in (0, 2, 3)] == ["warning", "blog.example.test", "421"]
    assert rows["old.example.test"][0] == "critical"
    assert rows["blog.example.test"][5:] == ["what to do", "what was seen"]
    assert [fields["domain"] for fields in table["fields"]] == [row[2]["text"] for row in table["rows"]]
    assert re.fullmatch(r"00:\d\d:\d\d", rows["blog.example.test"][1])


def cells(made):
    """Shown cells by row and column."""
    return {
        (row[0]["text"], column): row[index]
        for row in made["rows"]
        for index, column in enumerate(made["columns"])
        if index
    }


def test_the_matrix_shows_codes_and_whether_they_belong_there(lived, packages):
    by_name = as_shown(lived, packages, "statuscode-domain", 8, domain="secure.example.test")
    found = cells(by_name)

    assert by_name["columns"][0] == "SNI \\ Host"
    assert {"unknown host", "secure.example.test"} < set(by_name["columns"])
    own, sibling = (found[sni, "secure.example.test"] for sni in ("secure.example.test", "open.example.test"))
    assert [own["text"], sibling["text"]] == ["200", "421"]
    assert own["color"] != sibling["color"]


def test_the_address_that_differs_is_seen_at_once(lived, packages):
    found = cells(as_shown(lived, packages, "statuscode-domain", 9, domain="blog.example.test"))

    good, bad = found["127.0.42.2", "http/1.1"], found["127.0.42.3", "http/1.1"]
    assert [good["text"], bad["text"]] == ["200", "421 wrong"]
    assert good["color"] != bad["color"]
