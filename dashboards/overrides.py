"""How single columns and series are shown: what stands beside the look of their panel."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.classic import dashboard
from dashboards.values import Column, Link, Paint, Shown, Threshold

# Cells by two names: Grafana reads `cellOptions`, before 9.4 `displayMode`.
FILLED_CELLS = {
    "displayMode": "color-background-solid",
    "cellOptions": {"type": "color-background", "mode": "basic"},
}
COLORED_TEXTS = {"displayMode": "color-text", "cellOptions": {"type": "color-text"}}


def of_column(column: Column) -> dashboard.DashboardFieldConfigSourceOverrides:
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val="byName", options=column.name),
        properties=[dashboard.DynamicConfigValue(id_val=name, value=value) for name, value in _properties(column)],
    )


def of_series(paint: Paint) -> dashboard.DashboardFieldConfigSourceOverrides:
    # Not "shades", which Grafana before 10.1 does not know: there, the whole panel would be an error.
    color = {"mode": "fixed", "fixedColor": paint.color}
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val="byRegexp", options=f"/{paint.pattern}/"),
        properties=[dashboard.DynamicConfigValue(id_val="color", value=color)],
    )


def _properties(column: Column) -> Iterator[tuple[str, object]]:
    if column.title is not None:
        yield "displayName", column.title
    if column.unit is not None:
        yield "unit", column.unit
    if column.width is not None:
        yield "custom.width", column.width
    if column.link is not None:
        yield "links", [link_of(column.link)]
    if column.says is not None:
        result = dashboard.ValueMappingResult(text=column.says)
        yield "mappings", [dashboard.RegexMap(dashboard.DashboardRegexMapOptions(pattern=".*", result=result))]
    if column.texts:
        results = {value: dashboard.ValueMappingResult(text=text) for value, text in column.texts}
        yield "mappings", [dashboard.ValueMap(options=results)]
    if column.colors:
        results = {value: dashboard.ValueMappingResult(text=value, color=color) for value, color in column.colors}
        yield "mappings", [dashboard.ValueMap(options=results)]
    yield from _cell(column)


def _cell(column: Column) -> Iterator[tuple[str, object]]:
    if column.decimals is not None:
        yield "decimals", column.decimals
    if column.left:
        yield "custom.align", "left"
    if column.thresholds:
        yield "thresholds", scale(column.thresholds)
    if column.colors:
        yield from (("custom." + key, value) for key, value in FILLED_CELLS.items())
    elif column.thresholds:
        yield from (("custom." + key, value) for key, value in COLORED_TEXTS.items())


def link_of(link: Link) -> dict[str, object]:
    return {"title": link.title, "url": link.url, "targetBlank": link.new_tab}


def mapping(shown: tuple[Shown, ...]) -> dashboard.ValueMap:
    results = {
        f"{one.value:g}": dashboard.ValueMappingResult(text=one.text, color=one.color, index=index)
        for index, one in enumerate(shown)
    }
    return dashboard.ValueMap(options=results)


def scale(steps: tuple[Threshold, ...]) -> dashboard.ThresholdsConfig:
    made = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=made)
