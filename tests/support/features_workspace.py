"""Workspaces with series and features, but no groups, for the tests of the page of the features."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import machine_cycles
from tsclust.config import Cluster
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.reports.features.data import FeaturesData
from tsclust.stages.reports.features.page import render
from tsclust.stages.reports.features.step import collect
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import MANIFEST, sealed

SERIES_MADE = 6_000


# Compared with all: a limit that follows what is typical is one line then.
RULES = """
[cluster]
baseline = []
[[rule]]
name = "gaps"
when = "n_missing > 0.03 * n_values"
reason = "Values are missing: the recorder lost some"
[[rule]]
name = "high"
when = "peak_height > typical_peak_height + 3 * spread_peak_height"
reason = "Higher than the sensor can measure"
[[rule]]
name = "never"
when = "run_length > 10000 OR peak_height < 0 AND side_mean < 0"
reason = "No run is that long"
"""


# Labels of one plot that touch each other.
TOUCHING = """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
  const boxes = [...plot.querySelectorAll("span")].map((e) => [e.textContent, e.getBoundingClientRect()]);
  return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
    p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 2 && q.top < p.bottom - 2)
    .map(([b]) => [plot.closest(".card").querySelector("h3").textContent, a, b]));
})"""


def describe_table(root: Path, table: pa.Table | None = None, part_rows: int = 65_536, toml: str = RULES) -> Workspace:
    """A workspace with series (of the made mechanism, if none are given) and features, but no groups."""
    root.mkdir(parents=True)
    source = root.parent / "cycles.parquet"
    pq.write_table(machine_cycles(SERIES_MADE)[0] if table is None else table, source)
    (root / "tsclust.toml").write_text(f"[source]\npart_rows = {part_rows}\n" + toml, encoding="utf-8")
    tsclust.extract(root, {"source": {"files": str(source)}})
    tsclust.features(root)
    return Workspace.open(root)


def data_of(workspace: Workspace, baseline: tuple[str, ...] = ("machine_id",)) -> FeaturesData:
    constants = FeatureFiles.of(workspace).typical.constants
    return collect(workspace, "", constants, Cluster(baseline=baseline))


EXTREMES = {
    "large": 1e17 + 16 * np.arange(5),
    "ulps": 1e6 + 2.0**-33 * np.arange(5),
    "halves": 2.0**50 - 1 - np.arange(5),
    "tiny": 1e-310 * np.arange(5),
    "tiny_equal": np.full(5, 1e-310),
    "tiny_bulk": np.array([1e-310] * 3_000 + [2e-310] * 9 + [1.0] * 9),
    "span": np.array([-1.7e308, -1.0, 0.0, 1.0, 1.7e308]),
    "huge": np.array([1.6e308, 1.7e308, np.finfo(float).max]),
    "wild": np.array([0.0] * 3_000 + [1e-9] * 99 + [-1.7e308, 1.7e308] * 9),
}


@pytest.fixture(scope="session")
def features_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return describe_table(tmp_path_factory.mktemp("features") / "ws", part_rows=1_000)


@pytest.fixture(scope="session")
def features_data(features_workspace: Workspace) -> FeaturesData:
    return data_of(features_workspace)


@pytest.fixture(scope="session")
def features_pages(features_data: FeaturesData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for lang in ("en", "ru"):
        (folder / f"{lang}.html").write_text(render(features_data, lang), encoding="utf-8")
    return {lang: folder / f"{lang}.html" for lang in ("en", "ru")}


def rewrite(part: Path, table: pa.Table) -> None:
    """Another content of a part, as if its stage had been written with it."""
    pq.write_table(table, part)
    manifest = part.parent / MANIFEST
    about = json.loads(manifest.read_text(encoding="utf-8"))
    about["outputs"][part.name] = hashlib.sha256(part.read_bytes()).hexdigest()
    del about["sha256"]
    manifest.write_text(sealed(json.dumps(about, indent=2)), encoding="utf-8")
