"""In what the shape of a group differs most from normal, for people."""

from __future__ import annotations

import numpy as np
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters.parts import GroupRow, Trait, group_rows
from tsclust.stages.clusters.shapes.curves import TypicalCurves

ALONG_ONE = 0.1  # the mean number of the members' curves is so near to that of one: nearly all are along it


def of(
    groups: pl.DataFrame, away: Floats, centers: pl.DataFrame, names: tuple[str, ...], found: TypicalCurves
) -> list[Trait]:
    """The trait of each group that differs: groups and away (g, d) as in `step.Swept`, centers as in centers.parquet,
    names (d,) of the measures."""
    curve_of = {(k, cluster): curve for k, cluster, curve in centers.select("k", "cluster", "curve").iter_rows()}
    rows = group_rows(groups)
    most = np.abs(away).argmax(axis=1)
    return [
        _trait(row, names[at], own[at] > 0, found, curve_of[row.k, row.cluster])
        for row, own, at in zip(rows, away, most.tolist(), strict=True)
        if own[at] != 0
    ]


def _trait(row: GroupRow, name: str, more: bool, found: TypicalCurves, curve: float) -> Trait:
    measure, _, stretch = name.partition("_")
    near = round(curve)
    if not stretch or abs(curve - near) > ALONG_ONE:
        return Trait(row.k, row.cluster, measure, bool(stretch), bool(more))
    borders: Int64s = found.borders[near] - found.borders[near, 0]
    first, last = int(borders[int(stretch) - 1]), int(borders[int(stretch)])
    return Trait(row.k, row.cluster, measure, True, bool(more), first, last)
