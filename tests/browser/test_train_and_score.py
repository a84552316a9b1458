"""train and score on made cycles: machines not seen, kinds not learned, series from elsewhere, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

import tsclust
from tests.support.pages import CLIPPED, Opened
from tests.support.plant import cycles, described, kept, label, scores
from tsclust.errors import DamagedError, SettingsError, StageMissingError
from tsclust.simulation import load
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.workspace.folder import Workspace

HELD_OUT = "vibration"  # a kind that nobody has labelled


@dataclass(frozen=True)
class Plant:
    """A trained workspace. Labels are of two thirds of the machines, and none of one kind.

    path is the file its series came from; truth series_id, kind, machine_id of what is kept
    """

    workspace: Workspace
    path: Path
    truth: pl.DataFrame

    @property
    def labelled(self) -> pl.DataFrame:
        return self.truth.filter(pl.col("machine_id").hash(1) % 3 > 0, pl.col("kind") != HELD_OUT)

    @property
    def asked(self) -> pl.DataFrame:
        """Of the machines without labels, what was said."""
        others = self.truth.filter(pl.col("machine_id").hash(1) % 3 == 0)
        return others.join(scores(self.workspace), on="series_id").rename({"kind_right": "likeliest"})


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    folder = tmp_path_factory.mktemp("plant")
    path, truth = cycles(folder, 40_000)
    workspace = described(folder, path)
    made = Plant(workspace, path, kept(workspace, truth))
    label(workspace, made.labelled.select("series_id", "kind"))
    tsclust.train(workspace.root)
    tsclust.score(workspace.root)
    return made


@pytest.fixture
def copy(plant: Plant, tmp_path: Path) -> Workspace:
    """A copy that a test may spoil."""
    shutil.copytree(plant.workspace.root, tmp_path / "ws")
    return Workspace.open(tmp_path / "ws")


def test_kinds_are_told_on_machines_that_were_not_seen(plant: Plant) -> None:
    known = plant.asked.filter(pl.col("kind") != HELD_OUT)
    assert (known["said"] == known["kind"]).mean() > 0.99
    wrong = known.filter(pl.col("said") != pl.col("kind"), ~pl.col("said").is_in(["don't know", "none of these"]))
    assert len(wrong) < 0.002 * len(known)
    learned = plant.workspace.manifest(MODEL).facts["kinds"]
    rare = known.filter(pl.col("kind") != "normal", pl.col("kind").is_in(learned))
    assert (rare["said"] == rare["kind"]).mean() > 0.9


def test_a_kind_that_nobody_has_labelled_is_none_of_these(plant: Plant) -> None:
    new = plant.asked.filter(pl.col("kind") == HELD_OUT)
    assert len(new) > 10
    assert new["said"].is_in(["none of these", "don't know"]).mean() > 0.8


def test_every_series_has_a_row_in_the_order_of_features(plant: Plant) -> None:
    workspace, found = plant.workspace, scores(plant.workspace)
    assert found.columns == ["series_id", "said", "kind", "probability", "novelty", "rejected_by"]
    features = pl.concat([pl.read_parquet(p, columns=["series_id", "rejected_by"]) for p in workspace.parts(FEATURES)])
    assert found.select("series_id", "rejected_by").equals(features)
    impossible = found.filter(pl.col("rejected_by").is_not_null())
    assert set(impossible["said"]) == {"impossible"}
    assert impossible.select("kind", "probability", "novelty").null_count().row(0) == (len(impossible),) * 3
    asked = found.filter(pl.col("rejected_by").is_null())
    threshold = workspace.manifest(SCORES).facts["threshold"]
    novel, unsure = asked["novelty"] > 1, asked["probability"] < threshold
    expected = pl.select(
        pl.when(novel).then(pl.lit("none of these")).when(unsure).then(pl.lit("don't know")).otherwise(asked["kind"])
    ).to_series()
    assert asked["said"].equals(expected, null_equal=True)


def test_training_and_scoring_again_give_the_same_bytes(plant: Plant, copy: Workspace) -> None:
    shutil.rmtree(copy.stage(MODEL))
    shutil.rmtree(copy.stage(SCORES))
    tsclust.train(copy.root)
    tsclust.score(copy.root)
    for stage in (MODEL, SCORES):
        for path in sorted(copy.stage(stage).glob("[!m]*.*")) + sorted(copy.stage(stage).glob("model.skops")):
            assert path.read_bytes() == (plant.workspace.stage(stage) / path.name).read_bytes(), path.name


def test_training_again_is_skipped_until_something_changes(copy: Workspace) -> None:
    assert tsclust.train(copy.root).skipped
    again = tsclust.train(copy.root, {"train": {"answer": "90%"}})
    assert not again.skipped
    assert copy.manifest(MODEL).facts["threshold"] > 0


def test_what_the_model_says_of_itself_adds_up(plant: Plant) -> None:
    facts = plant.workspace.manifest(MODEL).facts
    confusion = np.array(facts["confusion"])
    counts = dict(plant.labelled["kind"].value_counts().iter_rows())
    enough = {kind: n for kind, n in counts.items() if n >= 5}
    assert facts["counts"] == enough
    assert facts["too_few"] == {kind: n for kind, n in counts.items() if n < 5}
    np.testing.assert_allclose(confusion.sum(axis=1), [enough[kind] for kind in facts["kinds"]], rtol=1e-3)
    out_of_fold = pl.read_parquet(plant.workspace.stage(MODEL) / "out_of_fold.parquet")
    assert set(out_of_fold["series_id"]) <= set(plant.labelled["series_id"])
    assert facts["machine"] == "machine_id"
    assert facts["verdicts"]["normal"] == "normal"


def test_the_page_of_the_model_in_two_languages(page: Page, copy: Workspace) -> None:
    for lang in ("en", "ru"):
        tsclust.train(copy.root, {"report": {"lang": lang}, "train": {"answer": "99%" if lang == "en" else "98%"}})
        path = copy.reports / "model.html"
        opened = Opened(page, path)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("table.confusion tbody tr").count() == len(copy.manifest(MODEL).facts["kinds"])
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CLIPPED) == []
        assert opened.is_quiet()


def test_series_of_another_file_are_scored_as_their_own_would_be(plant: Plant, copy: Workspace, tmp_path: Path) -> None:
    """The same series under other ids: nothing is said otherwise, and nothing has changed."""
    table = pl.read_parquet(plant.path).with_columns(series_id=pl.col("series_id") + 1_000_000)
    table.write_parquet(tmp_path / "new.parquet")
    done = tsclust.score(copy.root, {"source": {"files": str(tmp_path / "new.parquet")}})
    again = scores(copy, SCORES_NEW).with_columns(series_id=pl.col("series_id") - 1_000_000).sort("series_id")
    before = scores(plant.workspace).sort("series_id")
    assert again.select("series_id", "said", "probability").equals(before.select("series_id", "said", "probability"))
    assert done.facts is not None
    assert not done.facts["drift"]["found"]
    assert scores(copy).equals(scores(plant.workspace))
    assert not (copy.root / ".scoring").exists()
    assert (copy.root / "series" / "manifest.json").read_bytes() == (
        plant.workspace.root / "series" / "manifest.json"
    ).read_bytes()


def test_from_postgresql_and_into_it(plant: Plant, copy: Workspace, database: str) -> None:
    load.fill(database, 2_000, 1)
    flags = {"dsn": database, "source": {"table": "machine.cycles"}}
    tsclust.score(copy.root, flags, to_table="machine.scores")
    tsclust.score(
        copy.root,
        flags | {"source": {"table": "machine.cycles", "where": "series_id <= 100"}},
        to_table="machine.scores",
    )
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT series_id), max(probability) FROM machine.scores"
        ).fetchone()
    assert rows is not None
    assert rows[:2] == (2_000, 2_000)
    assert len(scores(copy, SCORES_NEW)) == 100


def test_machines_that_were_not_there_are_named(copy: Workspace, plant: Plant, tmp_path: Path) -> None:
    new = pl.read_parquet(plant.path).head(200).with_columns(machine_id=pl.lit("brand new"))
    new.write_parquet(tmp_path / "new.parquet")
    done = tsclust.score(copy.root, {"source": {"files": str(tmp_path / "new.parquet")}})
    assert done.facts is not None
    assert done.facts["drift"]["unknown"] == ["brand new"]


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_the_share_to_refuse_needs_no_labels(copy: Workspace, share: float) -> None:
    tsclust.score(copy.root, refuse=f"{share:.0%}")
    sure = scores(copy).filter(pl.col("rejected_by").is_null())["probability"]
    threshold = copy.manifest(SCORES).facts["threshold"]
    assert (sure < threshold).mean() <= share
    assert (sure <= threshold).mean() >= share


@pytest.mark.parametrize("flags", [
    {"cluster": {"baseline": []}}, {"cluster": {"scaling": "robust"}},
])  # fmt: skip
def test_what_is_compared_otherwise_is_refused(copy: Workspace, flags: dict[str, Any]) -> None:
    before = (copy.stage(SCORES) / "manifest.json").read_bytes()
    with pytest.raises(StageMissingError, match=r"was trained on other features, rules or baselines .*tsclust train"):
        tsclust.score(copy.root, flags)
    assert (copy.stage(SCORES) / "manifest.json").read_bytes() == before


def test_other_features_or_rules_are_refused(copy: Workspace, plant: Plant) -> None:
    settings = copy.config.read_text(encoding="utf-8")
    copy.config.write_text(settings.replace("skip = []", 'skip = ["side_mean"]'), encoding="utf-8")
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(copy.root, {"source": {"files": str(plant.path), "limit": 100}})
    tsclust.features(copy.root)
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(copy.root)


def test_a_changed_model_is_refused(copy: Workspace) -> None:
    file = copy.stage(MODEL) / "model.skops"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match="is not the file that was trained"):
        tsclust.score(copy.root)


def test_a_model_of_another_scikit_learn_is_refused(copy: Workspace) -> None:
    manifest = copy.stage(MODEL) / "manifest.json"
    about = json.loads(manifest.read_text())
    about["versions"]["scikit-learn"] = "0.1.0"
    manifest.write_text(json.dumps(about))
    with pytest.raises(StageMissingError, match=r"was trained with scikit-learn 0\.1\.0"):
        tsclust.score(copy.root)


def test_without_labels_or_with_one_kind_it_says_what_to_do(copy: Workspace, plant: Plant) -> None:
    shutil.rmtree(copy.stage(LABELS))
    with pytest.raises(StageMissingError, match="tsclust labels import"):
        tsclust.train(copy.root)
    label(copy, plant.labelled.filter(pl.col("kind") == "obstacle").select("series_id", "kind"))
    with pytest.raises(StageMissingError, match="with at least 5 labelled series: 1; expected two"):
        tsclust.train(copy.root, {"train": {"assume_normal": False}})
    shutil.rmtree(copy.stage(MODEL))
    with pytest.raises(StageMissingError, match="tsclust train"):
        tsclust.score(copy.root)
    with pytest.raises(SettingsError, match=r"\[train\] machine: no carried column 'maschine'"):
        tsclust.train(copy.root, {"train": {"machine": "maschine"}})


def test_where_nobody_has_labelled_the_normal_they_are_the_normal_mass(copy: Workspace, plant: Plant) -> None:
    label(copy, plant.labelled.filter(pl.col("kind") != "normal").select("series_id", "kind"))
    tsclust.cluster(copy.root, {"cluster": {"k": "2..20"}})
    done = tsclust.train(copy.root)
    assert any("series that nobody has labelled are taken for normal" in note for note in done.notes)
    tsclust.score(copy.root)
    asked = Plant(copy, plant.path, plant.truth).asked
    normal = asked.filter(pl.col("kind") == "normal")
    assert (normal["said"] == "normal").mean() > 0.95
    assert (normal["said"].is_in(["normal", "don't know", "none of these"])).mean() > 0.99


def test_no_machine_column_and_text_ids(plant: Plant, tmp_path: Path) -> None:
    table = pl.read_parquet(plant.path).head(8_000).select(series_id=pl.format("s-{}", "series_id"), values="values")
    table.write_parquet(tmp_path / "plain.parquet")
    tsclust.init(tmp_path / "ws")
    tsclust.extract(tmp_path / "ws", {"source": {"files": str(tmp_path / "plain.parquet")}})
    tsclust.features(tmp_path / "ws")
    workspace = Workspace.open(tmp_path / "ws")
    kinds = plant.truth.select(pl.format("s-{}", "series_id").alias("series_id"), "kind")
    label(workspace, kinds.filter(pl.col("series_id").is_in(table["series_id"].implode())))
    done = tsclust.train(workspace.root)
    assert any("no column tells machines apart" in note for note in done.notes)
    found = tsclust.score(workspace.root)
    assert found.facts is not None
    assert found.facts["drift"] == {"found": False, "changed": [], "unknown": []}
    assert pq.read_schema(workspace.parts(SCORES)[0]).field("series_id").type == "string"
