"""Groups of two sweeps over the same series, by features and by shapes, in one list.

They share the list by what each adds: the next group is the one worth most for what was not shown yet, whichever sweep
has found it, and a set of series that both have found is there once.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.engine.base import map_parts
from tsclust.stages.clusters import groups, membership, parts, proposal
from tsclust.stages.clusters.parts import SAME_SET, SHAPES, GroupRow

CANDIDATES = 120  # groups of each sweep that are compared, the first in their order
OF_SHAPES = 0.55  # of its worth: shapes have more measures, and each of them some series that are far off by chance
RARE = 0.005  # of all series: of a larger group the worth falls with the root of its share, tails of normal are large
CHUNK = 16_384  # rows counted at a time; float32 counts exactly up to 2**24


def together(
    clusters: Path, features: tuple[pl.DataFrame, Floats], shapes: tuple[pl.DataFrame, Floats], most: int, rows: int
) -> pl.DataFrame:
    """The groups of the sweep over features in the folder `clusters` and of that over shapes in it, most worth looking
    at first, at most `most` of them proposed.

    features, shapes: groups and how far each is from normal, as in `step.Swept`; rows: series in all
    """
    main = parts.group_rows(features[0])
    other = parts.group_rows(shapes[0].with_columns(within=pl.lit(SHAPES, pl.Int64)))
    first = [*range(min(len(main), CANDIDATES))]
    added = [at for at, one in enumerate(other) if not one.normal][:CANDIDATES]
    found = [*(main[at] for at in first), *(other[at] for at in added)]
    size, shared = np.array([one.size for one in found]), shared_rows(clusters, found)
    there = _once(found, size, shared)
    alike = _alike(features[1][first], shapes[1][added], size, shared)[np.ix_(there, there)]
    found, size, shared = [found[i] for i in there], size[there], shared[np.ix_(there, there)]
    worth = np.array([_worth(one, rows) for one in found])
    order = groups.ordered(worth, size, shared, alike)
    shown = proposal.proposed(order, size, shared, rows, most)
    listed = [(found[o], o in shown) for o in order] + [(one, False) for one in main[CANDIDATES:]]
    return _table(listed)


def _worth(one: GroupRow, rows: int) -> float:
    of_its_view = OF_SHAPES if one.within == SHAPES else 1.0
    common = math.sqrt(min(1.0, RARE * rows / max(one.size, 1)))
    return one.worth * of_its_view * common


def shared_rows(clusters: Path, found: list[GroupRow]) -> Int64s:
    """(g, g) how many series two groups have in common, counted over all parts."""
    names = [path.name for path in parts.assignments(clusters)]
    counts = map_parts(partial(_count, clusters, found), names)
    return sum(counts, np.zeros((len(found), len(found)), np.int64))


def _count(clusters: Path, found: list[GroupRow], part: str) -> Int64s:
    refs = [one.ref for one in found]
    inside = membership.read_of_all(clusters, part, refs)[1].astype(np.float32)
    shared = np.zeros((len(refs), len(refs)), np.int64)
    for at in range(0, len(inside), CHUNK):
        rows = inside[at : at + CHUNK]
        shared += (rows.T @ rows).astype(np.int64)
    return shared


def _once(found: list[GroupRow], size: Int64s, shared: Int64s) -> list[int]:
    """Without the groups of shapes that are the same set of series as one of features."""
    union = size[:, None] + size[None, :] - shared
    same = shared > SAME_SET * union
    features = np.array([one.within is None for one in found])
    return [i for i, one in enumerate(found) if one.within is None or not (same[i] & features).any()]


def _alike(one: Floats, other: Floats, size: Int64s, shared: Int64s) -> Floats:
    """How much of a group (row) was seen with another (column): of two of one sweep, which differ from normal by the
    same measures, by their direction; of one from each, by the share of its series that are in the other."""
    alike: Floats = shared / np.maximum(size, 1)[:, None]
    alike[: len(one), : len(one)] = groups.alike_ways(one)
    alike[len(one) :, len(one) :] = groups.alike_ways(other)
    return alike


def _table(listed: list[tuple[GroupRow, bool]]) -> pl.DataFrame:
    """groups.parquet, numbered from 1 on; a parent that is not listed is none."""
    numbers = {(one.within, one.group): number for number, (one, _) in enumerate(listed, start=1)}
    return parts.groups_table(
        [
            replace(one, group=number, parent=numbers.get((one.within, one.parent or 0)), proposed=proposed)
            for number, (one, proposed) in enumerate(listed, start=1)
        ]
    )
