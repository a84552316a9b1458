"""Every k asked for: the best of the restarts on the coreset refined on all rows, all models in one pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Grid, Int64s
from tsclust.stages.clusters import kernels
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.scaling import GRID

MAX_ITER = 5  # rounds of Lloyd's algorithm on all rows, at most
ROUNDING = 1e-12  # of the sum of squares: what is lost when floats are added up
TOL = 1e-3  # scaled units: centers that move less have arrived


@dataclass(frozen=True)
class Models:
    """The models of a sweep side by side: c centers in all, model j has rows offsets[j]:offsets[j + 1].

    ks (models,) ascending, offsets (models + 1,), centers (c, d) in scaled units
    """

    ks: tuple[int, ...]
    offsets: Int64s
    centers: Floats

    @classmethod
    def of(cls, ks: Sequence[int], centers: Sequence[Floats]) -> Models:
        return cls(tuple(ks), np.cumsum([0, *map(len, centers)]), np.concatenate(centers))

    def split(self, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """(c, ...) values of all clusters side by side -> those of each model."""
        return np.split(values, self.offsets[1:-1])


@dataclass(frozen=True)
class ClusterSums:
    """Exact sums over the members of each of c clusters, in grid units: count (c,), total (c, d), squares (c,)."""

    count: Int64s
    total: Int64s
    squares: Int64s

    def __add__(self, other: ClusterSums) -> ClusterSums:
        return ClusterSums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def means(self) -> Floats:
        """(c, d) in scaled units; 0 for an empty cluster."""
        means: Floats = self.total / np.maximum(self.count, 1)[:, None] / GRID
        return means

    @property
    def mean_squares(self) -> Floats:
        """(c,) mean |x|^2 in scaled units."""
        squares: Floats = self.squares / np.maximum(self.count, 1) / GRID**2
        return squares

    @property
    def inertia(self) -> Floats:
        """(c,) sum of squared distances of the members from their mean, in scaled units."""
        inertia: Floats = self.count * np.maximum(self.mean_squares - (self.means**2).sum(axis=1), 0.0)
        return inertia


def refine(
    models: Models, pass_over: Callable[[Models], ClusterSums], coreset: Coreset
) -> Iterator[tuple[Models, ClusterSums]]:
    """Rounds of Lloyd's algorithm on all rows; `pass_over` assigns every row and adds up. Last yielded is the result:
    models whose centers made the assignment that the sums belong to, of an inertia that does not rise with k."""
    for refined in _rounds(models, pass_over):
        models, sums = refined
        yield refined
    for _ in models.ks:  # what is replaced once may be too much for the next
        if not any(rising := _rising(models, sums)):
            return
        models = _replace_rising(models, sums, rising, coreset)
        sums = pass_over(models)
        yield models, sums


def _rounds(models: Models, pass_over: Callable[[Models], ClusterSums]) -> Iterator[tuple[Models, ClusterSums]]:
    for _ in range(MAX_ITER):
        sums = pass_over(models)
        means = np.where(sums.count[:, None] > 0, sums.means, models.centers)
        moved = np.abs(means - models.centers).max()
        yield models, sums
        if moved < TOL:
            return
        models = Models(models.ks, models.offsets, means)
    yield models, pass_over(models)


def _rising(models: Models, sums: ClusterSums) -> list[bool]:
    """Of each model whether it explains less than the one before it, with fewer clusters."""
    inertia = [part.sum() for part in models.split(sums.inertia)]
    slack = ROUNDING * float((sums.count * sums.mean_squares)[: models.offsets[1]].sum())
    return [False, *(bool(after > before + slack) for before, after in itertools.pairwise(inertia))]


def _replace_rising(models: Models, sums: ClusterSums, rising: list[bool], coreset: Coreset) -> Models:
    """In place of a model that explains too little, the one before it with what that explains worst as one more."""
    means = models.split(np.where(sums.count[:, None] > 0, sums.means, models.centers))
    centers = models.split(models.centers)
    replaced = [
        add_worst_points(coreset, means[j - 1], len(centers[j])) if rises else centers[j]
        for j, rises in enumerate(rising)
    ]
    return Models.of(models.ks, replaced)


def assign(rows: Grid, models: Models) -> Labels:
    """(n, models) the cluster of each row in each model."""
    labels = np.empty((len(rows), len(models.ks)), np.uint8)
    centers = models.centers * GRID
    kernels.assign(rows, np.ascontiguousarray(centers.T), (centers**2).sum(axis=1) / 2, models.offsets, labels)
    return labels


def accumulate(rows: Distinct[np.int16], labels: Labels, models: Models) -> ClusterSums:
    """The sums of one part, of whose u different rows these are the labels (u, models)."""
    c, d = models.centers.shape
    sums = ClusterSums(np.zeros(c, np.int64), np.zeros((c, d), np.int64), np.zeros(c, np.int64))
    kernels.accumulate(rows.rows, rows.times, labels, models.offsets, sums.count, sums.total, sums.squares)
    return sums


def add_worst_points(coreset: Coreset, centers: Floats, k: int) -> Floats:
    """`centers` and, up to k of them, the row that then costs most: what the smaller model explains worst."""
    while len(centers) < k:
        nearest = centers[assign(coreset.grid, Models.of([0], [centers]))[:, 0]]
        cost = ((coreset.rows - nearest) ** 2).sum(axis=1) * coreset.weights
        centers = np.vstack([centers, coreset.rows[np.argmax(cost)]])
    return centers[:k]
