"""Every expression of the bundle gives data, and every alert arrives, in a world where things do go wrong."""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode, urlsplit

import pytest

from tests.dashboards import committed
from tests.real.exporter_process import ask
from tests.real.processes import Endpoint

pytestmark = pytest.mark.timeout(300)

# (dashboard, panel, query), and why it may be empty here.
EMPTY_BY_DESIGN: dict[tuple[str, int, int], str] = {}

# The dashboard about one domain is asked about the one that shows what a panel is for.
TELLING = {14: "down.example.test", 15: "cart.example.test"}


def answered(prometheus, path, **parameters):
    return prometheus._api(f"{path}?{urlencode(parameters, doseq=True)}")


def over_time(prometheus, expression, seconds=120, step=2):
    now = time.time()
    times = {"start": f"{now - seconds:.3f}", "end": f"{now:.3f}", "step": step}
    return answered(prometheus, "query_range", query=expression, **times)["result"]


def values_of(prometheus, query, **values):
    """What a variable would offer."""
    series, label = committed.matched(query)
    found = answered(
        prometheus,
        f"label/{label}/values",
        **{"match[]": committed.filled(series, **values), "start": time.time() - 120},
    )
    return sorted(found)


def numbered_targets():
    return [
        pytest.param((uid, panel["id"], index), one, id=f"{uid}-{panel['id']}-{one['refId']}")
        for uid, panel in committed.panels()
        for index, one in enumerate(panel.get("targets", ()))
    ]


def named(found):
    return [pytest.param(uid, one, id=f"{uid}-{one['name']}") for uid, one in found]


def in_seconds(query: str) -> str:
    """A subquery looks at whole minutes only, and what happens here may happen between two of them."""
    return query.replace(":1m]", ":1s]")


@pytest.mark.parametrize(("place", "target"), numbered_targets())
def test_a_query_of_a_panel_gives_data(lived, place, target):
    uid, panel, _ = place
    domain = TELLING.get(panel, "blog.example.test") if uid == "statuscode-domain" else ".+"
    asked = in_seconds(committed.filled(target["expr"], domain=domain))
    if target["instant"]:
        found = answered(lived.prometheus, "query", query=asked)["result"]
    else:
        found = over_time(lived.prometheus, asked)

    assert bool(found) is (place not in EMPTY_BY_DESIGN), asked


@pytest.mark.parametrize(("_", "variable"), named(committed.variables()))
def test_a_variable_has_something_to_choose(lived, _, variable):
    assert values_of(lived.prometheus, variable["query"]["query"])


@pytest.mark.parametrize(("uid", "layer"), named(committed.annotations()))
def test_a_layer_of_annotations_gives_data(lived, uid, layer):
    domain = "blog.example.test" if uid == "statuscode-domain" else ".+"

    assert over_time(lived.prometheus, committed.filled(layer["expr"], domain=domain))


def test_the_table_of_what_is_wrong_holds_all_that_its_links_need(lived):
    (table,) = [one for one in committed.targets() if (one.board, one.panel) == ("statuscode-fleet", 7)]

    rows = [one["metric"] for one in answered(lived.prometheus, "query", query=committed.filled(table.expr))["result"]]

    steady = {"blog", "maintenance", "down", "old", "cart", "help", "secure", "lost", "news"}
    assert {f"{name}.example.test" for name in steady} <= {row["domain"] for row in rows}
    for row in rows:
        assert set(row) == {"domain", "code", "cause", "title", "severity", "runbook_url", "url"}
        assert row["url"] == f"http://{lived.exporter.endpoint}"
        assert status_of(row["runbook_url"]) == 200
        assert status_of(f"{row['url']}/domains/{row['domain']}") == 200


def status_of(url):
    parts = urlsplit(url)
    return ask(Endpoint(parts.hostname, parts.port), "GET", parts.path).status


def test_the_figures_of_the_fleet_agree_with_the_exporter(lived):
    shown = {one.panel: committed.filled(one.expr) for one in committed.targets() if one.board == "statuscode-fleet"}
    scrape = lived.exporter.scrape()
    open_now = {sample.labels["domain"] for sample in scrape.select("statuscode_incident_active")}
    steady = open_now - {"flaky.example.test"}

    (affected,) = lived.prometheus.query(shown[2]).values()
    assert affected in {len(steady), len(steady) + 1}
    (dominant,) = lived.prometheus.query(shown[4])
    assert dict(dominant)["title"]
    ending = {dict(labels)["domain"] for labels in lived.prometheus.query(shown[13])}
    assert ending == {"ending.example.test", "old.example.test"}


