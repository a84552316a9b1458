"""score on made cycles: machines not seen, kinds not learned, series from elsewhere, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.plant import HELD_OUT, Plant, scores
from tsclust.errors import DamagedError, StageMissingError
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.workspace.folder import Workspace


def test_kinds_are_told_on_machines_that_were_not_seen(plant: Plant) -> None:
    known = plant.asked.filter(pl.col("kind") != HELD_OUT)
    assert (known["said"] == known["kind"]).mean() > 0.99
    wrong = known.filter(pl.col("said") != pl.col("kind"), ~pl.col("said").is_in(["don't know", "none of these"]))
    assert len(wrong) < 0.002 * len(known)
    learned = plant.workspace.manifest(MODEL).facts.kinds
    rare = known.filter(pl.col("kind") != "normal", pl.col("kind").is_in(learned))
    assert (rare["said"] == rare["kind"]).mean() > 0.85  # of some 440: a share is known to 3 points


def test_a_kind_that_nobody_has_labelled_is_none_of_these(plant: Plant) -> None:
    new = plant.asked.filter(pl.col("kind") == HELD_OUT)
    assert len(new) > 10
    assert new["said"].is_in(["none of these", "don't know"]).mean() > 0.8


def test_every_series_has_a_row_in_the_order_of_features(plant: Plant) -> None:
    workspace, found = plant.workspace, scores(plant.workspace)
    assert found.columns == ["series_id", "said", "kind", "probability", "novelty", "rejected_by", "model"]
    features = pl.concat([pl.read_parquet(p, columns=["series_id", "rejected_by"]) for p in workspace.parts(FEATURES)])
    assert found.select("series_id", "rejected_by").equals(features)
    impossible = found.filter(pl.col("rejected_by").is_not_null())
    assert set(impossible["said"]) == {"impossible"}
    assert impossible.select("kind", "probability", "novelty").null_count().row(0) == (len(impossible),) * 3
    asked = found.filter(pl.col("rejected_by").is_null())
    threshold = workspace.manifest(SCORES).facts.threshold
    novel, unsure = asked["novelty"] > 1, asked["probability"] < threshold
    expected = pl.select(
        pl.when(novel).then(pl.lit("none of these")).when(unsure).then(pl.lit("don't know")).otherwise(asked["kind"])
    ).to_series()
    assert asked["said"].equals(expected, null_equal=True)


def test_training_and_scoring_again_give_the_same_bytes(small_plant: Plant, small_plant_copy: Workspace) -> None:
    shutil.rmtree(small_plant_copy.stage(MODEL))
    shutil.rmtree(small_plant_copy.stage(SCORES))
    tsclust.train(small_plant_copy.root)
    tsclust.score(small_plant_copy.root)
    for stage in (MODEL, SCORES):
        for path in sorted(small_plant_copy.stage(stage).glob("[!m]*.*")) + sorted(
            small_plant_copy.stage(stage).glob("model.skops")
        ):
            assert path.read_bytes() == (small_plant.workspace.stage(stage) / path.name).read_bytes(), path.name


def test_series_of_another_file_are_scored_as_their_own_would_be(
    plant: Plant, plant_copy: Workspace, tmp_path: Path
) -> None:
    """The same series under other ids: nothing is said otherwise, and nothing has changed."""
    table = pl.read_parquet(plant.path).with_columns(series_id=pl.col("series_id") + 1_000_000)
    table.write_parquet(tmp_path / "new.parquet")
    done = tsclust.score(plant_copy.root, {"source": {"files": str(tmp_path / "new.parquet")}})
    again = scores(plant_copy, SCORES_NEW).with_columns(series_id=pl.col("series_id") - 1_000_000).sort("series_id")
    before = scores(plant.workspace).sort("series_id")
    assert again.select("series_id", "said", "probability").equals(before.select("series_id", "said", "probability"))
    assert done.facts is not None
    assert not done.facts["drift"]["found"]
    assert scores(plant_copy).equals(scores(plant.workspace))
    assert not (plant_copy.root / ".scoring").exists()
    assert (plant_copy.root / "series" / "manifest.json").read_bytes() == (
        plant.workspace.root / "series" / "manifest.json"
    ).read_bytes()


def test_machines_that_were_not_there_are_named(plant_copy: Workspace, plant: Plant, tmp_path: Path) -> None:
    new = pl.read_parquet(plant.path).head(200).with_columns(machine_id=pl.lit("brand new"))
    new.write_parquet(tmp_path / "new.parquet")
    done = tsclust.score(plant_copy.root, {"source": {"files": str(tmp_path / "new.parquet")}})
    assert done.facts is not None
    assert done.facts["drift"]["unknown"] == ["brand new"]


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_the_share_to_refuse_needs_no_labels(plant_copy: Workspace, share: float) -> None:
    tsclust.score(plant_copy.root, refuse=f"{share:.0%}")
    sure = scores(plant_copy).filter(pl.col("rejected_by").is_null())["probability"]
    threshold = plant_copy.manifest(SCORES).facts.threshold
    assert (sure < threshold).mean() <= share
    assert (sure <= threshold).mean() >= share


@pytest.mark.parametrize("flags", [
    {"cluster": {"baseline": []}}, {"cluster": {"scaling": "robust"}},
])  # fmt: skip
def test_what_is_compared_otherwise_is_refused(plant_copy: Workspace, flags: dict[str, Any]) -> None:
    before = (plant_copy.stage(SCORES) / "manifest.json").read_bytes()
    with pytest.raises(StageMissingError, match=r"was trained on other features, rules or baselines .*tsclust train"):
        tsclust.score(plant_copy.root, flags)
    assert (plant_copy.stage(SCORES) / "manifest.json").read_bytes() == before


def test_other_features_or_rules_are_refused(plant_copy: Workspace, plant: Plant) -> None:
    settings = plant_copy.config.read_text(encoding="utf-8")
    plant_copy.config.write_text(settings.replace("skip = []", 'skip = ["side_mean"]'), encoding="utf-8")
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(plant_copy.root, {"source": {"files": str(plant.path), "limit": 100}})
    tsclust.features(plant_copy.root)
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(plant_copy.root)


def test_a_changed_model_is_refused(plant_copy: Workspace) -> None:
    file = plant_copy.stage(MODEL) / "model.skops"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match="has changed since it was trained"):
        tsclust.score(plant_copy.root)


def test_a_model_of_another_scikit_learn_is_refused(plant_copy: Workspace) -> None:
    manifest = plant_copy.stage(MODEL) / "manifest.json"
    about = json.loads(manifest.read_text())
    about["versions"]["scikit-learn"] = "0.1.0"
    manifest.write_text(json.dumps(about))
    with pytest.raises(StageMissingError, match=r"was trained with scikit-learn 0\.1\.0"):
        tsclust.score(plant_copy.root)
