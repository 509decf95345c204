import pkgutil
from importlib import import_module
from math import inf

import pytest

import benchmarks
from benchmarks import diagnosing
from benchmarks.content import house_with, number_of_samples
from benchmarks.figures import Cost, Ratio, alternated, bound_of_quantile, ratio
from benchmarks.probing import GROUP_SIZE, connections_and_cells, group_targets, matched_targets, sweep_targets
from benchmarks.servers import Server
from benchmarks.table import Row, markdown, plain
from exporter.model import Protocol

ROWS = (
    Row("matched probe", "0.75 ms", "0.94 ms", "0.80", "0.85", "yes"),
    Row("handshake", "0.6 ms"),
)
SERVER = Server(8443, "ca.pem")


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(benchmarks.__path__)])
def test_each_module_can_be_imported_without_measuring(name):
    assert import_module(f"benchmarks.{name}").__doc__


def test_a_plain_table_has_aligned_columns_and_no_space_at_line_ends():
    assert plain(ROWS).splitlines() == [
        "measured       exporter  peer     ratio  goal  reached",
        "matched probe  0.75 ms   0.94 ms  0.80   0.85  yes",
        "handshake      0.6 ms",
    ]


def test_a_markdown_table_has_every_cell_of_every_row():
    assert markdown(ROWS).splitlines() == [
        "| measured | exporter | peer | ratio | goal | reached |",
        "| --- | --- | --- | --- | --- | --- |",
        "| matched probe | 0.75 ms | 0.94 ms | 0.80 | 0.85 | yes |",
        "| handshake | 0.6 ms |  |  |  |  |",
    ]


def test_a_ratio_is_taken_within_each_repeat_so_that_a_machine_that_slows_down_does_not_change_it():
    assert ratio((1, 2, 4), (2, 4, 8)) == Ratio(0.5, 0.5, 0.5)


def test_a_ratio_tells_where_half_of_the_repeats_lie():
    assert ratio((1, 2, 3, 4, 5), (1, 1, 1, 1, 1)) == Ratio(3, 2, 4)
    assert str(Ratio(0.8, 0.754, 0.9)) == "0.80 (0.75 to 0.90)"


def test_figures_of_different_numbers_of_repeats_have_no_ratio():
    with pytest.raises(ValueError, match="longer"):
        ratio((1, 2), (1, 2, 3))


@pytest.mark.parametrize(
    ("fraction", "bound"),
    [(0.5, 0.001), (0.98, 0.1), (0.99, 0.5), (1.0, inf)],
)
def test_a_quantile_lies_at_or_below_the_bound_of_its_bucket(fraction, bound):
    histogram = {0.001: 60.0, 0.1: 98.0, 0.5: 99.0, inf: 100.0}

    assert bound_of_quantile(histogram, fraction) == bound


def test_contenders_take_turns_and_the_first_turn_of_each_does_not_count():
    turns = []

    def contender(name, seconds):
        def run():
            turns.append(name)
            return Cost(next(seconds), 10)

        return run

    figures = alternated({"a": contender("a", iter((100, 1, 2))), "b": contender("b", iter((100, 3, 4)))}, repeats=2)

    assert turns == ["a", "b"] * 3
    assert figures == {"a": (0.1, 0.2), "b": (0.3, 0.4)}


def test_the_content_of_the_writing_benchmark_has_as_many_samples_as_are_asked_for():
    assert 5_000 <= number_of_samples(house_with(5_000)) < 5_500


def test_the_rounds_that_are_diagnosed_are_as_large_and_as_ill_as_they_are_called():
    large, healthy = diagnosing.large(), diagnosing.healthy()

    assert diagnosing.OBSERVATIONS <= len(large.round_.observations) < 1.25 * diagnosing.OBSERVATIONS
    assert [one.cause for one in diagnosing.found(large)] == ["vhost-tls-params-differ"]
    assert diagnosing.found(healthy) == ()


def test_matched_targets_are_asked_for_themselves_and_for_nothing_else():
    assert connections_and_cells(matched_targets(SERVER, 7, Protocol.HTTP11)) == (7, 7)


def test_a_sweep_asks_for_every_ordered_pair_by_sni_and_by_host():
    plan_alone, sweep = group_targets(SERVER, GROUP_SIZE), sweep_targets(SERVER)
    connections, cells = connections_and_cells(sweep)

    others = GROUP_SIZE - 1
    assert connections == GROUP_SIZE * (len(sweep[0].protocols) + 1 + others)  # matched, no SNI, other SNIs
    assert cells - connections == _shared_cells(plan_alone)
    assert _shared_cells(plan_alone) >= GROUP_SIZE * others


def _shared_cells(targets):
    connections, cells = connections_and_cells(targets)
    return cells - connections
