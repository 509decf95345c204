"""What a dashboard is made of, as plain values: queries, panels, layers, boards. `rendering` makes JSON of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# One step of a color scale: from this value on (None: from below); what a value is shown as.
Threshold = tuple[float | None, str]
Options = dict[str, object]

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE = "green", "yellow", "orange", "red", "blue", "purple"
GREY = "#7b8087"
"""What nothing is known about, or is neither good nor bad. Grafana has no name for a grey that white can be read on."""


LONG_AGO = -1e9
"""Seconds: below any age or time that is left. What has no value has the color of what is still below."""


class Form(StrEnum):
    """How an answer of Prometheus is asked for and laid out."""

    SERIES = "time_series"
    TABLE = "table"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression.

    Attributes:
        legend: how series are named; `{{label}}` stands for a label's value.
        instant: asked for the end of the time range only.
    """

    expr: str
    legend: str = ""
    form: Form = Form.SERIES
    instant: bool = False


def now(expr: str, legend: str = "") -> Query:
    return Query(expr, legend, instant=True)


def table_of(expr: str) -> Query:
    return Query(expr, form=Form.TABLE, instant=True)


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str
    new_tab: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a value is shown as."""

    value: float
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a table looks.

    Attributes:
        name: of the field: a label, or `Value`.
        title: None: the name.
        says: one text that stands for every value, where only the link matters.
        width: in pixels.
        texts: what values are shown as. colors: what the cells of values are filled with.
        left: aligned like texts, where a number stands among them.
    """

    name: str
    title: str | None = None
    unit: str | None = None
    width: int | None = None
    link: Link | None = None
    says: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
    colors: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    left: bool = False
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Paint:
    """What series are drawn in, by their names; the last that fits holds.

    Attributes:
        pattern: a regular expression, somewhere in the name.
    """

    pattern: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        id: stable: alerts and links name it.
        kind: Grafana's plugin, a key of `looks.LOOKS`, with a variant after a colon.
        width: of 24. height: in rows of 30 pixels.
        no_value: what stands there when there is no data, so that nobody takes it for a fault.
        decimals, minimum, interval: None: Grafana decides.
        columns: of tables only, in their order; a label that is not among them is not shown.
        matrix: row, column and value, where a table is turned into a matrix.
        sorted_by: titles of columns, ascending; rows that are equal keep the order of the query.
    """

    id: int
    kind: str
    title: str
    description: str
    width: int
    height: int
    queries: tuple[Query, ...] = ()
    unit: str = "short"
    no_value: str = ""
    decimals: int | None = None
    minimum: float | None = None
    thresholds: tuple[Threshold, ...] = ((None, GREY),)
    shown: tuple[Shown, ...] = ()
    columns: tuple[Column, ...] = ()
    matrix: tuple[str, str] | None = None
    links: tuple[Link, ...] = ()
    paints: tuple[Paint, ...] = ()
    sorted_by: tuple[str, ...] = ()
    interval: str | None = None
    max_data_points: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the head of a dashboard, filled by a query.

    Attributes:
        pattern: what to take of each value, by its first group.
        hidden: for links only.
    """

    name: str
    label: str
    query: str
    multi: bool = True
    hidden: bool = False
    pattern: str = ""
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A layer of regions, one for each series, as long as it is above zero.

    Attributes:
        times: whether the values are the moments to mark, in milliseconds.
        not_on: ids of panels that it is not drawn on.
    """

    name: str
    expr: str
    title: str
    text: str
    tags: tuple[str, ...]
    color: str
    shown: bool = False
    times: bool = False
    not_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard: rows of panels from the top down, and links at its head, which keep the time."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    annotations: tuple[Annotation, ...]
    rows: tuple[tuple[Panel, ...], ...]
    links: tuple[Link, ...] = ()
    since: str = "now-6h"
    tags: tuple[str, ...] = field(default=("statuscode",))

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row)
