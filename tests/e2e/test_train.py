"""train on made cycles: when it trains again, what the model states about itself, and where labels are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.plant import Plant, label
from tsclust.errors import SettingsError, StageMissingError
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace


@pytest.mark.usefixtures("learned_once")
def test_training_again_is_skipped_until_something_changes(small_plant_copy: Workspace) -> None:
    assert tsclust.train(small_plant_copy.root).skipped
    again = tsclust.train(small_plant_copy.root, {"train": {"answer": "90%"}})
    assert not again.skipped
    assert small_plant_copy.manifest(MODEL).facts.threshold > 0


def test_what_the_model_says_of_itself_adds_up(plant: Plant) -> None:
    facts = plant.workspace.manifest(MODEL).facts
    confusion = np.array(facts.confusion)
    counts = dict(plant.labelled["kind"].value_counts().iter_rows())
    enough = {kind: n for kind, n in counts.items() if n >= 5}
    assert facts.counts == enough
    assert facts.too_few == {kind: n for kind, n in counts.items() if n < 5}
    np.testing.assert_allclose(confusion.sum(axis=1), [enough[kind] for kind in facts.kinds], rtol=1e-3)
    out_of_fold = pl.read_parquet(plant.workspace.stage(MODEL) / "out_of_fold.parquet")
    assert set(out_of_fold["series_id"]) <= set(plant.labelled["series_id"])
    assert facts.machine == "machine_id"
    assert facts.verdicts["normal"] == "normal"


def test_without_labels_or_with_one_kind_it_says_what_to_do(plant_copy: Workspace, plant: Plant) -> None:
    shutil.rmtree(plant_copy.stage(LABELS))
    with pytest.raises(StageMissingError, match=r"Run: tsclust labels import -w \S+ answers-\*\.json"):
        tsclust.train(plant_copy.root)
    label(plant_copy, plant.labelled.filter(pl.col("kind") == "obstacle").select("series_id", "kind"))
    with pytest.raises(StageMissingError, match="with at least 5 labelled series: 1, expected two or more"):
        tsclust.train(plant_copy.root, {"train": {"assume_normal": False}})
    shutil.rmtree(plant_copy.stage(MODEL))
    with pytest.raises(StageMissingError, match="tsclust train"):
        tsclust.score(plant_copy.root)
    with pytest.raises(SettingsError, match=r"\[train\] machine: no carried column 'maschine'"):
        tsclust.train(plant_copy.root, {"train": {"machine": "maschine"}})


def test_where_nobody_has_labelled_the_normal_they_are_the_normal_mass(plant_copy: Workspace, plant: Plant) -> None:
    label(plant_copy, plant.labelled.filter(pl.col("kind") != "normal").select("series_id", "kind"))
    tsclust.cluster(plant_copy.root, {"cluster": {"k": "2..8"}})
    done = tsclust.train(plant_copy.root)
    assert any("series without a label were taken as normal" in note for note in done.notes)
    tsclust.score(plant_copy.root)
    asked = Plant(plant_copy, plant.path, plant.truth).asked
    normal = asked.filter(pl.col("kind") == "normal")
    assert (normal["said"] == "normal").mean() > 0.95
    assert (normal["said"].is_in(["normal", "don't know", "none of these"])).mean() > 0.99


def test_no_machine_column_and_text_ids(plant: Plant, tmp_path: Path) -> None:
    table = pl.read_parquet(plant.path).head(4_000).select(series_id=pl.format("s-{}", "series_id"), values="values")
    table.write_parquet(tmp_path / "plain.parquet")
    tsclust.init(tmp_path / "ws")
    tsclust.extract(tmp_path / "ws", {"source": {"files": str(tmp_path / "plain.parquet")}})
    tsclust.features(tmp_path / "ws")
    workspace = Workspace.open(tmp_path / "ws")
    kinds = plant.truth.select(pl.format("s-{}", "series_id").alias("series_id"), "kind")
    label(workspace, kinds.filter(pl.col("series_id").is_in(table["series_id"].implode())))
    done = tsclust.train(workspace.root)
    assert any("no column identifies machines" in note for note in done.notes)
    found = tsclust.score(workspace.root)
    assert found.facts is not None
    assert found.facts["drift"] == {
        "found": False,
        "changed": [],
        "unknown": [],
        "rates_only": [],
        "unjudged": [],
        "compared": 0,
    }
    assert pq.read_schema(workspace.parts(SCORES)[0]).field("series_id").type == "string"
