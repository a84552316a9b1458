"""Pictures of a classifier, for notebooks: what it takes for what, and what saying "don't know" is worth."""

from __future__ import annotations

import plotly.graph_objects as go

from tsclust.stages.reports.charts.figures import BLUE, RED, Trace, blank, escaped
from tsclust.stages.reports.model_page import ModelData
from tsclust.wording.language import Language

SHADES = [[0, "white"], [1, BLUE]]
LINE, AROUND = 30, 170  # pixels of a kind, and of what stands around them


def confusion_of(data: ModelData, lang: str = "en") -> go.Figure:
    """Of the series of each kind (rows) how many are called what (columns); the darker, the larger the share."""
    language = Language.load(lang)
    names = [escaped(language.called(one.kind)) for one in data.kinds]
    figure = blank("confusion", language, "", "", AROUND + LINE * len(names), table="model_page")
    shares = [[round(n / max(sum(row), 1e-300), 4) for n in row] for row in data.confusion]
    counts = [[language.fixed(n, 0) if round(n) else "" for n in row] for row in data.confusion]
    figure.add_heatmap(
        z=shares, text=counts, texttemplate="%{text}", colorscale=SHADES, zmin=0, zmax=1, showscale=False,
        hovertemplate="%{y}: %{x}<extra>%{z:.1%}</extra>",
    )  # fmt: skip
    # By number: names that are alike once they are cut short stay two.
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False}
    return figure.update_xaxes(**ticks).update_yaxes(**ticks, autorange="reversed")


def coverage_of(data: ModelData, lang: str = "en") -> go.Figure:
    """Over the threshold, the shares of the series answered and of the errors left; rings around those in force."""
    language = Language.load(lang)
    text = language.texts["model_page"]
    figure = blank("coverage", language, text["threshold"], "")
    figure.add_scatter(**_line(data, "answered", BLUE, "solid"), name=text["answered"])
    figure.add_scatter(**_line(data, "left", RED, "dash"), name=text["left_axis"])
    figure.add_scatter(**_ring(data, "answered", "bottom left", language))
    figure.add_scatter(**_ring(data, "left", "top left", language))
    return figure.update_yaxes(tickformat=".0%", range=[-0.06, 1.06])


def _line(data: ModelData, name: str, colour: str, dash: str) -> Trace:
    """name: of a share of a Point."""
    return {
        "x": [round(point.threshold, 6) for point in data.curve],
        "y": [round(getattr(point, name), 6) for point in data.curve],
        "mode": "lines", "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": "%{x}: %{y:.2%}<extra>%{fullData.name}</extra>",
    }  # fmt: skip


def _ring(data: ModelData, name: str, place: str, language: Language) -> Trace:
    """Around the point in force."""
    share = getattr(data.chosen, name)
    return {
        "x": [round(data.chosen.threshold, 6)], "y": [round(share, 6)], "text": [language.share(share)],
        "mode": "markers+text", "textposition": place, "cliponaxis": False, "showlegend": False, "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": 16, "color": RED, "line": {"width": 3}},
    }  # fmt: skip