def test_the_matrix_tells_a_right_421_from_a_wrong_one(lived):
    (matrix,) = [one for one in committed.targets() if (one.board, one.panel) == ("statuscode-domain", 8)]

    def cells(domain):
        found = lived.prometheus.query(committed.filled(matrix.expr, domain=domain))
        return {(dict(labels).get("sni", ""), dict(labels)["host"]): value for labels, value in found.items()}

    blog, secure = cells("blog.example.test"), cells("secure.example.test")
    assert blog["blog.example.test", "blog.example.test"] == 1421
    assert secure["secure.example.test", "secure.example.test"] == 200
    assert secure["open.example.test", "secure.example.test"] == 421
    assert cells("down.example.test")["down.example.test", "down.example.test"] == 1000
    assert cells("cart.example.test")["help.example.test", "cart.example.test"] == 1404


def test_every_alert_reached_the_webhook_with_its_texts_and_links(lived):
    told = lived.everything.alerts()

    assert {alert["labels"]["alertname"] for alert in told} == {alert["alert"] for alert in committed.alerts()}
    for alert in told:
        texts = alert["annotations"]
        assert set(texts) == {"summary", "description", "runbook_url", "dashboard_url"}
        assert not re.search(r"<no value>|%!|\{\{", str(texts)), texts
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert not {"title", "runbook_url", "runbooks"} & set(alert["labels"])
        assert ("group" in alert["labels"]) is ("domain" in alert["labels"])


def test_every_runbook_that_an_alert_names_is_answered_by_the_exporter(lived):
    links = {alert["annotations"]["runbook_url"] for alert in lived.everything.alerts()}

    assert {link: status_of(link) for link in links} == dict.fromkeys(links, 200)
    assert {link.rpartition("/")[2] for link in links} >= {"exporter-in-trouble", "cert-expired", "response-too-slow"}


def test_what_happened_in_the_laboratory_is_told_by_the_right_alerts(lived):
    told = {
        (alert["labels"]["alertname"].removeprefix("StatusCode"), alert["labels"]["domain"])
        for alert in lived.everything.alerts()
        if "domain" in alert["labels"]
    }

    shared = {("Misrouted", f"{name}.example.test") for name in ("secure", "open", "cart", "help", "news")}
    assert {("Misrouted", f"{name}.example.test") for name in ("cart", "help", "news")} <= told
    assert told - shared == {
        ("Misdirected", "blog.example.test"),
        ("AddressDiffers", "blog.example.test"),
        ("ServerError", "maintenance.example.test"),
        ("ServerError", "flaky.example.test"),
        ("Intermittent", "flaky.example.test"),
        ("ClientError", "lost.example.test"),
        ("NoAnswer", "down.example.test"),
        ("UnexpectedAnswer", "old.example.test"),
        ("CertificateEnds", "ending.example.test"),
        ("Slow", "slow.example.test"),
    }


def test_a_cause_over_several_domains_is_one_notification(lived):
    groups = [
        {alert["labels"]["domain"] for alert in told["alerts"]}
        for _, told in lived.everything.notifications
        if told["groupLabels"].get("cause")
    ]

    assert any({"cart.example.test", "help.example.test"} <= domains for domains in groups)


def test_critical_alerts_go_to_the_pager_and_others_to_the_tickets(lived):
    went = {
        (path, alert["labels"]["severity"] == "critical")
        for path, told in lived.everything.notifications
        for alert in told["alerts"]
    }

    assert went == {("pager", True), ("tickets", False)}


def test_who_is_told_of_an_incident_is_spared_its_lesser_symptoms(lived):
    told = {(alert["labels"]["alertname"], alert["labels"].get("domain")) for alert in lived.spared.alerts()}

    assert ("StatusCodeMisdirected", "blog.example.test") in told
    assert ("StatusCodeCertificateEnds", "ending.example.test") in told
    assert ("StatusCodeAddressDiffers", "blog.example.test") not in told


def test_an_alert_whose_cause_is_over_is_resolved(lived):
    resolved = [alert for alert in lived.everything.alerts() if alert["status"] == "resolved"]

    assert resolved
