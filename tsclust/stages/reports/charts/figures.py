"""The pictures of a sweep: frames as they stand in clusters/ -> Plotly figures, for the report and for notebooks.

Colours are told apart by the colour-blind, and stand out from a white page as from a dark one (Okabe and Ito 2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from tsclust.series import ID
from tsclust.stages.clusters.facts import Advice
from tsclust.stages.clusters.parts import GroupRow
from tsclust.stages.reports.lineage import EDGE, Bar, bars, links
from tsclust.wording.language import Language, shown

GREY, BLUE, RED, GREEN, PURPLE = "#878f99", "#0072b2", "#d55e00", "#009e73", "#cc79a7"
COLOURS = (BLUE, RED, GREEN, PURPLE)
# Forty groups have more than their colours to be told apart by.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagram", "triangle-down", "pentagon")
CLUSTER = ("cluster", "size", "silhouette", "stability")  # what is said of one
SHOWN_IDS = 40  # characters of a series_id
MAP_POINTS = 4_000  # of the map: more are slow without WebGL
LINE_PIXELS = 22  # pixels of a group in the lineage
LEAST = (10, 100, 1_000, 10_000, 100_000)  # series of a group, to choose from

Trace = dict[str, Any]
Button = dict[str, Any]
Rows = Sequence[GroupRow]


@dataclass(frozen=True)
class SweepTables:
    """What the pictures of a sweep are drawn of: the tables of clusters/.

    sweep, centers  of the sweep over features
    groups          of both sweeps over all series, by features and by shapes; none of a drill-down
    points          the map, on which groups of shapes are not; None where there is none, as in workspaces of the first
                    versions
    """

    advice: Advice
    sweep: pl.DataFrame
    centers: pl.DataFrame
    groups: tuple[GroupRow, ...]
    points: pl.DataFrame | None


def overview(tables: SweepTables, lang: str) -> dict[str, go.Figure]:
    """All there are, by name."""
    advice, sweep = tables.advice, tables.sweep.sort("k")
    k = advice.elbow or advice.silhouette or sweep["k"][0]
    figures = {
        "elbow": elbow(sweep, advice.elbow, lang),
        "silhouettes": silhouettes(sweep, lang),
        "cluster_silhouettes": cluster_silhouettes(tables.centers, k, lang),
    }
    if tables.points is not None:
        figures["map"] = map_of(tables.points, lang)
    return {**figures, "lineage": lineage(tables.groups, lang)}


def elbow(sweep: pl.DataFrame, knee: int | None, lang: str = "en") -> go.Figure:
    """Inertia over k, a ring around the knee. sweep: a row per k with k, inertia."""
    language = Language.load(lang)
    figure = blank("elbow" if knee is not None else "elbow_none", language, language["k"], language["inertia"])
    figure.add_scatter(**_line(sweep, "inertia", BLUE))
    figure.add_scatter(**_ring(sweep.filter(pl.col("k").is_in([knee])), "inertia"))
    return figure.update_yaxes(rangemode="tozero").update_layout(showlegend=False)


def silhouettes(sweep: pl.DataFrame, lang: str = "en") -> go.Figure:
    """The mean silhouette over k, a ring around the best; silhouette_sampled and stability where sweep has them."""
    language = Language.load(lang)
    figure = blank("silhouettes", language, language["k"], "")
    looks = [("silhouette", BLUE, "solid", "circle"), ("silhouette_sampled", RED, "dash", "square")]
    for column, colour, dash, symbol in (*looks, ("stability", GREEN, "dot", "diamond")):
        if column in sweep.columns and sweep[column].count():
            name = language.texts["figures"][f"line_{column}"]
            figure.add_scatter(**_line(sweep, column, colour, dash, symbol), name=name)
    found = sweep.fill_nan(None).drop_nulls("silhouette").sort("silhouette", "k", descending=[True, False])
    figure.add_scatter(**_ring(found.head(1), "silhouette"))
    return figure.update_yaxes(rangemode="tozero")


def cluster_silhouettes(centers: pl.DataFrame, k: int, lang: str = "en") -> go.Figure:
    """A bar for each cluster of one k, the tightest first, as wide as it is large (log). Other k's in a menu.

    centers: a row per (k, cluster) with size, silhouette, and maybe stability. Raises ValueError for a k without any.
    """
    language = Language.load(lang)
    figure = blank("clusters", language, language.texts["figures"]["clusters_x"], language["silhouette"])
    ks = centers["k"].unique().sort().to_list()
    chosen = ks.index(k)
    for each in ks:
        figure.add_bar(**_clusters(centers.filter((pl.col("k") == each) & (pl.col("size") > 0)), language))
        figure.data[-1].visible = each == k
    _add_menu(figure, [_restyle(f"k = {each}", [other == each for other in ks]) for each in ks], chosen)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    return figure.update_layout(showlegend=False, uniformtext={"minsize": 9, "mode": "hide"})


def map_of(points: pl.DataFrame, lang: str = "en") -> go.Figure:
    """A point for each series, its group by colour and symbol. points: series_id, x, y, group (null: in none shown)."""
    language = Language.load(lang)
    text = language.texts["figures"]
    figure = blank("map", language, text["map_x"], text["map_y"], 460)
    points = _fewer(points)
    numbers = points["group"].drop_nulls().unique().sort().to_list()
    figure.add_scatter(**_cloud(points.filter(pl.col("group").is_null()), text["map_rest"], GREY, "circle", text))
    for at, number in enumerate(numbers):
        look = COLOURS[at % len(COLOURS)], SYMBOLS[at // len(COLOURS) % len(SYMBOLS)]
        figure.add_scatter(**_cloud(points.filter(pl.col("group") == number), str(number), *look, text))
    alone = {n: [True, *(n == other or "legendonly" for other in numbers)] for n in numbers}
    only = [_restyle(language["group"].format(n=n), visible) for n, visible in alone.items()]
    _add_menu(figure, [_restyle(text["all_groups"], [True] * (1 + len(numbers))), *only])
    figure.update_xaxes(range=_around(points["x"])).update_yaxes(range=_around(points["y"]))
    return figure.update_layout(legend={"title": {"text": text["group"], "side": "top"}, "itemsizing": "constant"})


def lineage(groups: Rows, lang: str = "en") -> go.Figure:
    """The groups proposed, from their first to their last k, and what they came out of. Others can be hidden.

    groups: those of both sweeps over all series, in the order of their worth. Those of shapes have the k of their own
    sweep, and come out of groups of shapes alone.
    """
    language = Language.load(lang)
    text = language.texts["figures"]
    figure = blank("lineage", language, language["k"], "")
    proposed = [group for group in groups if group.proposed]
    drawn = [(label, _lineage(groups, some, proposed, language)) for label, some in _choices(proposed, language)]
    (_, (traces, layout)) = drawn[0]
    for trace, name, colour in zip(traces, (text["candidates"], text["normal"]), (BLUE, GREY), strict=True):
        figure.add_bar(**trace, name=name, orientation="h", marker={"color": colour}, hoverinfo="text")
        figure.data[-1].showlegend = bool(trace["y"])
    _add_menu(figure, [_redrawn(label, *each) for label, each in drawn])
    ends = [edge for row in proposed for edge in (row.first_k, row.last_k)] or [2]
    figure.update_xaxes(range=[min(ends) - 2 * EDGE, max(ends) + 2 * EDGE], showgrid=True)
    return figure.update_layout(layout, barmode="overlay")


def blank(key: str, language: Language, x: str, y: str, height: int = 360, table: str = "figures") -> go.Figure:
    """A figure without traces, with the texts `key` and `key`_note of a table of texts."""
    text = language.texts[table]
    title = {"text": text[key], "subtitle": {"text": text[f"{key}_note"]}, "x": 0.01, "xanchor": "left"}
    axis = {"automargin": True, "zeroline": False, "exponentformat": "none", "separatethousands": True}
    return go.Figure(
        layout={
            "template": "plotly_white", "title": title, "height": height,
            "margin": {"t": 100, "r": 16, "b": 16, "l": 16},
            "xaxis": {**axis, "title": {"text": x}}, "yaxis": {**axis, "title": {"text": y}},
            "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"},
            "separators": language.texts["numbers"]["decimal"] + language.texts["numbers"]["group"],
        }
    )  # fmt: skip


def _line(sweep: pl.DataFrame, column: str, colour: str, dash: str = "solid", symbol: str = "circle") -> Trace:
    return {
        "x": sweep["k"].to_list(), "y": _known(sweep[column]), "mode": "lines+markers",
        "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"size": 6, "symbol": symbol},
        "hovertemplate": "k = %{x}: %{y:.4~g}<extra></extra>",
    }  # fmt: skip


def _ring(rows: pl.DataFrame, column: str) -> Trace:
    """Around the point of one row; nothing for none."""
    return {
        "x": rows["k"].to_list(), "y": _known(rows[column]), "text": [f"k = {k}" for k in rows["k"]],
        "mode": "markers+text", "textposition": "top right", "cliponaxis": False,
        "showlegend": False, "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": 16, "color": RED, "line": {"width": 3}},
    }  # fmt: skip


def _clusters(clusters: pl.DataFrame, language: Language) -> Trace:
    """The bars of one k, side by side."""
    clusters = clusters.fill_nan(None).sort("silhouette", "cluster", descending=[True, False], nulls_last=True)
    text, said = language.texts["figures"], [name for name in CLUSTER if name in clusters.columns]
    wide = [round(math.log10(1 + size), 3) for size in clusters["size"]]
    return {
        "x": [round(sum(wide[:at]) + width / 2, 3) for at, width in enumerate(wide)],
        "width": [round(0.94 * width, 3) for width in wide],
        "y": _known(clusters["silhouette"].round(4)), "marker": {"color": BLUE},
        "text": clusters["cluster"].cast(pl.String).to_list(), "textposition": "inside", "textangle": 0,
        "customdata": [list(row) for row in clusters.select(pl.col(said).round(4)).iter_rows()],
        "hovertemplate": "<br>".join(f"{text[f'of_{name}']}: %{{customdata[{at}]:,}}" for at, name in enumerate(said))
        + "<extra></extra>",
    }  # fmt: skip


def _fewer(points: pl.DataFrame) -> pl.DataFrame:
    """No more than can be drawn, a point of every group in turn: the small ones stay whole."""
    turn = pl.int_range(pl.len()).over("group")
    return points.with_columns(turn=turn).sort("turn", maintain_order=True).head(MAP_POINTS).drop("turn")


def _cloud(points: pl.DataFrame, name: str, colour: str, symbol: str, text: dict[str, str]) -> Trace:
    return {
        "x": points["x"].round(3).to_list(), "y": points["y"].round(3).to_list(), "name": name, "mode": "markers",
        "customdata": [escaped(series_id) for series_id in points[ID]],
        "hovertemplate": f"{text['series']} %{{customdata}}<extra>%{{fullData.name}}</extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 5 if colour == GREY else 7,
                   "opacity": 0.45 if colour == GREY else 0.9},
    }  # fmt: skip


def _around(values: pl.Series) -> list[float]:
    """The range of an axis that stays where it is when groups are hidden."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    air = 0.04 * (high - low) or 1
    return [round(low - air, 3), round(high + air, 3)]


