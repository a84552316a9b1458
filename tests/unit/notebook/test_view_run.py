"""tsclust.open on a real run: what a notebook gets, against slow and obvious ways to get the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.swept import extracted, swept
from tests.support.views import ODD, by_hash, dip
from tsclust.errors import StageMissingError
from tsclust.notebook.view import WorkspaceView
from tsclust.stages.clusters.parts import SHAPES
from tsclust.stages.features.default_rules import DEFAULT_RULES


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> WorkspaceView:
    """A real run, with groups found inside group 1. For reading."""
    root = extracted(tmp_path_factory.mktemp("run") / ODD, part_rows=2_500, series=6_000)
    found = swept(root)
    largest = found.filter("proposed", ~pl.col("normal")).sort("size")["group"][-1]
    swept(root, {"cluster": {"k": "2..4"}}, within=largest)
    return tsclust.open(root)


def files(folder: Path) -> pl.DataFrame:
    """The parts in a folder, one by one."""
    return pl.concat([pl.DataFrame(pq.read_table(path)) for path in sorted(folder.glob("part-*.parquet"))])


@pytest.mark.slow
def test_frames_are_the_files(run: WorkspaceView) -> None:
    root = run.workspace.root
    assert run.series.collect().equals(files(root / "series"))
    features = files(root / "features")
    assert run.features.collect().equals(features)
    assert run.kept.collect().equals(features.filter(pl.col("rejected_by").is_null()).drop("rejected_by"))
    for name in ("groups", "sweep", "centers", "map"):
        assert getattr(run, name).equals(pl.DataFrame(pq.read_table(root / "clusters" / f"{name}.parquet")))
    assert list(run.figures) == list(tsclust.figures(root))
    assert repr(run) == f"WorkspaceView(workspace={run.workspace!r})"


def test_rules_say_what_they_reject_and_why(run: WorkspaceView) -> None:
    rules = run.rules
    assert rules.columns == ["rule", "rejected", "in_all", "alone", "when", "reason"]
    assert [row for row in rules.select("rule", "when", "reason").rows() if row[0] != "not_described"] == [
        (rule.name, rule.when, rule.reason) for rule in DEFAULT_RULES
    ]
    rejected = run.features.collect()["rejected_by"].drop_nulls().to_list()
    assert rules["rejected"].to_list() == [rejected.count(name) for name in rules["rule"]]
    assert (rules["in_all"] >= rules["rejected"]).all()
    assert (rules["alone"] <= rules["rejected"]).all()
    assert sum(rules["rejected"]) > 100


def test_members_are_those_of_the_assignments(run: WorkspaceView) -> None:
    within = next(number for number in run.groups["within"].drop_nulls() if number != SHAPES)
    clusters = run.workspace.root / "clusters"
    folders = {None: clusters, SHAPES: clusters / "shapes", within: clusters / f"within-{within:03d}"}
    assignments = {which: files(folder / "assignments") for which, folder in folders.items()}
    for row in run.groups.rows(named=True):
        found = run.members(row["group"]).collect()
        of = assignments[row["within"]].rows(named=True)
        expected = [one["series_id"] for one in of if one[f"k{row['k']:02d}"] == row["cluster"]]
        assert (found.columns, found["series_id"].to_list()) == (["series_id"], expected)
        assert len(expected) == row["size"]
    group = run.groups.row(0, named=True)
    same = run.members(k=group["k"], cluster=group["cluster"]).collect()
    assert same.equals(run.members(group["group"]).collect())


def test_curves_are_the_members_with_the_smallest_hashes(run: WorkspaceView) -> None:
    series, starts = run.series.collect(), dict(run.features.select("series_id", "start").collect().iter_rows())
    for group in (run.groups["group"][0], run.groups.filter(pl.col("within").is_not_null())["group"][0]):
        ids = by_hash(run.members(group).collect()["series_id"].to_list())[:7]
        found = run.curves(group, count=7)
        carried = [name for name in series.columns if name not in ("series_id", "values")]
        assert found.columns == ["series_id", *carried, "start", "values"]
        assert found["series_id"].to_list() == ids
        assert found["start"].to_list() == [starts[one] for one in ids]
        assert found.drop("start").rows() == [series.row(by_predicate=pl.col("series_id") == one) for one in ids]


def test_clusters_of_a_model_come_most_worth_looking_at_first(run: WorkspaceView) -> None:
    rows = [row for row in run.centers.rows(named=True) if row["k"] == 4 and row["size"]]
    expected = sorted(rows, key=lambda row: (-row["worth"], -row["size"], row["cluster"]))
    assert run.clusters(4).rows(named=True) == expected


@pytest.mark.slow
def test_drilling_is_that_of_the_command(run: WorkspaceView, tmp_path: Path) -> None:
    one, other = (Path(shutil.copytree(run.workspace.root, tmp_path / name)) for name in ("one", "other"))
    group = run.groups.filter("proposed", ~pl.col("normal"), pl.col("within").is_null()).sort("size")["group"][-1]
    found = tsclust.open(one).drill(group, k="2..6", seed=3)
    tsclust.cluster(other, {"cluster": {"k": "2..6", "seed": 3}}, within=group)
    assert found.equals(tsclust.open(other).groups.filter(pl.col("within") == group))
    assert len(found)
    assert (found["within"] == group).all()


@pytest.mark.slow
def test_of_the_groups_that_have_a_series_the_first_counts(run: WorkspaceView) -> None:
    members = {n: set(run.members(n).collect()["series_id"]) for n in run.groups["group"]}
    order = run.groups.filter("proposed", ~pl.col("normal"))["group"].to_list()
    found = run.try_feature(dip)
    for i, group in found.select("series_id", "group").iter_rows():
        assert group == next((n for n in order if i in members[n]), None)
    assert set(run.try_feature(dip, group=order[-1])["group"]) == {order[-1], None}
    assert set(found["series_id"]) <= set(run.kept.collect()["series_id"])


def test_groups_of_other_features_are_refused_not_mixed_up(run: WorkspaceView, tmp_path: Path) -> None:
    root = Path(shutil.copytree(run.workspace.root, tmp_path / "ws"))
    rule = '[[rule]]\nname = "long"\nwhen = "run_length > 60"\nreason = "too long"\n'
    (root / "tsclust.toml").write_text(rule)
    tsclust.filter(root)
    ws = tsclust.open(root)
    for call in (ws.draw, ws.curves, lambda group: ws.try_feature(dip, group), lambda group: ws.spread("p95", group)):
        with pytest.raises(StageMissingError, match="made from features that have changed since"):
            call(1)
