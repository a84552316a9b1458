"""Described cycles whose kinds are known, and labels of them without an expert: for the tests of what is learned."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tsclust.simulation import machines as mechanism
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files, resolution
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, Stage

BASELINE = ["machine_id", "direction"]


FLAGS: dict[str, Any] = {"cluster": {"baseline": BASELINE}}


def cycles_file(
    folder: Path, series: int = 20_000, seed: int = 1, machines: int = mechanism.MACHINES
) -> tuple[Path, pl.DataFrame]:
    """(a Parquet file of made cycles, series_id and kind of each): no column of the file tells the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    path, truths = folder / f"cycles-{seed}.parquet", []
    with pq.ParquetWriter(path, mechanism.SCHEMA) as writer:
        for batch, truth in mechanism.make(series, seed, machines=machines):
            writer.write_batch(batch)
            truths.append(pl.DataFrame(truth))
    return path, pl.concat(truths)


def describe_file(folder: Path, path: Path) -> Workspace:
    """A workspace with the series of a file, and their features."""
    root = folder / "ws"
    tsclust.init(root)
    settings = (root / "tsclust.toml").read_text(encoding="utf-8")
    (root / "tsclust.toml").write_text(settings.replace("baseline = []", f"baseline = {BASELINE}".replace("'", '"')))
    tsclust.extract(root, {"source": {"files": str(path), "part_rows": 6_000}})
    tsclust.features(root)
    return Workspace.open(root)


def kept(workspace: Workspace, truth: pl.DataFrame) -> pl.DataFrame:
    """series_id, kind, machine_id of the series that the rules keep and that are of a real run."""
    parts = [pl.read_parquet(path, columns=["series_id", "rejected_by"]) for path in workspace.parts(FEATURES)]
    features = pl.concat(parts).filter(pl.col("rejected_by").is_null())
    series = pl.concat([pl.read_parquet(p, columns=["series_id", "machine_id"]) for p in workspace.parts(SERIES)])
    found = features.join(truth, on="series_id").join(series, on="series_id")
    return found.filter(~pl.col("kind").str.starts_with("impossible")).select("series_id", "kind", "machine_id")


def label(workspace: Workspace, kinds: pl.DataFrame, labeller: str = "expert") -> None:
    """series_id, kind -> labels/, in the place of what is there."""
    verdict = pl.when(pl.col("kind") == "normal").then(pl.lit("normal")).otherwise(pl.lit("malfunction"))
    when = pl.lit("2026-01-01T00:00:00Z").str.to_datetime(time_zone="UTC", time_unit="us")
    same = {"labeller": labeller, "sure": None, "comment": "", "report": "test", "group": None, "size": 5_000}
    found = kinds.with_columns(verdict=verdict, labelled_at=when, **{name: pl.lit(v) for name, v in same.items()})
    found = found.select("series_id", *(pl.col(name).cast(kind) for name, kind in resolution.LABELS.items()))
    files.write(workspace, Meter(), files.read(workspace), found.sort("series_id"), [])


def scores(workspace: Workspace, stage: Stage = SCORES) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in workspace.parts(stage)])


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
    path, truth = cycles_file(folder, 40_000)
    workspace = describe_file(folder, path)
    made = Plant(workspace, path, kept(workspace, truth))
    label(workspace, made.labelled.select("series_id", "kind"))
    tsclust.train(workspace.root)
    tsclust.score(workspace.root)
    return made


@pytest.fixture
def plant_copy(plant: Plant, tmp_path: Path) -> Workspace:
    """A copy that a test may spoil."""
    shutil.copytree(plant.workspace.root, tmp_path / "ws")
    return Workspace.open(tmp_path / "ws")


@pytest.fixture(scope="module")
def described_plant(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, pl.DataFrame]:
    """A described workspace, and the kinds of what is kept."""
    folder = tmp_path_factory.mktemp("review")
    path, truth = cycles_file(folder)
    workspace = describe_file(folder, path)
    return workspace, kept(workspace, truth).sort("series_id").select("series_id", "kind")


@pytest.fixture
def flipped(
    described_plant: tuple[Workspace, pl.DataFrame], tmp_path: Path
) -> tuple[Workspace, pl.DataFrame, pl.DataFrame]:
    """(workspace, the truth, labels of which 5 % are of another kind)."""
    shutil.copytree(described_plant[0].root, tmp_path / "ws")
    workspace, truth, rng = Workspace.open(tmp_path / "ws"), described_plant[1], np.random.default_rng(1)
    names = truth["kind"].unique().sort()
    codes = truth["kind"].replace_strict(names.to_list(), range(len(names)), return_dtype=pl.Int64).to_numpy().copy()
    rows = rng.choice(len(codes), len(codes) // 20, replace=False)
    codes[rows] = (codes[rows] + rng.integers(1, len(names), len(rows))) % len(names)
    wrong = truth.with_columns(kind=names.gather(codes))
    label(workspace, wrong)
    return workspace, truth, wrong
