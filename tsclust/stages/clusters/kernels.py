"""What the sweep does to every row of a part, for all models of the sweep at once.

A row is d int16 numbers on the grid of `scale`. The centers of all models stand side by side in one matrix, model j has
columns offsets[j]:offsets[j + 1]. Sums are of integers, so they are the
same in any order, for any parts and threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Grid
from tsclust.stages.clusters.scaling import GRID

UNIT = 2**20  # silhouettes and distances are summed in integers of 1 / 2**20


Labels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Single = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan", "ninf"})
def assign(rows: Grid, centers: Single, half_norms: Single, offsets: Ints, labels: Labels) -> None:
    """Nearest center of every model for every row.

    rows (n, d), centers (d, c) and half_norms (c,), |center|^2 / 2, in grid units; labels (n, models) is filled.
    """
    score = np.empty(centers.shape[1], np.float32)
    for i in range(rows.shape[0]):
        score[:] = half_norms
        for j in range(rows.shape[1]):
            x = np.float32(rows[i, j])
            if x != 0:
                for c in range(len(score)):
                    score[c] -= x * centers[j, c]
        for m in range(len(offsets) - 1):
            best = offsets[m]
            for c in range(offsets[m] + 1, offsets[m + 1]):
                if score[c] < score[best]:
                    best = c
            labels[i, m] = best - offsets[m]


@njit(cache=True, nogil=True)
def accumulate(rows: Grid, labels: Labels, offsets: Ints, count: Ints, total: Ints, squares: Ints) -> None:
    """Add each row to its cluster of every model: count (c,), total (c, d) and squares (c,), sum of |x|^2."""
    for i in range(rows.shape[0]):
        square = np.int64(0)
        for j in range(rows.shape[1]):
            square += np.int64(rows[i, j]) * np.int64(rows[i, j])
        for m in range(len(offsets) - 1):
            c = offsets[m] + labels[i, m]
            count[c] += 1
            if square > 0:
                squares[c] += square
                for j in range(rows.shape[1]):
                    total[c, j] += rows[i, j]


@njit(cache=True, nogil=True)
def silhouette_sums(
    rows: Grid,
    labels: Labels,
    offsets: Ints,
    count: Ints,
    means: Double,
    squares: Double,
    silhouette: Ints,
    scatter: Ints,
) -> None:
    """Add each row's silhouette (squared Euclidean) and distance to its mean to its cluster, in 1 / UNIT.

    means (d, c) and squares (c,), mean |x|^2, of the clusters in scaled units. The mean squared distance from x to the
    members of a cluster is |x|^2 - 2 x.mean + squares; the own cluster leaves x itself out.
    """
    away = np.empty(means.shape[1])
    for i in range(rows.shape[0]):
        square = 0.0
        away[:] = squares
        for j in range(rows.shape[1]):
            x = rows[i, j] / GRID
            if x != 0:
                square += x * x
                for c in range(len(away)):
                    away[c] -= 2 * x * means[j, c]
        for m in range(len(offsets) - 1):
            own = offsets[m] + labels[i, m]
            silhouette[own] += np.int64(round(_silhouette(away, square, offsets[m], offsets[m + 1], own, count) * UNIT))
            norm = 0.0
            for j in range(rows.shape[1]):
                norm += means[j, own] * means[j, own]
            scatter[own] += np.int64(round(np.sqrt(max(square + away[own] - squares[own] + norm, 0.0)) * UNIT))


@njit(cache=True, nogil=True)
def _silhouette(away: Double, square: float, low: int, high: int, own: int, count: Ints) -> float:
    """Rousseeuw's s(x) for one row; 0 for a cluster of one, as in scikit-learn, and where there is no other cluster."""
    if count[own] <= 1:
        return 0.0
    a = max(square + away[own], 0.0) * count[own] / (count[own] - 1)
    b = np.inf
    for c in range(low, high):
        if c != own and count[c] > 0:
            b = min(b, max(square + away[c], 0.0))
    if not np.isfinite(b) or max(a, b) == 0:
        return 0.0
    return float((b - a) / max(a, b))


@njit(cache=True, nogil=True)
def overlaps(labels: Labels, offsets: Ints, shared: Ints) -> None:
    """Add to shared (c, c): rows that two clusters of different models have in common (upper triangle)."""
    models = len(offsets) - 1
    cluster = np.empty(models, np.int64)
    for i in range(labels.shape[0]):
        for m in range(models):
            cluster[m] = offsets[m] + labels[i, m]
        for m in range(models):
            for o in range(m + 1, models):
                shared[cluster[m], cluster[o]] += 1


@njit(cache=True, nogil=True)
def add_features(steps: Ints, labels: Labels, offsets: Ints, total: Ints) -> None:
    """Add each row of steps (n, d) to its cluster of every model in total (c, d)."""
    for i in range(steps.shape[0]):
        for m in range(len(offsets) - 1):
            c = offsets[m] + labels[i, m]
            for j in range(steps.shape[1]):
                total[c, j] += steps[i, j]
