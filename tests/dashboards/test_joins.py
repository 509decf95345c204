"""No query joins many to many, and none counts twice, where two exporters probe the same domains."""

from __future__ import annotations

import pytest

from tests.dashboards import committed
from tests.dashboards.cases import CASES, CONSTANT, JOB, OPEN, in_other_words, of_another
from tests.dashboards.promtool import promtool

AT = 16  # minutes; every case is in trouble then, or was
INFO = {
    f'statuscode_exporter_build_info{{{JOB},version="1",python_version="3",openssl_version="OpenSSL 3"}}': "1x300",
    f'statuscode_coalescing_exposed{{{JOB},domain="a.test",sibling="b.test",client="firefox"}}': "1x300",
}
ALL = CONSTANT | INFO | {name: values for case in CASES for name, values in case.series.items()}
INCIDENT = CONSTANT | INFO | CASES[0].series
INCIDENT |= {name.replace("active", "start_timestamp_seconds"): OPEN for name in INCIDENT if "incident_active" in name}
DOMAINS = {"statuscode-domain": "a.test"}
QUERIES = {
    f"{one.board}-{one.panel}-{index}": committed.filled(one.expr, domain=DOMAINS.get(one.board, ".+"))
    for index, one in enumerate(committed.targets())
} | {
    f"{uid}-{one['name']}": committed.filled(one["expr"], domain=DOMAINS.get(uid, ".+"))
    for uid, one in committed.annotations()
}


def twice(series, **another):
    """As two exporters see it, of two versions, with pages elsewhere and other groups."""
    other = {
        name.replace('group="shop"', 'group="store"'): values
        for name, values in in_other_words(of_another(series, **another)).items()
    }
    return series | other


def error(folder, series, query):
    """What Prometheus says against the query itself, whatever it answers."""
    asked = [{"expr": query, "eval_time": f"{AT}m", "exp_samples": []}]
    return [line for line in promtool(folder, series, promql_expr_test=asked).splitlines() if ", err: " in line]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_holds_where_two_exporters_or_one_that_is_replaced_say_the_same(tmp_path, query):
    assert error(tmp_path, twice(ALL), query) == []
    assert error(tmp_path, twice(ALL, instance="e:10421", more=',pod="b"'), query) == []


ONE_ROW = ("statuscode-fleet-7", "statuscode-fleet-14", "statuscode-domain-7", "statuscode-421-10", "Causes")


@pytest.mark.parametrize("place", [one for one in QUERIES if one.startswith(ONE_ROW[:-1]) or one.endswith(ONE_ROW[-1])])
def test_one_incident_that_two_exporters_see_is_one_row_and_one_region(tmp_path, place):
    counted = {"expr": f"count({QUERIES[place]})", "eval_time": f"{AT}m"}

    asked = [{**counted, "exp_samples": [{"labels": "{}", "value": 1}]}]
    assert promtool(tmp_path, twice(INCIDENT), promql_expr_test=asked) == ""


def test_the_commonest_cause_counts_a_domain_once(tmp_path):
    (commonest,) = [query for place, query in QUERIES.items() if place.startswith("statuscode-fleet-4-")]
    told = {"expr": f"max({commonest})", "eval_time": f"{AT}m"}

    asked = [{**told, "exp_samples": [{"labels": "{}", "value": 1}]}]
    assert promtool(tmp_path, twice(INCIDENT), promql_expr_test=asked) == ""
