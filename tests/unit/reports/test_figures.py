"""The pictures of a sweep: what of them a reader relies on, as plain values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

import tsclust
from tests.support.figures import traces
from tests.support.report_workspace import lifelike, write
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRow
from tsclust.stages.reports.charts import figures
from tsclust.stages.reports.charts.figures import BLUE, COLOURS, GREY, LINE_PIXELS, MAP_POINTS, SYMBOLS
from tsclust.stages.reports.groups.step import overview_figures
from tsclust.stages.reports.lineage import Bar, bars, links

SWEEP = pl.DataFrame(
    {
        "k": [2, 3, 5],
        "inertia": [90.0, 40.0, 35.0],
        "silhouette": [0.5, 0.7, float("nan")],
        "silhouette_sampled": [0.4, None, 0.6],
        "stability": [1.0, 0.9, 0.8],
    }
)


CENTERS = pl.DataFrame(
    {
        "k": [2, 2, 3, 3, 3],
        "cluster": [0, 1, 0, 1, 2],
        "size": [999, 9, 9, 999, 0],
        "silhouette": [0.2, 0.9, -0.1, 0.25, float("nan")],
        "stability": [1.0, 0.5, 0.75, 0.75, 0.0],
    }
)


def menu(figure: go.Figure) -> dict[str, Any]:
    """What can be chosen, and what that does."""
    return {button.label: button.args for button in figure.layout.updatemenus[0].buttons}


def test_the_elbow_marks_its_knee() -> None:
    figure = figures.elbow(SWEEP, 3)
    assert traces(figure, "x", "y", "text", "hovertemplate") == [
        {"x": [2, 3, 5], "y": [90.0, 40.0, 35.0], "hovertemplate": "k = %{x}: %{y:.4~g}<extra></extra>"},
        {"x": [3], "y": [40.0], "text": ["k = 3"]},
    ]
    assert figure.layout.title.text == "Elbow: inertia over k"


def test_without_a_knee_nothing_is_marked_and_the_title_says_so() -> None:
    figure = figures.elbow(SWEEP, None, "ru")
    assert traces(figure, "x")[1] == {"x": []}
    assert figure.layout.title.text == "Инерция при разных k: локтя нет"
    assert figure.layout.separators == ",\u202f"


def test_silhouettes_show_what_the_sweep_has() -> None:
    assert traces(figures.silhouettes(SWEEP), "x", "y", "name", "text") == [
        {"x": [2, 3, 5], "y": [0.5, 0.7, None], "name": "silhouette, all series (squared distance)"},
        {"x": [2, 3, 5], "y": [0.4, None, 0.6], "name": "silhouette, a sample (classical)"},
        {"x": [2, 3, 5], "y": [1.0, 0.9, 0.8], "name": "stability (Jaccard, resampled)"},
        {"x": [3], "y": [0.7], "text": ["k = 3"]},
    ]
    older = figures.silhouettes(SWEEP.select("k", "silhouette", stability=pl.lit(None, pl.Float64)))
    assert [t.get("name") for t in traces(older, "name")] == ["silhouette, all series (squared distance)", None]


def test_no_silhouette_is_the_best_where_there_is_none() -> None:
    figure = figures.silhouettes(pl.DataFrame({"k": [2], "silhouette": [float("nan")]}))
    assert traces(figure, "x", "y") == [{"x": [2], "y": [None]}, {"x": [], "y": []}]


def test_clusters_of_a_k_stand_side_by_side_the_tightest_first() -> None:
    figure = figures.cluster_silhouettes(CENTERS, 3)
    two, three = traces(figure, "x", "width", "y", "text", "customdata", "visible")
    assert three == {
        "x": [1.5, 3.5], "width": [2.82, 0.94], "y": [0.25, -0.1], "text": ["1", "0"],
        "customdata": [[1, 999, 0.25, 0.75], [0, 9, -0.1, 0.75]], "visible": True,
    }  # fmt: skip
    assert (two["text"], two["visible"]) == (["1", "0"], False)
    assert menu(figure) == {"k = 2": ({"visible": [True, False]},), "k = 3": ({"visible": [False, True]},)}
    assert figure.layout.updatemenus[0].active == 1
    said = "cluster: %{customdata[0]:,}<br>series: %{customdata[1]:,}<br>silhouette: %{customdata[2]:,}"
    older = figures.cluster_silhouettes(CENTERS.drop("stability").filter(pl.col("k") == 2), 2)
    assert older.data[0].hovertemplate == f"{said}<extra></extra>"
    assert not older.layout.updatemenus


def test_a_k_without_clusters_is_an_error() -> None:
    with pytest.raises(ValueError, match="4"):
        figures.cluster_silhouettes(CENTERS, 4)


def groups(*rows: tuple[int, int, int, int, int | None, bool]) -> tuple[GroupRow, ...]:
    """(group, size, first_k, last_k, parent, proposed) of 1,000 series; more than 500 are normal."""
    return tuple(
        GroupRow(
            group=group, k=first_k, cluster=0, size=size, share=size / 1000, first_k=first_k, last_k=last_k,
            parent=parent, within=None, normal=size > 500, silhouette=0.5, worth=1.0, proposed=proposed,
        )
        for group, size, first_k, last_k, parent, proposed in rows
    )  # fmt: skip


GROUPS = groups(
    (7, 40, 3, 6, 2, True),
    (4, 5, 6, 6, 9, True),
    (9, 20, 4, 4, 7, False),
    (3, 12, 4, 8, 7, True),
    (2, 900, 2, 8, None, True),
)


def test_children_stand_below_their_parents_the_latest_first() -> None:
    """Group 4 came out of 9, which is not shown: out of 7."""
    found = bars(GROUPS, {7, 4, 3, 2})
    assert found == [
        Bar(2, 900, 0.9, 2, 8, True, None),
        Bar(7, 40, 0.04, 3, 6, False, 0),
        Bar(4, 5, 0.005, 6, 6, False, 1),
        Bar(3, 12, 0.012, 4, 8, False, 1),
    ]
    assert links(found) == "M2.6,0H2.6V1M5.6,1H5.6V2M3.6,1H3.6V3"


def test_a_link_starts_where_the_parent_ends() -> None:
    assert links(bars(groups((1, 10, 2, 3, None, True), (2, 5, 8, 9, 1, True)), {1, 2})) == "M3.4,0H7.6V1"


@pytest.mark.parametrize("parents", [(2, 1), (1, 1), (99, None)])
def test_what_cannot_be_an_ancestor_is_none(parents: tuple[int | None, int | None]) -> None:
    frame = groups(*((n, 10, 2, 3, parent, True) for n, parent in enumerate(parents, start=1)))
    assert [(bar.group, bar.parent) for bar in bars(frame, {1, 2})] == [(1, None), (2, None)]


def test_no_link_crosses_a_bar() -> None:
    rows = [(n, 10, 2 + n % 7, 20 + n % 3, None if n < 7 else n - 1 - n % 5, True) for n in range(1, 40)]
    found = bars(groups(*rows), set(range(1, 40)))
    assert sorted(bar.group for bar in found) == list(range(1, 40))
    for line, bar in enumerate(found):
        between = found[bar.parent + 1 : line] if bar.parent is not None else []
        assert not [b for b in between if b.left < bar.left <= b.right]


def test_the_lineage_draws_the_proposed_from_first_to_last_k() -> None:
    figure = figures.lineage(GROUPS)
    assert traces(figure, "y", "base", "x", "width", "hovertext", "name") == [
        {
            "y": [1, 2, 3], "base": [2.6, 5.6, 3.6], "x": [3.8, 0.8, 4.8], "width": [0.51, 0.3, 0.38],
            "hovertext": [
                "Group 7<br>40\xa0series, 4% of those compared<br>k = 3–6",
                "Group 4<br>5\xa0series, 0.5% of those compared<br>k = 6",
                "Group 3<br>12\xa0series, 1.2% of those compared<br>k = 4–8",
            ],
            "name": "Malfunction candidates",
        },
        {
            "y": [0], "base": [1.6], "x": [6.8], "width": [0.85],
            "hovertext": ["Group 2<br>900\xa0series, 90% of those compared<br>k = 2–8"], "name": "Normal mass",
        },
    ]  # fmt: skip
    assert [bar.marker.color for bar in figure.data] == [BLUE, GREY]
    assert figure.layout.yaxis.ticktext == ("<b>2</b>  900", "<b>7</b>  40", "<b>4</b>  5", "<b>3</b>  12")
    assert figure.layout.shapes[0].path == "M2.6,0H2.6V1M5.6,1H5.6V2M3.6,1H3.6V3"


def test_groups_of_the_lineage_can_be_hidden() -> None:
    offered = menu(figures.lineage(GROUPS))
    assert list(offered) == ["All groups", "Malfunction candidates", "At least 10\xa0series", "At least 100\xa0series"]
    drawn, around = offered["At least 10\xa0series"]
    assert (drawn["y"], drawn["base"], drawn["x"]) == ([[1, 2], [0]], [[2.6, 3.6], [1.6]], [[3.8, 4.8], [6.8]])
    assert around["shapes"][0]["path"] == "M2.6,0H2.6V1M3.6,1H3.6V2"
    assert around["yaxis.ticktext"] == ["<b>2</b>  900", "<b>7</b>  40", "<b>3</b>  12"]
    drawn, around = offered["Malfunction candidates"]
    assert drawn["y"] == [[0, 1, 2], []]
    assert around["height"] == figures.lineage(GROUPS).layout.height - LINE_PIXELS
    assert offered["At least 100\xa0series"][1]["shapes"] == []


def test_a_lineage_of_nothing_is_empty() -> None:
    figure = figures.lineage([replace(group, proposed=False) for group in GROUPS])
    assert traces(figure, "y") == [{"y": []}, {"y": []}]
    assert not figure.layout.updatemenus


def test_the_map_shows_groups_over_the_others() -> None:
    points = pl.DataFrame(
        {"series_id": ["a", "<b>&", "c" * 60], "x": [0.12345, 1.0, 2.0], "y": [0.0, 5.0, 10.0], "group": [12, None, 3]}
    )
    figure = figures.map_of(points)
    assert traces(figure, "x", "y", "name", "customdata", "hovertemplate") == [
        {"x": [x], "y": [y], "name": name, "customdata": [said],
         "hovertemplate": "Series %{customdata}<extra>%{fullData.name}</extra>"}
        for x, y, name, said in (
            (1.0, 5.0, "others", "&lt;b&gt;&amp;"), (2.0, 10.0, "3", "c" * 40 + "…"), (0.123, 0.0, "12", "a"),
        )
    ]  # fmt: skip
    assert menu(figure) == {
        "All groups": ({"visible": [True, True, True]},),
        "Group 3": ({"visible": [True, True, "legendonly"]},),
        "Group 12": ({"visible": [True, "legendonly", True]},),
    }
    assert figure.layout.yaxis.range == (-0.4, 10.4)


def test_a_map_of_nothing_is_empty() -> None:
    empty = pl.DataFrame(schema={"series_id": pl.Int64, "x": pl.Float64, "y": pl.Float64, "group": pl.Int64})
    assert traces(figures.map_of(empty), "x") == [{"x": []}]


def test_of_too_many_points_the_small_groups_stay_whole() -> None:
    n = 3 * MAP_POINTS
    group = [1 if i % 1000 == 0 else 2 if i % 2 else None for i in range(n)]
    points = pl.DataFrame({"series_id": range(n), "x": [0.0] * n, "y": [0.0] * n, "group": group})
    others, one, two = (len(trace["x"]) for trace in traces(figures.map_of(points), "x"))
    assert (one, others, two) == (12, (MAP_POINTS - 12) // 2, (MAP_POINTS - 12) // 2)


def test_forty_groups_are_told_apart() -> None:
    points = pl.DataFrame({"series_id": range(40), "x": [0.0] * 40, "y": [0.0] * 40, "group": range(40)})
    looks = [(trace.marker.color, trace.marker.symbol) for trace in figures.map_of(points).data[1:]]
    assert len(set(looks)) == 40 == len(COLOURS) * len(SYMBOLS)


def test_a_workspace_gives_all_of_them_and_without_a_map_the_rest(tmp_path: Path) -> None:
    workspace = write(tmp_path / "ws", lifelike(48))
    found = tsclust.figures(tmp_path / "ws", {"report": {"lang": "ru"}})
    assert list(found) == ["elbow", "silhouettes", "cluster_silhouettes", "map", "lineage"]
    assert found["map"].layout.title.text == "Карта записей"
    again = overview_figures(workspace, "ru")
    assert [f.to_json() for f in again.values()] == [f.to_json() for f in found.values()]
    (workspace.stage(CLUSTERS) / "map.parquet").unlink()
    assert list(overview_figures(workspace, "en")) == ["elbow", "silhouettes", "cluster_silhouettes", "lineage"]


@pytest.mark.parametrize("page", ["#ffffff", "#191f26"])
@pytest.mark.parametrize("colour", [GREY, *COLOURS])
def test_colours_stand_out_from_the_light_page_and_from_the_dark(colour: str, page: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    dark, light = sorted(luminance(c) for c in (colour, page))
    assert (light + 0.05) / (dark + 0.05) >= 2.99


def luminance(colour: str) -> float:
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
