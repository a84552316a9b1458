"""A weighted sample that keeps the far points: where the restarts of every k run.

The lightweight coreset of Bachem, Lucic and Krause (KDD 2018): half of the chance is the same for all, half goes with
the squared distance from the mean. A row is taken or not by the hash of its series_id, so the sample is the same for
any order of rows and parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tsclust.arrays import Floats, Grid, Int64s, UInt64s
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.scaling import GRID


@dataclass(frozen=True)
class Moments:
    """Exact sums over rows: count, total (d,) and sum of |x|^2, in grid units."""

    count: int
    total: Int64s
    squares: int

    @classmethod
    def of(cls, rows: Distinct[np.int16]) -> Moments:
        wide = rows.rows.astype(np.int64)
        return cls(len(rows.at), rows.times @ wide, int(rows.times @ (wide * wide).sum(axis=1)))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True)
class Coreset:
    """Distinct rows (m, d) in scaled units with weights (m,), in the order of the hashes (m,) they were drawn by.

    times  (m,) how many rows that were drawn are this one: within the normal band many are the same
    """

    rows: Floats
    weights: Floats
    hashes: UInt64s
    times: Int64s

    @cached_property
    def grid(self) -> Grid:
        """(m, d) the rows on the grid."""
        return np.rint(self.rows * GRID).astype(np.int16)

    @cached_property
    def squares(self) -> float:
        """The sum of |x|^2 of all that the rows stand for."""
        return float(((self.rows**2).sum(axis=1) * self.weights).sum())


def draw(rows: Distinct[np.int16], hashes: UInt64s, moments: Moments, size: int) -> Coreset:
    """The rows of one part that belong to a coreset of about `size` rows of the whole."""
    mean = moments.total / moments.count
    away = ((rows.rows - mean) ** 2).sum(axis=1)
    spread = moments.squares - moments.count * float((mean * mean).sum())
    share = away / spread if spread > 0 else np.full(len(away), 1 / moments.count)
    chance = np.minimum(1.0, size * (0.5 / moments.count + 0.5 * share))[rows.at]
    taken = hashes.astype(np.float64) < chance * 2.0**64
    which = rows.at[taken]
    return Coreset(rows.rows[which] / GRID, 1 / chance[taken], hashes[taken], np.ones(len(which), np.int64))


def joined(pieces: list[Coreset]) -> Coreset:
    """One coreset of those of all parts: equal rows become one with the weight of all."""
    hashes = np.concatenate([p.hashes for p in pieces])
    order = np.argsort(hashes, kind="stable")
    rows: Floats = np.concatenate([p.rows for p in pieces])[order]
    weights: Floats = np.concatenate([p.weights for p in pieces])[order]
    same = Distinct.of(np.rint(rows * GRID).astype(np.int16))
    first = np.unique(same.at, return_index=True)[1]
    summed = np.bincount(same.at, weights).astype(np.float64)
    return Coreset(rows[first], summed, hashes[order][first], same.times)
