"""Pictures for notebooks: the curves of one group over the normal band, a feature of several groups side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tsclust.stages.features.catalogue import Feature
from tsclust.stages.reports.charts.curves import thinned
from tsclust.stages.reports.charts.figures import BLUE, GREY, Trace, blank, escaped
from tsclust.stages.reports.data import Band, Curve, Group
from tsclust.wording.language import Language

PALE = f"{GREY}4d"  # three tenths of it, over white
POINTS = 2_000  # a curve has about this many at most
BOX = {"lowerfence": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "upperfence": 0.95}  # as Plotly calls its parts

Box = dict[str, float]


def curves_of(group: Group, normal: Band, lang: str = "en") -> go.Figure:
    """The group's members aligned at their start, the typical one on top, over the band of the normal series."""
    language = Language.load(lang)
    text = language.texts["figures"]
    figure = blank("curves", language, language["x_axis"], "", 420)
    for trace in (*_band(normal, language["legend_normal"]), *_members(group.members, language)):
        figure.add_scatter(**trace)
    size = language["size"].format(count=language.counted(group.size, "series"), share=language.share(group.share))
    figure.layout.title.text = text["curves"].format(name=_name(group, language), size=size)
    return figure


def spread_of(values: pl.DataFrame, order: Sequence[int], feature: Feature, lang: str = "en") -> go.Figure:
    """A box for each group in this order, over what the series in none of them have.

    values: a row per series with group (null: in none), value.
    """
    language = Language.load(lang)
    text = language.texts["figures"]
    unit = language.texts["units"][feature.unit] if feature.unit != "1" else ""
    figure = blank("spread", language, text["group"], unit)
    boxes = _boxes(values)
    if rest := boxes.get(None):
        figure.add_box(**_beside({text["map_rest"]: rest}, GREY))
        figure.add_hrect(rest["lowerfence"], rest["upperfence"], fillcolor=PALE, line_width=0, layer="below")
    figure.add_box(**_beside({str(number): boxes[number] for number in order if number in boxes}, BLUE))
    figure.layout.title.text = text["spread"].format(feature=escaped(feature.name))
    return figure.update_layout(showlegend=False).update_xaxes(type="category")


def _name(group: Group, language: Language) -> str:
    if group.number is None:
        return str(language["cluster"].format(cluster=group.cluster, k=group.k))
    return str(language["group"].format(n=group.number))


def _band(band: Band, name: str) -> Iterator[Trace]:
    """Plotly fills from a line to the one before it."""
    bare = {"x": band.at, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    yield {**bare, "y": _short(band.low), "showlegend": False}
    yield {**bare, "y": _short(band.high), "fill": "tonexty", "fillcolor": PALE, "name": name}


def _members(members: Sequence[Curve], language: Language) -> Iterator[Trace]:
    """The first is the typical one, and comes last: on top."""
    name = language.texts["figures"]["curves_members"]
    thin = {"line": {"color": BLUE, "width": 1}, "opacity": 0.4, "name": name, "legendgroup": name}
    for at, curve in enumerate(members[1:]):
        yield {**_curve(curve, language), **thin, "showlegend": at == 0}
    thick = {"line": {"color": BLUE, "width": 3}, "name": language["legend_typical"], "showlegend": True}
    yield {**_curve(members[0], language), **thick}


def _curve(curve: Curve, language: Language) -> Trace:
    values = np.array([np.nan if value is None else value for value in curve.values])
    at, values = thinned(np.arange(len(values)) - curve.start, values, POINTS)
    said = f"{language.texts['figures']['series']} {escaped(curve.series_id)}"
    hover = f"%{{x}}: %{{y}}<extra>{said}</extra>"
    return {"x": at.tolist(), "y": _short(values.tolist()), "mode": "lines", "hovertemplate": hover}


def _short(values: Sequence[float]) -> list[float | None]:
    """To 6 digits, as a float32 has them; JSON knows no NaN."""
    return [None if math.isnan(value) else float(f"{value:.6g}") for value in values]


def _boxes(values: pl.DataFrame) -> dict[int | None, Box]:
    parts = [pl.col("value").quantile(at, "linear").alias(name) for name, at in BOX.items()]
    return {box["group"]: box for box in values.drop_nulls("value").group_by("group").agg(parts).to_dicts()}


def _beside(boxes: Mapping[str, Box], colour: str) -> Trace:
    marker = {"color": colour}
    return {"x": list(boxes), "marker": marker, **{part: [box[part] for box in boxes.values()] for part in BOX}}