def escaped(value: object) -> str:
    """Plotly takes the marks of HTML in a text for HTML, also in texts from the data."""
    text = str(value)
    text = shown(text if len(text) <= SHOWN_IDS else f"{text[:SHOWN_IDS]}…")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _choices(proposed: Rows, language: Language) -> list[tuple[str, Rows]]:
    """What of the lineage can be shown, every set once."""
    text = language.texts["figures"]
    some = [(text["all_groups"], proposed), (text["candidates"], [group for group in proposed if not group.normal])]
    for least in LEAST:
        label = text["at_least"].format(series=language.counted(least, "series"))
        some.append((label, [group for group in proposed if group.size >= least]))
    once: dict[tuple[int, ...], tuple[str, Rows]] = {}
    for label, each in some:
        if len(each) or each is proposed:
            once.setdefault(tuple(group.group for group in each), (label, each))
    return list(once.values())


def _lineage(groups: Rows, some: Rows, proposed: Rows, language: Language) -> tuple[list[Trace], dict[str, Any]]:
    """For these groups, the bars of malfunctions and of the normal mass, and the layout around them."""
    found = bars(groups, {group.group for group in some})
    most = math.log1p(max((group.size for group in proposed), default=1))
    traces = [_bars([b for b in enumerate(found) if b[1].normal == normal], most, language) for normal in (False, True)]
    ticks = [f"<b>{bar.group}</b>  {language.fixed(bar.size, 0)}" for bar in found]
    axis = {"tickvals": list(range(len(found))), "ticktext": ticks, "range": [len(found) - 0.4, -0.6]}
    path = {"type": "path", "path": links(found), "layer": "below", "line": {"color": GREY, "width": 1.5}}
    return traces, {"yaxis": axis, "shapes": [path] if path["path"] else [], "height": 170 + LINE_PIXELS * len(found)}


