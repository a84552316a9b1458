"""Described cycles whose kinds are known, and labels of them without an expert: for the tests of what is learned."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

import tsclust
from tests.support.endurance import times
from tsclust.pipeline import labels_review
from tsclust.simulation import machines
from tsclust.simulation.labels import label as label
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model import classifier
from tsclust.stages.model.classifier import Examples, Learned
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Stage

BASELINE = ["machine_id", "direction"]
FLAGS: dict[str, Any] = {"cluster": {"baseline": BASELINE}}


def cycles_file(
    folder: Path, series: int = 20_000, seed: int = 1, of_machines: int = machines.MACHINES
) -> tuple[Path, pl.DataFrame]:
    """(a Parquet file of made cycles, series_id and kind of each): no column of the file tells the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    path, truths = folder / f"cycles-{seed}.parquet", []
    with pq.ParquetWriter(path, machines.SCHEMA) as writer:
        for batch, truth in machines.make(series, seed, machines=of_machines):
            writer.write_batch(batch)
            truths.append(pl.DataFrame(truth))
    pl.concat(truths).write_parquet(folder / "planted.parquet")
    return path, pl.concat(truths)


def describe_file(folder: Path, path: Path) -> Workspace:
    """A workspace with the series of a file, and their features."""
    root = folder / "ws"
    tsclust.init(root)
    settings = (root / "tsclust.toml").read_text(encoding="utf-8")
    (root / "tsclust.toml").write_text(settings.replace("# baseline = []", f"baseline = {BASELINE}".replace("'", '"')))
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


def scores(workspace: Workspace, stage: Stage[Any] = SCORES) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in workspace.parts(stage)])


def pytest_configure() -> None:
    """Fewer trees: growing a hundred is most of what training costs, and no plant of a test needs them. Processes of
    their own, such as notebooks, and the long form grow as many as the product."""
    classifier.TREES = times(20, classifier.TREES)


HELD_OUT = "vibration"  # a kind that nobody has labelled


@dataclass(frozen=True)
class Plant:
    """A workspace of made cycles.

    path is the file its series came from; truth series_id, kind, machine_id of what is kept
    """

    workspace: Workspace
    path: Path
    truth: pl.DataFrame

    @classmethod
    def described(cls, folder: Path, series: int) -> Plant:
        path, truth = cycles_file(folder, series)
        workspace = describe_file(folder, path)
        return cls(workspace, path, kept(workspace, truth).sort("series_id"))

    @property
    def kinds(self) -> pl.DataFrame:
        return self.truth.select("series_id", "kind")

    @property
    def series(self) -> pl.DataFrame:
        return pl.read_parquet(self.path)

    @property
    def planted(self) -> pl.DataFrame:
        """series_id, kind of all series, those too that rules reject or that cannot be real."""
        return pl.read_parquet(self.path.parent / "planted.parquet")

    @property
    def labelled(self) -> pl.DataFrame:
        return self.truth.filter(pl.col("machine_id").hash(1) % 3 > 0, pl.col("kind") != HELD_OUT)

    @property
    def asked(self) -> pl.DataFrame:
        """Of the machines without labels, what was said."""
        others = self.truth.filter(pl.col("machine_id").hash(1) % 3 == 0)
        return others.join(scores(self.workspace), on="series_id").rename({"kind_right": "likeliest"})

    def learn(self, kinds: pl.DataFrame) -> None:
        """Label these series, train, score all."""
        label(self.workspace, kinds.select("series_id", "kind"))
        tsclust.train(self.workspace.root)
        tsclust.score(self.workspace.root)

    def copy_to(self, root: Path) -> Workspace:
        """A copy of the workspace that a test may spoil."""
        return Workspace.open(Path(shutil.copytree(self.workspace.root, root)))

    def described_copy(self, root: Path) -> Workspace:
        """A copy of what was described, without what was learned from it."""
        copy = self.copy_to(root)
        for folder in (copy.stage(LABELS), copy.stage(MODEL), copy.stage(SCORES), copy.reports):
            shutil.rmtree(folder, ignore_errors=True)
        return copy


