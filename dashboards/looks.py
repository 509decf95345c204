"""How each kind of panel looks: options of Grafana's plugins, the same for all panels of a kind."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.models import (
    common,
    heatmap,
    stat,
    statetimeline,
    statushistory,
    table,
    text,
    timeseries,
)

from dashboards.overrides import FILLED_CELLS


@dataclass(frozen=True, slots=True)
class Look:
    """Attributes: `options` are of the panel, `custom` of each of its fields, `color` is how its values are colored."""

    plugin: str
    options: object
    custom: object = None
    color: str = "thresholds"
    fixed_color: str | None = None


_LAST = common.ReduceDataOptions(calcs=["lastNotNull"], values=False, fields="")
_LEGEND = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True, calcs=[]
)
_NO_LEGEND = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=False, calcs=[]
)
_ALL_SERIES = common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)
_ONE_SERIES = common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE, sort=common.SortOrder.NONE)


# In pixels, of what is said in words: Grafana's own choice makes a long title tiny.
_WORDS = common.VizTextDisplayOptions(title_size=18, value_size=18)


def _stat(text_mode: common.BigValueTextMode, size: common.VizTextDisplayOptions | None = None) -> Look:
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=text_mode,
        text=size,
        reduce_options=_LAST,
        orientation=common.VizOrientation.AUTO,
    )
    return Look("stat", options)


def _timeseries(
    style: common.GraphDrawStyle, stacking: common.StackingMode, legend: common.VizLegendOptions = _LEGEND
) -> Look:
    stacked = stacking is common.StackingMode.NORMAL
    custom = common.GraphFieldConfig(
        draw_style=style,
        line_width=1,
        fill_opacity=60 if stacked else 10,
        show_points=common.VisibilityMode.NEVER if stacked else common.VisibilityMode.AUTO,
        stacking=common.StackingConfig(mode=stacking, group="A"),
        span_nulls=False,
    )
    options = timeseries.Options(legend=legend, tooltip=_ALL_SERIES)
    return Look("timeseries", options, custom, color="palette-classic")


def _table() -> Look:
    options = table.Options(frame_index=0, show_header=True, cell_height=common.TableCellHeight.SM)
    return Look(
        "table", options, {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False}
    )


def _matrix() -> Look:
    options = table.Options(frame_index=0, show_header=True, cell_height=common.TableCellHeight.MD)
    return Look("table", options, {"align": "center", "filterable": False, "inspect": False, **FILLED_CELLS})


def _state_timeline() -> Look:
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        row_height=0.85,
        merge_values=True,
        align_value=common.TimelineValueAlignment.LEFT,
        legend=_NO_LEGEND,
        tooltip=_ONE_SERIES,
        per_page=20,
    )
    custom = statetimeline.FieldConfig(line_width=0, fill_opacity=80, span_nulls=False)
    # By thresholds, values would be merged into their ranges before they are mapped: all causes were one green range.
    return Look("state-timeline", options, custom, color="fixed", fixed_color="red")


def _status_history() -> Look:
    options = statushistory.Options(
        row_height=0.9,
        show_value=common.VisibilityMode.AUTO,
        col_width=0.95,
        legend=_NO_LEGEND,
        tooltip=_ONE_SERIES,
        per_page=20,
    )
    return Look("status-history", options, statushistory.FieldConfig(line_width=1, fill_opacity=80))


def _heatmap() -> Look:
    options = heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME, scheme="Blues", exponent=0.5, steps=32, fill="dark-blue"
        ),
        show_value=common.VisibilityMode.NEVER,
        y_axis=heatmap.YAxisConfig(unit="s", axis_placement=common.AxisPlacement.LEFT),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE),
        exemplars=heatmap.ExemplarConfig(color="rgba(255,0,255,0.7)"),
    )
    return Look("heatmap", options, heatmap.FieldConfig())


def written(markdown: str) -> Look:
    """The look of a text, which is its content."""
    return Look("text", text.Options(mode=text.TextMode.MARKDOWN, content=markdown))


LOOKS = {
    "stat": _stat(common.BigValueTextMode.VALUE),
    "stat:words": _stat(common.BigValueTextMode.VALUE, _WORDS),
    "stat:name": _stat(common.BigValueTextMode.NAME, _WORDS),
    "timeseries": _timeseries(common.GraphDrawStyle.LINE, common.StackingMode.NONE),
    "timeseries:stacked": _timeseries(common.GraphDrawStyle.LINE, common.StackingMode.NORMAL),
    "timeseries:area": _timeseries(common.GraphDrawStyle.LINE, common.StackingMode.NORMAL, _NO_LEGEND),
    "timeseries:bars": _timeseries(common.GraphDrawStyle.BARS, common.StackingMode.NORMAL),
    "table": _table(),
    "table:matrix": _matrix(),
    "state-timeline": _state_timeline(),
    "status-history": _status_history(),
    "heatmap": _heatmap(),
}