def _bars(found: Sequence[tuple[int, Bar]], most: float, language: Language) -> Trace:
    """most: the logarithm of the largest size."""
    return {
        "y": [line for line, _ in found],
        "base": [bar.left for _, bar in found],
        "x": [round(bar.right - bar.left, 1) for _, bar in found],
        "width": [round(0.1 + 0.75 * math.log1p(bar.size) / most, 2) for _, bar in found],
        "hovertext": [_group_said(bar, language) for _, bar in found],
    }


def _group_said(bar: Bar, language: Language) -> str:
    size = language["size"].format(count=language.counted(bar.size, "series"), share=language.share(bar.share))
    ks = f"k = {bar.first_k}" if bar.first_k == bar.last_k else f"k = {bar.first_k}–{bar.last_k}"
    return "<br>".join([language["group"].format(n=bar.group), size, ks])


def _restyle(label: str, visible: list[Any]) -> Button:
    return {"label": label, "method": "restyle", "args": [{"visible": visible}]}


def _redrawn(label: str, traces: list[Trace], layout: dict[str, Any]) -> Button:
    data = {name: [trace[name] for trace in traces] for name in traces[0]}
    axis = {f"yaxis.{name}": value for name, value in layout["yaxis"].items()}
    around = {name: value for name, value in layout.items() if name != "yaxis"}
    return {"label": label, "method": "update", "args": [data, around | axis]}


def _add_menu(figure: go.Figure, buttons: list[Button], active: int = 0) -> None:
    """At the top on the right; none where there is nothing to choose."""
    place = {"x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 6}}
    if len(buttons) > 1:
        figure.update_layout(updatemenus=[{"buttons": buttons, "active": active, **place}])


def _known(column: pl.Series) -> list[float | None]:
    """JSON knows no NaN."""
    return [value if value is not None and math.isfinite(value) else None for value in column.to_list()]
