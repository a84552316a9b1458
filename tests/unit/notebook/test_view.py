"""tsclust.open on small made workspaces: what is drawn, what is tried, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

import tsclust
from tests.support.report_workspace import Made, lifelike, plain, write
from tests.support.views import ODD, by_hash, dip
from tsclust.config import Report
from tsclust.errors import NotAWorkspaceError, SettingsError, StageMissingError, TsclustError
from tsclust.hashing import hash_ids
from tsclust.notebook import group_figures, try_feature
from tsclust.notebook.view import WorkspaceView
from tsclust.stages.clusters.selection import ReportScope
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.data import Band
from tsclust.stages.reports.groups import sample
from tsclust.stages.reports.groups.step import collect

BY_NAME = {feature.name: feature for feature in CATALOGUE}


@pytest.fixture
def ws(tmp_path: Path) -> WorkspaceView:
    """180 normal series, 15 with a dip (group 1), 15 long ones (group 2), 15 that a rule rejects."""
    return opened(tmp_path / ODD, lifelike())


def opened(root: Path, made: list[Made], parts: int = 2) -> WorkspaceView:
    write(root, made, parts)
    found: WorkspaceView = tsclust.open(str(root))
    return found


def interpreted(x: Any) -> Any:
    return float(sum(value for value in x.tolist() if str(value) != "0.0"))


@pytest.mark.slow
@pytest.mark.parametrize("named", [int, lambda i: f"s{i}"])
def test_parts_and_the_order_of_rows_change_nothing(tmp_path: Path, named: Callable[[Any], Any]) -> None:
    made = [replace(one, series_id=named(one.series_id)) for one in lifelike()]
    one, other = opened(tmp_path / "one", made, 1), opened(tmp_path / "other", made[::-1], 7)
    assert one.curves(3).equals(other.curves(3))
    assert one.curves(k=3, cluster=1, count=99).equals(other.curves(2, count=99))
    assert one.draw(1).to_json() == other.draw(1).to_json()
    assert one.try_feature(max).equals(other.try_feature(max))
    assert one.spread("side_fall").to_json() == other.spread("side_fall").to_json()


def test_a_carried_column_called_start_is_another_one(tmp_path: Path) -> None:
    made = [plain(i, group="a" if i < 3 else "normal", lead=2, start="noon") for i in range(9)]
    found = opened(tmp_path / "ws", made).curves(1, count=1)
    assert found.columns == ["series_id", "start_carried", "start", "values"]
    assert found.row(0)[1:] == ("noon", 2, [0.0, 0.0, 5.0, 1.0, 1.0, 1.0, 0.0])


def traces(figure: go.Figure) -> list[dict[str, Any]]:
    return [{n: list(v) if isinstance(v, tuple) else v for n, v in t.items()} for t in figure.to_plotly_json()["data"]]


def test_a_group_is_drawn_over_the_normal_band_the_typical_series_on_top(ws: WorkspaceView) -> None:
    data = collect(ws.workspace, Report(), ReportScope(group=1))
    low, high, *others, typical = traces(ws.draw(1))
    assert (low["x"], low["y"]) == (list(data.normal.at), pytest.approx(data.normal.low))
    assert (high["y"], high["fill"]) == (pytest.approx(data.normal.high), "tonexty")
    assert len(others) == Report().members - 1
    for curve, trace in zip(data.groups[0].members, [typical, *others], strict=True):
        assert trace["x"] == list(range(-curve.start, len(curve.values) - curve.start))
        assert trace["y"] == list(curve.values)
        assert f"Series {curve.series_id}<" in trace["hovertemplate"]
    assert [trace.get("showlegend") for trace in others] == [True] + [False] * (len(others) - 1)
    assert typical["line"]["width"] > others[0]["line"]["width"]
    assert ws.draw(1).layout.title.text == "Group 1: 15\xa0series, 6.7% of those compared"
    assert ws.draw(k=3, cluster=0).layout.title.text == "Cluster 0 of k = 3: 15\xa0series, 6.7% of those compared"
    assert traces(ws.draw(k=3, cluster=0)) == traces(ws.draw(1))


def test_figures_speak_the_language_of_the_settings(ws: WorkspaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_REPORT__LANG", "ru")
    russian = tsclust.open(ws.workspace.root)
    assert russian.draw(1).layout.title.text == "Группа 1: 15\xa0записей, 6,7\xa0% от всех сравниваемых"
    assert russian.spread("side_fall").layout.title.text == "side_fall по группам"
    assert russian.figures["map"].layout.title.text == "Карта записей"


def test_missing_values_are_gaps_and_long_curves_are_thinned(tmp_path: Path) -> None:
    made = [plain(i, group="a" if i < 4 else "normal") for i in range(20)]
    gaps = opened(tmp_path / "gaps", [replace(one, values=[0.0, 5.0, None, 1.0, 0.1 + 0.2]) for one in made])
    assert traces(gaps.draw(1))[-1]["y"] == [0.0, 5.0, None, 1.0, 0.3]
    long = opened(tmp_path / "long", [replace(one, values=[0.0] * 9_999 + [7.0] + [0.0] * 9_999) for one in made])
    drawn = traces(long.draw(1))[-1]
    assert len(drawn["x"]) <= group_figures.POINTS + 2
    assert max(drawn["y"]) == 7.0


def test_of_a_group_without_others_the_typical_one_is_drawn(tmp_path: Path) -> None:
    data = collect(write(tmp_path / "ws", lifelike()), Report(members=1), ReportScope(group=1))
    assert len(traces(group_figures.curves_of(data.groups[0], Band((), (), ())))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("function", [dip, interpreted])
def test_a_feature_of_ones_own_is_that_of_each_series(ws: WorkspaceView, function: Any, sign: int) -> None:
    if sign < 0:
        manifest = ws.workspace.stage(FEATURES) / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"peak":"max"', '"peak":"min"'))
    kept = set(ws.kept.collect()["series_id"])
    series = {i: values for i, values in ws.series.select("series_id", "values").collect().iter_rows() if i in kept}
    groups = {i: n for n in (2, 1) for i in ws.members(n).collect()["series_id"]}
    found = ws.try_feature(function)
    assert found.schema == {"series_id": pl.Int64, "group": pl.Int64, "value": pl.Float64}
    assert found["series_id"].to_list() == by_hash(sorted(kept))
    assert found["group"].to_list() == [groups.get(i) for i in found["series_id"]]
    expected = [function(sign * np.array(series[i])) for i in found["series_id"]]
    np.testing.assert_allclose(found["value"].to_numpy(), expected, rtol=1e-12)


@pytest.mark.slow
def test_every_group_is_in_the_sample(ws: WorkspaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_feature, "ALL", 20)
    monkeypatch.setattr(try_feature, "EACH", 5)
    drawn = set()
    for ids, wanted in [(ws.kept.collect(), 20), *((ws.members(n).collect(), 5) for n in (1, 2))]:
        limit = 2**64 * wanted // len(ids)
        hashes = hash_ids(ids["series_id"].to_arrow(), sample.SEED).tolist()
        drawn |= {i for i, h in zip(ids["series_id"], hashes, strict=True) if h <= limit}
    found = ws.try_feature(dip)
    assert set(found["series_id"]) == drawn
    assert {1, 2} < set(found["group"])


@pytest.mark.slow
def test_where_a_feature_is_not_known_there_is_none(ws: WorkspaceView) -> None:
    found = ws.try_feature(lambda x: x[5] if x[5] > 0.5 else np.nan)
    assert 0 < found["value"].null_count() < len(found)
    assert not found["value"].is_nan().any()


@pytest.mark.slow
def test_a_spread_has_a_box_for_each_group_over_that_of_the_others(ws: WorkspaceView) -> None:
    values = ws.kept.select("series_id", "side_fall").collect()
    groups = {i: str(n) for n in (2, 1) for i in ws.members(n).collect()["series_id"]}
    figure = ws.spread("side_fall")
    others, boxes = traces(figure)
    assert (others["x"], boxes["x"]) == (["others"], ["1", "2"])
    for trace, at, name in ((others, 0, None), (boxes, 0, "1"), (boxes, 1, "2")):
        own = [value for i, value in values.iter_rows() if groups.get(i) == name]
        for part, quantile in group_figures.BOX.items():
            assert trace[part][at] == pytest.approx(np.quantile(own, quantile))
    (band,) = figure.layout.shapes
    assert (band.y0, band.y1) == (others["lowerfence"][0], others["upperfence"][0])
    assert figure.layout.title.text == "side_fall, group by group"
    assert figure.layout.yaxis.title.text == "value"
    assert traces(ws.spread("side_fall", 2))[1]["x"] == ["2"]
    assert ws.spread(lambda x: x.max()).layout.title.text == "&lt;lambda&gt;, group by group"
    assert traces(ws.spread("n_values"))[1]["x"] == ["1", "2"]


@pytest.mark.slow
def test_a_spread_of_nothing_is_empty(tmp_path: Path) -> None:
    nothing = pl.DataFrame(schema={"series_id": pl.Int64, "group": pl.Int64, "value": pl.Float64})
    assert [t["x"] for t in traces(group_figures.spread_of(nothing, [], BY_NAME["p95"]))] == [[]]
    only_normal = opened(tmp_path / "ws", [one for one in lifelike(64) if one.group == "normal"])
    assert only_normal.try_feature(dip)["group"].null_count() == len(only_normal.kept.collect())


WRONG: list[tuple[Callable[[WorkspaceView], object], str]] = [
    (lambda ws: ws.draw(99), "--group 99: expected a group's number, such as 1, 2, 3"),
    (lambda ws: ws.curves(99), "--group 99: expected a group's number"),
    (lambda ws: ws.members(99), "--group 99: expected a group's number"),
    (lambda ws: ws.try_feature(dip, group=99), "--group 99: expected a group's number"),
    (lambda ws: ws.clusters(9), r"--k 9: there is no such model: expected one of 2\.\.5"),
    (lambda ws: ws.members(k=9, cluster=0), r"--k 9: there is no such model: expected one of 2\.\.5"),
    (lambda ws: ws.draw(k=3, cluster=3), r"cluster 3 of k = 3: there is no such cluster: expected one of 0\.\.2\."),
    (lambda ws: ws.draw(), "group = None, k = None, cluster = None: expected a group's number, or k and cluster"),
    (lambda ws: ws.draw(1, k=3, cluster=0), "group = 1, k = 3, cluster = 0: expected a group's number, or k and"),
    (lambda ws: ws.curves(k=3), "group = None, k = 3, cluster = None: expected"),
    (lambda ws: ws.members(1, cluster=0), "group = 1, k = None, cluster = 0: expected"),
    (lambda ws: ws.spread("side_fal"), "there is no feature 'side_fal': expected one like side_fall"),
    (lambda ws: ws.spread("?"), r"expected one like n_values, n_missing, min\. docs/features\.md lists them all"),
    (lambda ws: ws.try_feature(lambda x, y: 1.0), "<lambda>: expected a function of one argument, the values"),
    (lambda ws: ws.try_feature(3), "3: expected a function of one argument, the values"),
    (lambda ws: ws.try_feature(lambda x: x[999]), r"<lambda>\(x\) fails on series \d+: IndexError.*Fix the function"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("call", "told"), WRONG)
def test_what_is_not_there_is_said_in_one_line(
    ws: WorkspaceView, call: Callable[[WorkspaceView], object], told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        call(ws)
    assert "\n" not in str(error.value)


def test_a_function_of_c_can_be_tried(ws: WorkspaceView) -> None:
    assert ws.try_feature(max)["value"].equals(ws.try_feature(np.max)["value"])


def test_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspaceError, match="is not a tsclust workspace"):
        tsclust.open(str(tmp_path))


ASKED: list[tuple[str, Callable[[WorkspaceView], object]]] = [
    ("series", lambda ws: ws.series),
    ("features", lambda ws: ws.features),
    ("features", lambda ws: ws.kept),
    ("features", lambda ws: ws.rules),
    ("clusters", lambda ws: ws.groups),
    ("clusters", lambda ws: ws.map),
    ("clusters", lambda ws: ws.figures),
    ("clusters", lambda ws: ws.clusters(3)),
    ("clusters", lambda ws: ws.members(1)),
    ("clusters", lambda ws: ws.curves(1)),
    ("series", lambda ws: ws.draw(1)),
    ("series", lambda ws: ws.drill(1)),
    ("series", lambda ws: ws.try_feature(dip)),
    ("series", lambda ws: ws.spread("side_fall")),
]


@pytest.mark.parametrize(("stage", "call"), ASKED)
def test_what_was_not_made_yet_names_the_command(
    tmp_path: Path, stage: str, call: Callable[[WorkspaceView], object]
) -> None:
    tsclust.init(tmp_path / "ws")
    made_by = {"series": "extract", "features": "features", "clusters": "cluster"}[stage]
    with pytest.raises(StageMissingError, match=f"{stage} does not exist yet.*Run: tsclust {made_by} -w"):
        call(tsclust.open(tmp_path / "ws"))


def test_settings_that_cannot_be_used_are_said_when_opening(tmp_path: Path) -> None:
    write(tmp_path / "ws", lifelike(64))
    (tmp_path / "ws" / "tsclust.toml").write_text("[report]\nlang = 3\n")
    with pytest.raises(TsclustError, match=r"report\.lang = 3"):
        tsclust.open(tmp_path / "ws")
