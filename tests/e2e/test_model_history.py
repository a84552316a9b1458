"""Each model stays under its id, which its scores carry; undo brings model, page and scores back."""

from __future__ import annotations

import polars as pl
import pytest

import tsclust
from tests.support.plant import Plant, scores
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace


@pytest.mark.usefixtures("learned_once")
def test_a_model_that_was_replaced_is_found_by_the_id_in_its_scores(
    small_plant: Plant, small_plant_copy: Workspace
) -> None:
    root, page = small_plant_copy.root, small_plant_copy.reports / "model.html"
    first, shown = scores(small_plant_copy), page.read_bytes()
    (old,) = first["model"].unique()
    assert old == small_plant_copy.manifest(SCORES).facts.model == small_plant_copy.manifest(MODEL).facts.id
    tsclust.train(root, {"train": {"reject_errors": "", "answer": "60%"}})
    tsclust.score(root)
    (new,) = scores(small_plant_copy)["model"].unique()
    assert new != old
    assert {path.name for path in (root / "models").iterdir()} == {old, new}
    found = pl.DataFrame(tsclust.Scorer.open(root / "models" / old).score(small_plant.series.head(20).to_arrow()))
    assert found.equals(found.select("series_id").join(first, on="series_id", maintain_order="left"))
    done = tsclust.history(root, limit=2)
    assert [row[2] for row in done.table[1:]] == ["score", "train"]
    assert f"model {old} -> {new}" in done.table[2][4]
    tsclust.undo(root)
    assert scores(small_plant_copy).equals(first)
    tsclust.undo(root)
    assert small_plant_copy.manifest(MODEL).facts.id == old
    assert page.read_bytes() == shown
    assert (root / "models" / new).is_dir()
    assert "up to date" in {row[1] for row in tsclust.status(root).table if row[0] == "scores"}
