"""tsclust cluster on data that is not as one would wish: what it says, and that the files hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tsclust
from tests.support.series import CYCLE
from tsclust.config import Report
from tsclust.engine.base import Progress
from tsclust.errors import NoSeriesError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.reports.groups.step import collect
from tsclust.workspace.folder import Workspace


def described(root: Path, series: list[list[float]], **columns: Any) -> Path:
    """A workspace with these series, described."""
    tsclust.init(root)
    frame = pl.DataFrame({"series_id": range(len(series)), **columns, "values": series})
    frame.write_parquet(root / "series.parquet")
    tsclust.extract(root, {"source": {"files": str(root / "series.parquet")}})
    tsclust.features(root)
    return root


def noisy(level: float, seed: int, stretch: int = 0) -> list[float]:
    """A cycle of that height; the side movement is longer by `stretch` samples."""
    rng = np.random.default_rng(seed)
    side = level * (1 + 0.02 * rng.standard_normal(40 + stretch))
    return [*(level * CYCLE[:11]), *side, *(level * CYCLE[51:])]


def facts(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((root / "clusters/manifest.json").read_text())["facts"]
    return read


@pytest.mark.slow
def test_alike_series_make_fewer_clusters_than_asked_and_it_says_so(tmp_path: Path) -> None:
    kinds = [noisy(1, 1), noisy(2, 2), noisy(1, 3, 9)]
    root = described(tmp_path / "ws", [kinds[i % 3] for i in range(90)])
    told = list[Progress]()
    done = tsclust.cluster(root, {"cluster": {"k": "2..6", "scaling": "robust", "regimes": False}}, told.append)
    assert {(one.done, one.total) for one in told if one.stage == "cluster: scaling"} == {(90, 90)}
    assert "from k = 4 on there are fewer clusters than k: some series are identical" in done.notes
    assert facts(root)["fewer_clusters"] == [4, 5, 6]
    assert facts(root)["advice"] == {"elbow": None, "silhouette": 3, "stability": 3}  # of what there is
    sizes = pl.read_parquet(root / "clusters/centers.parquet").filter(pl.col("k") == 6)["size"].to_list()
    assert sizes == [30, 30, 30]
    inertia = pl.read_parquet(root / "clusters/sweep.parquet")["inertia"].to_list()
    assert inertia == sorted(inertia, reverse=True)
    assert inertia[-1] == pytest.approx(0, abs=1e-6)
    tsclust.cluster(root, {"cluster": {"k": "2..6", "scaling": "robust", "regimes": True}})
    assert pl.read_parquet(root / "clusters/groups.parquet")["size"].to_list() == [90]
    assert facts(root)["advice"] == {"elbow": None, "silhouette": None, "stability": None}
    tsclust.report(root)


def test_k_beyond_the_series_are_left_out_and_too_few_series_refused(tmp_path: Path) -> None:
    root = described(tmp_path / "ws", [noisy(1, seed) for seed in range(31)])
    done = tsclust.cluster(root, {"cluster": {"k": "2..9"}})
    assert "3 values of k skipped: only 31 series" in done.notes
    assert pl.read_parquet(root / "clusters/sweep.parquet")["k"].to_list() == [2, 3, 4, 5, 6]
    with pytest.raises(NoSeriesError, match="k = 30 needs at least 150 series; left by the rules: 31"):
        tsclust.cluster(root, {"cluster": {"k": "30"}})


def test_what_has_no_name_is_compared_by_features_alone_where_there_are_no_shapes_and_it_says_so(
    tmp_path: Path,
) -> None:
    root = described(tmp_path / "ws", [noisy(1, seed, 9 * (seed % 4 == 0)) for seed in range(80)])
    tsclust.cluster(root, {"cluster": {"k": "2"}})
    page = form_of(Path(tsclust.report(root, {"report": {"charts": False}}).wrote))
    said = {page["groups"][0]["name"]: "leak"}
    tsclust.labels_import(root, [put(root / "answers.json", answered(page, "Anna", said))])
    done = tsclust.cluster(root, {"cluster": {"k": "2"}}, unlabelled=True)
    assert "compared by features alone, not by shapes: that takes at least 2,000 series" in done.notes
    quiet = tsclust.cluster(root, {"cluster": {"k": "2", "shapes": False}}, unlabelled=True)
    assert not any("by shapes" in note for note in quiet.notes)


def test_what_is_proposed_for_review_is_what_the_report_asks_about(tmp_path: Path) -> None:
    """The normal mass is among the sets worth a look; nobody is asked what it is."""
    root = described(tmp_path / "ws", [noisy(1, seed, 12 * (seed % 16 == 0)) for seed in range(80)])
    few: dict[str, Any] = {"cluster": {"k": "2..3"}}
    tried, done = tsclust.cluster(root, few, trial=True), tsclust.cluster(root, few)
    groups = pl.read_parquet(root / "clusters/groups.parquet")
    (asked,) = [group.name for group in collect(Workspace(root), Report()).groups if not group.normal]
    (mass,) = groups.filter("proposed", "normal")["group"]
    assert done.notes[0] == tried.notes[0] == "1 group proposed for review, of 3 distinct sets in the sweep"
    assert [row[0] for row in tried.table[1:]] == [asked]
    assert facts(root)["proposed"] == 1
    inside = tsclust.cluster(root, few, within=mass)
    found = pl.read_parquet(root / "clusters/groups.parquet").filter(pl.col("within") == mass, "proposed")
    assert found["normal"].to_list() == [False, True]
    assert inside.notes[0] == f"group {mass}: 76 series, 1 group proposed for review of 3 distinct sets: 4"


def test_too_few_series_to_divide_are_one_sheet(tmp_path: Path) -> None:
    root = described(tmp_path / "ws", [noisy(1, seed) for seed in range(17)])
    done = tsclust.cluster(root, {"cluster": {"k": "2..9"}})
    assert done.notes[:2] == (
        "1 group proposed for review, of 1 distinct set in the sweep",
        "17 series: too few to divide, one group has them all",
    )
    found = pl.read_parquet(root / "clusters/groups.parquet").to_dicts()
    assert [(one["k"], one["size"], one["normal"], one["proposed"]) for one in found] == [(1, 17, False, True)]
    (card,) = collect(Workspace(root), Report()).groups
    assert len(card.members) == 17


@pytest.mark.slow
def test_products_that_no_column_names_are_regimes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    product = rng.choice(2, 900, p=[0.6, 0.4])
    odd = np.arange(900) % 90 == 0
    series = [noisy([1.0, 5.0][p], i, 12 if o else 0) for i, (p, o) in enumerate(zip(product, odd, strict=True))]
    root = described(tmp_path / "ws", series)
    assert (
        "no baseline: 2 regimes of normal; series are compared only within their own regime"
        in tsclust.cluster(root).notes
    )
    found = pl.read_parquet(root / "clusters/groups.parquet").row(0, named=True)
    rows = pl.read_parquet(root / "clusters/assignments/*.parquet")
    members = rows.filter(pl.col(f"k{found['k']:02d}") == found["cluster"])["series_id"].to_list()
    assert members == np.flatnonzero(odd).tolist()
    done = tsclust.cluster(root, {"cluster": {"regimes": False}})
    assert facts(root)["regimes"] == 0
    assert not any("regimes of normal" in note for note in done.notes)


def test_machines_with_too_few_series_are_compared_with_the_whole_and_it_says_so(tmp_path: Path) -> None:
    machine = ["A"] * 40 + ["B"] * 40 + ["C"] * 3
    root = described(tmp_path / "ws", [noisy(1, seed) for seed in range(83)], machine=machine)
    done = tsclust.cluster(root, {"cluster": {"baseline": ["machine"], "k": "2..4"}})
    assert "baseline machine: 2 sets of series; series are compared only within their own set" in done.notes
    assert "1 set has too few series for that: compared with the overall baseline" in done.notes


@pytest.mark.parametrize("scaling", ["exceedance", "robust", "standard"])
def test_constant_copied_and_heavy_features_do_not_decide(tmp_path: Path, scaling: str) -> None:
    """All the features that a cycle's height moves are one fact; run length, which tells the odd ones, is another."""
    rng = np.random.default_rng(1)
    level = np.exp(rng.standard_t(3, 400) / 12)  # heavy tails
    odd = np.arange(400) % 40 == 0
    root = described(
        tmp_path / "ws", [noisy(level[i], i, 25 if odd[i] else int(rng.integers(0, 3))) for i in range(400)]
    )
    tsclust.cluster(root, {"cluster": {"scaling": scaling, "k": "2..8", "regimes": False}})
    rows = pl.read_parquet(root / "clusters/assignments/*.parquet")
    there = set(np.flatnonzero(odd).tolist()) & set(rows["series_id"].to_list())
    best = 0.0
    for row in pl.read_parquet(root / "clusters/groups.parquet").head(5).iter_rows(named=True):
        members = set(rows.filter(pl.col(f"k{row['k']:02d}") == row["cluster"])["series_id"].to_list())
        best = max(best, len(members & there) / len(members | there))
    assert best > 0.9
