"""Bundles of models of every sort, and series for them: what the tests of the Scorer share."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.plant import cycles_file, describe_file, folder_once, kept, label
from tsclust import Scorer
from tsclust.stages.model import classifier
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.folder import Workspace

OWN = '''"""Mine."""
import numpy as np


def swing(x):
    """How far it swings.

    Unit: value
    """
    return np.abs(np.diff(x)).max()


def slowly(x):
    """What numba does not compile."""
    return float(sorted(x.tolist())[len(x) // 3])
'''


@dataclass(frozen=True)
class Trained:
    """A workspace, bundles of it by name, and a table of other series, ordinary and odd."""

    workspace: Workspace
    bundles: Path
    new: pa.Table

    def scorer(self, name: str) -> Scorer:
        return Scorer.open(self.bundles / name, allow_features=name == "features")

    def changed(self, folder: Path, change: Callable[[dict[str, Any]], object], name: str = "logistic") -> Path:
        """A copy of a bundle in a folder, with its manifest changed."""
        shutil.copytree(self.bundles / name, folder)
        about = json.loads((folder / "manifest.json").read_text())
        change(about)
        (folder / "manifest.json").write_text(json.dumps(about))
        return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = folder_once(tmp_path_factory, "bundles", train_all)
    return Trained(Workspace.open(folder / "ws"), folder / "bundles", odd(pq.read_table(folder / "cycles-2.parquet")))


def train_all(folder: Path) -> None:
    """ws, bundles by name and other series into a folder."""
    path, truth = cycles_file(folder, 6_000)
    workspace = describe_file(folder, path)
    label(workspace, kept(workspace, truth).select("series_id", "kind"))
    for name, which in (("logistic", "logistic"), ("trees", "trees"), ("features", "logistic")):
        if name == "features":
            (workspace.root / "own.py").write_text(OWN, encoding="utf-8")
            text = workspace.config.read_text(encoding="utf-8")
            workspace.config.write_text(text.replace('extra = ""', 'extra = "own.py"'), encoding="utf-8")
            tsclust.features(workspace.root)
        with pytest.MonkeyPatch.context() as patch:
            only = {n: e for n, e in classifier.candidates(1).items() if which in n}
            patch.setattr(classifier, "candidates", lambda seed, only=only: only)
            tsclust.train(workspace.root, {"train": {"answer": "99%" if name == "trees" else "98%"}})
        shutil.copytree(workspace.stage(MODEL), folder / "bundles" / name)
    cycles_file(folder, 400, seed=2)


def odd(table: pa.Table) -> pa.Table:
    """The table with some of its series spoilt in every way there is."""
    values = table["values"].to_pylist()
    for i, spoilt in enumerate(
        ([], None, [float("nan")] * 40, [1.0] * 50, [0.0, 1.0], [1e308, -1e308] * 20, [None, *values[6][1:]])
    ):
        values[3 * i] = spoilt
    values[1][20:23] = [float("nan"), float("inf"), None]
    column = pa.array(values, table.schema.field("values").type)
    machines = table["machine_id"].to_pylist()
    machines[5], machines[6] = None, "nobody knows it"
    table = table.set_column(table.column_names.index("values"), "values", column)
    return table.set_column(table.column_names.index("machine_id"), "machine_id", pa.array(machines))
