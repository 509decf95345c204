"""A board as the JSON of a classic dashboard, which file provisioning takes from Grafana 9 to 13.

Of the SDK only its models are used: its builders of classic dashboards warn when they are imported, place toggles and
links in a menu where nobody sees them (Grafana 12.3 on), and leave panels without ids.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from copy import copy
from typing import cast

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, prometheus, table

from dashboards.classic import dashboard
from dashboards.looks import LOOKS, Look, written
from dashboards.overrides import link_of, mapping, of_column, of_series, scale
from dashboards.values import Annotation, Board, Form, Link, Panel, Query, Variable

# Every Grafana since 9 migrates it; what came later (40 to 42) only normalizes what is not used here.
SCHEMA_VERSION = 39
# Shorter than any usual scrape interval. Grafana rounds longer steps to whole units, which its annotations need.
ANNOTATION_STEP = "15s"

_SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")


def rendered(board: Board) -> str:
    """The file's text, ready to be committed."""
    document = json.loads(json.dumps(_dashboard(board), cls=JSONEncoder))
    # The models put these into a menu, whatever they are told.
    for one in (*document["links"], *document["annotations"]["list"]):
        del one["placement"]
    return json.dumps(_without_repeating(document), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _dashboard(board: Board) -> dashboard.Dashboard:
    return dashboard.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.description,
        tags=list(board.tags),
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=board.since, to="now"),
        refresh="30s",
        schema_version=SCHEMA_VERSION,
        panels=list(_placed(board)),
        templating=dashboard.DashboardDashboardTemplating(list_val=[_datasource(), *map(_variable, board.variables)]),
        annotations=dashboard.AnnotationContainer(list_val=list(map(_annotation, board.annotations))),
        links=list(map(_to_board, board.links)),
    )


def _without_repeating(document: object) -> object:
    """The models write a direction to repeat in, and Grafana 11 then draws a panel over the whole width."""
    if isinstance(document, dict):
        return {key: _without_repeating(value) for key, value in document.items() if key != "repeatDirection"}
    return [_without_repeating(one) for one in document] if isinstance(document, list) else document


def _to_board(link: Link) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title=link.title,
        type_val=dashboard.DashboardLinkType.LINK,
        icon="dashboard",
        url=link.url,
        keep_time=True,
    )


def _datasource() -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query="prometheus",
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def _variable(one: Variable) -> dashboard.VariableModel:
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    chosen = dashboard.VariableOption(selected=True, text=one.default or "", value=one.default or "")
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=one.name,
        label=one.label,
        hide=dashboard.VariableHide.HIDE_VARIABLE if one.hidden else dashboard.VariableHide.DONT_HIDE,
        datasource=_SOURCE,
        query={"query": one.query, "refId": f"Variable-{one.name}"},
        definition=one.query,
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
        multi=one.multi,
        include_all=one.multi,
        all_value=".+" if one.multi else None,
        current=everything if one.multi and one.default is None else chosen if one.default else None,
        regex=one.pattern,
    )


def _annotation(one: Annotation) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(
        name=one.name,
        datasource=_SOURCE,
        enable=one.shown,
        icon_color=one.color,
        # Grafana 9 to 13 read the target, older ones what stands beside it.
        target=prometheus.Dataquery(expr=one.expr, ref_id="Anno", interval=ANNOTATION_STEP, range_val=True),
        expr=one.expr,
        step=ANNOTATION_STEP,
        title_format=one.title,
        text_format=one.text,
        tag_keys=",".join(one.tags),
        use_value_for_time=one.times,
        filter_val=dashboard.AnnotationPanelFilter(exclude=True, ids=list(one.not_on)) if one.not_on else None,
    )


def _placed(board: Board) -> Iterator[dashboard.Panel]:
    top = 0
    for row in board.rows:
        left = 0
        for panel in row:
            yield _panel(panel, dashboard.GridPos(x=left, y=top, w=panel.width, h=panel.height))
            left += panel.width
        top += max(panel.height for panel in row)


def _panel(panel: Panel, place: dashboard.GridPos) -> dashboard.Panel:
    look = written(panel.text) if panel.kind == "text" else LOOKS[panel.kind]
    return dashboard.Panel(
        type_val=look.plugin,
        id_val=panel.id,
        title=panel.title,
        description=panel.description,
        grid_pos=place,
        datasource=_SOURCE if panel.queries else None,
        targets=[_target(letter, query) for letter, query in zip(string.ascii_uppercase, panel.queries, strict=False)],
        options=_options(panel, look),
        field_config=dashboard.FieldConfigSource(
            defaults=_fields(panel, look), overrides=[*map(of_column, panel.columns), *map(of_series, panel.paints)]
        ),
        transformations=list(_transformations(panel)) or None,
        interval=panel.interval,
        max_data_points=panel.max_data_points,
    )


def _options(panel: Panel, look: Look) -> object:
    """The look's, with the order that a table is sorted in."""
    if not panel.sorted_by:
        return look.options
    order = [common.TableSortByFieldState(display_name=title, desc=False) for title in panel.sorted_by]
    options = copy(cast("table.Options", look.options))
    options.sort_by = order
    return options


def _target(letter: str, query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery(
        ref_id=letter,
        datasource=_SOURCE,
        editor_mode=prometheus.QueryEditorMode.CODE,
        expr=query.expr,
        legend_format=query.legend or "__auto",
        format_val=prometheus.PromQueryFormat(query.form),
        instant=query.instant,
        range_val=not query.instant,
    )


def _fields(panel: Panel, look: Look) -> dashboard.FieldConfig:
    links = [link_of(link) for link in panel.links]
    return dashboard.FieldConfig(
        # Of a table, columns have units: else a status would be taken for a number of something.
        unit="string" if panel.kind == "table" else panel.unit,
        decimals=panel.decimals,
        min_val=panel.minimum,
        mappings=[mapping(panel.shown)] if panel.shown else [],
        thresholds=scale(panel.thresholds),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId(look.color), fixed_color=look.fixed_color),
        no_value=panel.no_value or None,
        custom=look.custom,
        # The models take the links of a field for those of a dashboard, which have other keys.
        links=cast("list[dashboard.DashboardLink]", links) or None,
    )


def _transformations(panel: Panel) -> Iterator[dashboard.DataTransformerConfig]:
    if panel.matrix is not None:
        row, column = panel.matrix
        options: dict[str, object] = {"rowField": row, "columnField": column, "valueField": "Value"}
        yield dashboard.DataTransformerConfig(id_val="groupingToMatrix", options=options)
    elif panel.columns:
        names = [column.name for column in panel.columns]
        if len(panel.queries) > 1:
            yield dashboard.DataTransformerConfig(id_val="merge", options={})
        yield dashboard.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": names}})
        order = {name: index for index, name in enumerate(names)}
        yield dashboard.DataTransformerConfig(
            id_val="organize", options={"indexByName": order, "excludeByName": {}, "renameByName": {}}
        )


assert set(Form) == {form.value for form in prometheus.PromQueryFormat}  # noqa: S101
