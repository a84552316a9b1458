"""Every k asked for: restarts on the coreset, the winners refined on all rows, all models in one pass."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tsclust.arrays import Floats, Grid, Int64s
from tsclust.stages.clusters import kernels
from tsclust.stages.clusters.coreset import Coreset
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


def best_starts(
    coreset: Coreset, ks: Sequence[int], restarts: int, seed: int, workers: int = 2
) -> Iterator[tuple[int, Floats]]:
    """(k, centers) for every k: the best of `restarts` K-means++ starts and a warm start from the k before."""
    distinct = len(coreset.rows)
    before: Floats | None = None
    # One thread per fit: several add up in an order of their own (scikit-learn #27518). Fits run side by side. OpenMP's
    # limit holds for the thread that sets it alone, BLAS's for the process.
    # Not map_parts: nothing goes over the parts, and the workers need that limit.
    alone = partial(threadpool_limits, 1, "openmp")
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers, initializer=alone) as pool:
        for k in ks:
            wanted = min(k, distinct)
            starts = [plus_plus(coreset, wanted, seed + 1_000 * k + i) for i in range(restarts)]
            if before is not None:
                starts.append(_add_worst_points(coreset, before, wanted))
            with fewer_clusters_allowed():
                before = min(pool.map(lambda init: fit(coreset, init), starts), key=lambda fit: fit[0])[1]
            yield k, before


def merge_down(coreset: Coreset, starts: Sequence[Floats]) -> list[Floats]:
    """The centers of every model, from many clusters to few, where two merged clusters of a larger model serve better.

    Restarts miss the best of many clusters by chance; what the larger model found, the smaller one need not miss.
    """
    best = list(starts)
    for j in range(len(best) - 2, -1, -1):
        if len(best[j]) < len(best[j + 1]):
            with threadpool_limits(1), fewer_clusters_allowed():
                before = fit(coreset, best[j])
                after = fit(coreset, _merge_to_k(coreset, best[j + 1], len(best[j])))
            best[j] = min(before, after, key=lambda fit: fit[0])[1]
    return best


def _merge_to_k(coreset: Coreset, centers: Floats, k: int) -> Floats:
    """`centers` with those merged, down to k, whose merging costs least (Ward 1963)."""
    away = [((coreset.rows - center) ** 2).sum(axis=1) for center in centers]
    weight = np.bincount(np.argmin(away, axis=0), coreset.weights, len(centers))
    while len(centers) > k:
        apart = ((centers[:, None] - centers[None]) ** 2).sum(axis=2)
        cost = apart * weight[:, None] * weight / np.maximum(weight[:, None] + weight, 1e-300)
        np.fill_diagonal(cost, np.inf)
        a, b = np.unravel_index(np.argmin(cost), cost.shape)
        middle = (weight[a] * centers[a] + weight[b] * centers[b]) / max(weight[a] + weight[b], 1e-300)
        centers = np.vstack([np.delete(centers, [a, b], axis=0), middle])
        weight = np.append(np.delete(weight, [a, b]), weight[a] + weight[b])
    return centers


@contextmanager
def fewer_clusters_allowed() -> Iterator[None]:
    """No warning for fewer clusters than asked: the sweep says so. Goes around threads: filters are the process's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


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
        _add_worst_points(coreset, means[j - 1], len(centers[j])) if rises else centers[j]
        for j, rises in enumerate(rising)
    ]
    return Models.of(models.ks, replaced)


def assign(rows: Grid, models: Models) -> Labels:
    """(n, models) the cluster of each row in each model."""
    labels = np.empty((len(rows), len(models.ks)), np.uint8)
    centers = models.centers * GRID
    half_norms = ((centers**2).sum(axis=1) / 2).astype(np.float32)
    kernels.assign(rows, np.ascontiguousarray(centers.T, dtype=np.float32), half_norms, models.offsets, labels)
    return labels


def accumulate(rows: Grid, labels: Labels, models: Models) -> ClusterSums:
    """The sums of one part."""
    c, d = models.centers.shape
    sums = ClusterSums(np.zeros(c, np.int64), np.zeros((c, d), np.int64), np.zeros(c, np.int64))
    kernels.accumulate(rows, labels, models.offsets, sums.count, sums.total, sums.squares)
    return sums


def plus_plus(coreset: Coreset, k: int, seed: int) -> Floats:
    """(k, d) a start by K-means++ (Arthur and Vassilvitskii 2007)."""
    centers, _ = kmeans_plusplus(coreset.rows, k, sample_weight=coreset.weights, random_state=seed)
    return np.asarray(centers)


def _add_worst_points(coreset: Coreset, centers: Floats, k: int) -> Floats:
    """`centers` and, up to k of them, the row that then costs most: what the smaller model explains worst."""
    while len(centers) < k:
        away = np.min([((coreset.rows - center) ** 2).sum(axis=1) for center in centers], axis=0)
        centers = np.vstack([centers, coreset.rows[np.argmax(away * coreset.weights)]])
    return centers[:k]


def fit(coreset: Coreset, init: Floats) -> tuple[float, Floats]:
    """(inertia, centers) of Lloyd's algorithm from `init` (k, d)."""
    model = KMeans(len(init), init=init, n_init=1, max_iter=100, algorithm="lloyd")
    model.fit(coreset.rows, sample_weight=coreset.weights)
    return float(model.inertia_), np.asarray(model.cluster_centers_)
