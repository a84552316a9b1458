"""Described cycles whose kinds are known, and labels of them without an expert: for the tests of what is learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

import tsclust
from tsclust.simulation import machines
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files, resolution
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, Stage

BASELINE = ["machine_id", "direction"]
FLAGS: dict[str, Any] = {"cluster": {"baseline": BASELINE}}


def cycles(folder: Path, series: int = 20_000, seed: int = 1) -> tuple[Path, pl.DataFrame]:
    """(a Parquet file of made cycles, series_id and kind of each): no column of the file tells the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    path, truths = folder / f"cycles-{seed}.parquet", []
    with pq.ParquetWriter(path, machines.SCHEMA) as writer:
        for batch, truth in machines.make(series, seed):
            writer.write_batch(batch)
            truths.append(pl.DataFrame(truth))
    return path, pl.concat(truths)


def described(folder: Path, path: Path) -> Workspace:
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