def folder_once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """A folder that the first worker to need it fills, for all workers of this run; for reading."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with FileLock(folder.with_suffix(".lock")):
        if not folder.with_suffix(".done").exists():
            folder.mkdir(exist_ok=True)
            fill(folder)
            folder.with_suffix(".done").touch()
    return folder


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Plant]) -> Plant:
    """A plant that is built once for all workers."""
    folder = folder_once(factory, name, lambda folder: build(folder).truth.write_parquet(folder / "truth.parquet"))
    (path,) = folder.glob("cycles-*.parquet")
    return Plant(Workspace.open(folder / "ws"), path, pl.read_parquet(folder / "truth.parquet"))


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """40,000 cycles, trained and scored. Labels are of two thirds of the machines, and none of one kind."""

    def build(folder: Path) -> Plant:
        made = Plant.described(folder, 40_000)
        made.learn(made.labelled)
        return made

    return built_once(tmp_path_factory, "plant", build)


@pytest.fixture
def plant_copy(plant: Plant, tmp_path: Path) -> Workspace:
    return plant.copy_to(tmp_path / "ws")


@pytest.fixture(scope="session")
def small_plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """12,000 cycles, all labelled, trained and scored: so few that rare kinds are hard to recognise."""

    def build(folder: Path) -> Plant:
        made = Plant.described(folder, 12_000)
        made.learn(made.kinds)
        return made

    return built_once(tmp_path_factory, "small-plant", build)


@pytest.fixture
def small_plant_copy(small_plant: Plant, tmp_path: Path) -> Workspace:
    return small_plant.copy_to(tmp_path / "ws")


@pytest.fixture(scope="session")
def described_plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """20,000 cycles, described; nobody has labelled any."""
    return built_once(tmp_path_factory, "described-plant", lambda folder: Plant.described(folder, 20_000))


@pytest.fixture
def unlabelled_copy(described_plant: Plant, tmp_path: Path) -> Workspace:
    return described_plant.copy_to(tmp_path / "ws")


def flip(truth: pl.DataFrame) -> pl.DataFrame:
    """series_id, kind: of 5 % another one."""
    rng, names = np.random.default_rng(1), truth["kind"].unique().sort()
    codes = truth["kind"].replace_strict(names.to_list(), range(len(names)), return_dtype=pl.Int64).to_numpy().copy()
    rows = rng.choice(len(codes), len(codes) // 20, replace=False)
    codes[rows] = (codes[rows] + rng.integers(1, len(names), len(rows))) % len(names)
    return truth.with_columns(kind=names.gather(codes))


@dataclass(frozen=True)
class Reviewed:
    """A workspace with labels of which 5 % are wrong, and a review of 6 of them in reports/: for reading.

    truth, wrong  series_id, kind as it is, and as it was labelled
    order         every label, the most suspicious first: see labels_review.rank
    """

    workspace: Workspace
    truth: pl.DataFrame
    wrong: pl.DataFrame
    order: pl.DataFrame


@pytest.fixture(scope="session")
def reviewed(described_plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    truth = described_plant.kinds
    wrong = flip(truth)

    def review(folder: Path) -> None:
        workspace = described_plant.copy_to(folder / "ws")
        label(workspace, wrong)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(classifier, "learn", remembered)
            labels_review.rank(workspace.root).write_parquet(folder / "order.parquet")
            done = tsclust.labels_review(workspace.root, limit=6)
        assert done.wrote == workspace.reports / "review.html"

    folder = folder_once(tmp_path_factory, "reviewed", review)
    return Reviewed(Workspace.open(folder / "ws"), truth, wrong, pl.read_parquet(folder / "order.parquet"))


@pytest.fixture
def learned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who trains again from the same labels gets the classifier of before: it is the same to the last bit, and what
    is chosen afterwards, such as the threshold, is what the test is about."""
    monkeypatch.setattr(classifier, "learn", remembered)


def remembered(examples: Examples, seed: int, *_: object) -> Learned:
    """classifier.learn, once for the same examples."""
    arrays = (examples.x, examples.kind, examples.weight, examples.machine.astype(str))
    told = repr((examples.kinds, seed, classifier.TREES)).encode() + b"".join(array.tobytes() for array in arrays)
    key = hashlib.sha256(told).hexdigest()
    if key not in _learned:
        _learned[key] = _learn(examples, seed)
    return _learned[key]


_learn = classifier.learn
_learned: dict[str, Learned] = {}
