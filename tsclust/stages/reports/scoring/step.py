"""What is normal for each baseline, as curves: read from series/ and features/, a few series of each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids
from tsclust.series import ID, VALUES, SeriesBlock
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import START
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.features.reference import MIN_SERIES
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.profile import unlikeness
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.groups.own_normal import EDGES, REACHED
from tsclust.stages.reports.groups.sample import SEED
from tsclust.stages.reports.step import read_chosen, starts_of
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

OF_ALL, OF_EACH = 400, 60  # series that a band is drawn from: of all, of a baseline or regime
POINTS = 240  # of a band, at most
BANDS = 600  # baselines that have one of their own, those of most normal series: more would not fit a page
Band = tuple[Int64s, Floats]  # samples after the start (t,); the low edge, the middle and the high edge (3, t)


def normal_bands(workspace: Workspace, model: ModelBundle) -> dict[int, Band]:
    """Row of the scaler's centers -> where 90 % of the normal series that are compared with it lie; 0: of all series.

    Raises StageMissingError where series/ and features/ are not of one making.
    """
    choose = partial(_choose, workspace.stage(SERIES), model)
    found = pl.concat(map_parts(choose, workspace.parts(FEATURES))).sort("hash", maintain_order=True)
    of_all = found.unique(ID, keep="first", maintain_order=True).head(OF_ALL).with_columns(which=pl.lit(0, pl.Int64))
    own = found.filter(pl.col("which").is_in(_most(found)), pl.int_range(pl.len()).over("which") < OF_EACH)
    chosen = pl.concat([of_all, own])
    if not len(chosen):
        return {}
    block = SeriesBlock.from_arrow(read_chosen(workspace, chosen, [ID, VALUES]))
    which, starts = chosen["which"].to_numpy(), starts_of(chosen)
    return {int(row): _band(block, np.flatnonzero(which == row), starts) for row in np.unique(which)}


def _most(found: pl.DataFrame) -> list[int]:
    """The baselines that have a band, by how many normal series they have; of as many the first."""
    of_part = found.filter(pl.col("which") > 0).unique(["part", "which"])
    many = of_part.group_by("which").agg(pl.col("many").sum()).filter(pl.col("many") >= MIN_SERIES)
    most: list[int] = many.sort("many", "which", descending=[True, False])["which"].head(BANDS).to_list()
    return most


def _choose(series: Path, model: ModelBundle, path: Path) -> pl.DataFrame:
    """series_id, which, start, hash, part, row of normal series of a part of features/, the first by their hashes;
    many: how many normal series the part has of the same `which`."""
    yardstick = model.yardstick
    rows = feature_parts.read(path, [*yardstick.features, START])
    kept = np.flatnonzero(rows.kept)
    own = FeatureRows(rows.ids, rows.x[:, :-1], rows.rejected_by)
    carried = series_parts.read_carried(series / path.name, yardstick.carried)
    keys = yardstick.keys(carried, len(rows))[kept]
    z = model.scaler.deviations(own.x[kept], keys)
    normal = unlikeness(z) <= model.profile.bins.levels[0]
    at = kept[normal]
    table = pl.DataFrame({ID: pl.Series(rows.ids.take(pa.array(at)))}).with_columns(
        which=pl.Series(model.scaler.compared_with(own.x[kept], keys)[normal], dtype=pl.Int64),
        start=pl.Series(rows.x[at, -1]), hash=pl.Series(hash_ids(rows.ids.take(pa.array(at)), SEED)),
        part=pl.lit(path.name), row=pl.Series(at, dtype=pl.Int64),
    ).with_columns(many=pl.len().over("which")).sort("hash", maintain_order=True)  # fmt: skip
    return table.filter((pl.int_range(pl.len()) < OF_ALL) | (pl.int_range(pl.len()).over("which") < OF_EACH))


def _band(block: SeriesBlock, rows: Int64s, starts: Int64s) -> Band:
    low, high = EDGES
    at, edges = curves.quantiles(block, rows, starts[rows], (low, 0.5, high), REACHED)
    every = np.unique(np.linspace(0, len(at) - 1, POINTS).astype(np.int64)) if len(at) > POINTS else np.arange(len(at))
    return at[every], np.stack(edges)[:, every]
