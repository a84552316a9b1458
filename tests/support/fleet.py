"""A workspace of few machines, each with a normal of its own, and a model of either classifier: what exports are held
against."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.endurance import times
from tests.support.plant import HELD_OUT, cycles_file, describe_file, folder_once, kept, label
from tsclust.stages.model import bundle, classifier
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.atomic import link_or_copy
from tsclust.workspace.folder import Workspace

ANSWERED = {"logistic": "97%", "trees": "95%"}  # classifier -> share of series: another one, so that it is trained anew
CLASSIFIERS = tuple(ANSWERED)
MACHINES = 5


@dataclass(frozen=True)
class Fleet:
    """folders: classifier -> a workspace that it was trained in and has scored; series: the file they came from."""

    folders: Path
    series: Path

    def workspace(self, classifier: str) -> Workspace:
        return Workspace.open(self.folders / classifier)

    def model(self, classifier: str) -> ModelBundle:
        return bundle.read(self.workspace(classifier).stage(MODEL))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = folder_once(tmp_path_factory, "fleet", fill)
    (series,) = folder.glob("cycles-*.parquet")
    return Fleet(folder, series)


def fill(folder: Path) -> None:
    """The workspaces of a fleet into a folder."""
    path, truth = cycles_file(folder, times(3_000, 20_000), of_machines=MACHINES)
    workspace = describe_file(folder, path)
    known = kept(workspace, truth).filter(pl.col("kind") != HELD_OUT)
    wrong = pl.when(pl.col("series_id") % 29 == 0).then(pl.lit("stiff drive")).otherwise(pl.col("kind"))
    label(workspace, known.select("series_id", kind=wrong))  # so that nothing is sure
    for name, answer in ANSWERED.items():
        with pytest.MonkeyPatch.context() as patch:
            only = {n: e for n, e in classifier.candidates(1).items() if name in n}
            patch.setattr(classifier, "candidates", lambda seed, only=only: only)
            tsclust.train(workspace.root, {"train": {"answer": answer}})
        tsclust.score(workspace.root)
        shutil.copytree(workspace.root, folder / name, copy_function=link_or_copy)
