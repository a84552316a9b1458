"""Points whose clusters are known, as parts and as coresets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tsclust.arrays import Floats, Int64s, UInt64s
from tsclust.hashing import hash_ids
from tsclust.stages.clusters import stability
from tsclust.stages.clusters.coreset import Coreset, joined
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import Models


def coreset_of(x: Floats, weights: Floats | None = None) -> Coreset:
    hashes = np.arange(len(x), dtype=np.uint64)
    weights = np.ones(len(x)) if weights is None else weights
    return joined([Coreset(np.rint(x * GRID) / GRID, weights, hashes, np.ones(len(x), np.int64))])


def stabilities(coreset: Coreset, models: Models, resamples: int = 5, workers: int = 2) -> list[Floats]:
    each = [*stability.stability(coreset, models, resamples, 7, workers)]
    return models.split(np.mean(each, axis=0))


@dataclass(frozen=True)
class Rows:
    """Scaled rows of one part in memory: see passes.ScaledRows."""

    distinct: Distinct[np.int16]
    hashes: UInt64s


Parts = list[Rows]


def blobs(rows: int = 3_000, seed: int = 0) -> Floats:
    """(rows, 4) points: one large mass at the origin, four small blobs away from it, on the grid."""
    rng = np.random.default_rng(seed)
    center = rng.normal(0, 6, (5, 4)) * (np.arange(5) > 0)[:, None]
    x = center[rng.choice(5, rows, p=[0.9, 0.04, 0.03, 0.02, 0.01])] + rng.normal(0, 0.3, (rows, 4))
    return np.rint(x * GRID) / GRID


def in_parts(x: Floats, sizes: list[int], order: Int64s | None = None) -> Parts:
    hashes = hash_ids(pa.array(range(len(x))), 1)
    order = np.arange(len(x)) if order is None else order
    grid, hashes = (x[order] * GRID).astype(np.int16), hashes[order]
    cuts = np.cumsum([0, *sizes, len(x) - sum(sizes)])
    return [Rows(Distinct.of(grid[a:b]), hashes[a:b]) for a, b in itertools.pairwise(cuts)]
