"""What the sweep does to every row of a part, for all models of the sweep at once.

A row is d int16 numbers on the grid of `scale`, most of them 0. The centers of all models stand side by side in one
matrix, model j has columns offsets[j]:offsets[j + 1]. Sums are of integers, so they are the same in any order, for any
parts and threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Grid
from tsclust.stages.clusters.scaling import GRID

UNIT = 2**20  # silhouettes and distances are summed in integers of 1 / 2**20
NUMBER = 255  # the bits of a score that say which center it is of: a model has no more
FAR, LEAST = 1e300, 1e-300  # no distance is as far, none but 0 as small

Labels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Words = npt.NDArray[np.int16] | npt.NDArray[np.uint8]
Double = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def distinct(rows: Words, at: Places, first: Places) -> int:
    """Of rows (n, d) the equal ones once: fill at (n,), which of the distinct ones each is, and first (n,), where each
    of those stands first. How many there are."""
    size = 16
    while size < 2 * len(rows):
        size *= 2
    slots, found = np.full(size, -1, np.int32), 0
    for i in range(len(rows)):
        slot = _hash(rows[i]) & (size - 1)
        while slots[slot] >= 0 and not _equal(rows[i], rows[first[slots[slot]]]):
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot], first[found] = found, i
            found += 1
        at[i] = slots[slot]
    return found


@njit(cache=True, nogil=True)
def _hash(row: Words) -> int:
    """Fowler, Noll and Vo's, word by word."""
    found = np.uint64(0xCBF29CE484222325)
    for word in row:
        found = (found ^ np.uint64(word)) * np.uint64(0x100000001B3)
    return int((found ^ (found >> np.uint64(32))) & np.uint64(0xFFFFFFFF))


@njit(cache=True, nogil=True)
def _equal(one: Words, other: Words) -> bool:
    j = 0
    while j < len(one) and one[j] == other[j]:
        j += 1
    return j == len(one)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan", "ninf"})
def assign(rows: Grid, centers: Double, half_norms: Double, offsets: Ints, labels: Labels) -> None:
    """Nearest center of every model for every row.

    rows (n, d), centers (d, c) and half_norms (c,), |center|^2 / 2, in grid units; labels (n, models) is filled.
    Each score carries the number of its center in its last 8 bits, so that the least score names the nearest: then the
    whole is done by wide instructions.
    """
    score, least, number = np.empty(len(half_norms)), np.empty(len(offsets) - 1), np.empty(len(half_norms), np.int64)
    score_bits, least_bits = score.view(np.int64), least.view(np.int64)
    for m in range(len(least)):
        number[offsets[m] : offsets[m + 1]] = np.arange(offsets[m + 1] - offsets[m])
    for i in range(rows.shape[0]):
        score[:] = half_norms
        for j in range(rows.shape[1]):
            if rows[i, j] != 0:
                x = float(rows[i, j])
                for c in range(len(score)):
                    score[c] -= x * centers[j, c]
        for c in range(len(score)):
            score_bits[c] = score_bits[c] & ~NUMBER | number[c]
        for m in range(len(least)):
            low = FAR  # not infinite: the compiler is promised that nothing is
            for c in range(offsets[m], offsets[m + 1]):
                low = min(low, score[c])
            least[m] = low
        for m in range(len(least)):
            labels[i, m] = least_bits[m] & NUMBER


@njit(cache=True, nogil=True)
def accumulate(
    rows: Grid, times: Ints, labels: Labels, offsets: Ints, count: Ints, total: Ints, squares: Ints
) -> None:  # fmt: skip
    """Add each row, times (n,) over, to its cluster of every model: count (c,), total (c, d) and squares (c,), sum of
    |x|^2."""
    there, what = np.empty(rows.shape[1], np.int64), np.empty(rows.shape[1], np.int64)
    for i in range(rows.shape[0]):
        filled, square = 0, 0
        for j in range(rows.shape[1]):
            if rows[i, j] != 0:
                there[filled], what[filled] = j, times[i] * rows[i, j]
                square += what[filled] * rows[i, j]
                filled += 1
        for m in range(len(offsets) - 1):
            c = offsets[m] + labels[i, m]
            count[c] += times[i]
            squares[c] += square
            for f in range(filled):
                total[c, there[f]] += what[f]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan"})
def silhouette_sums(
    rows: Grid,
    times: Ints,
    labels: Labels,
    offsets: Ints,
    count: Ints,
    means: Double,
    squares: Double,
    silhouette: Ints,
    scatter: Ints,
) -> None:
    """Add each row's silhouette (squared Euclidean) and distance to its mean, times (n,) over, to its cluster, in
    1 / UNIT.

    means (d, c) and squares (c,), mean |x|^2, of the clusters in scaled units. The mean squared distance from x to the
    members of a cluster is |x|^2 - 2 x.mean + squares; the own cluster leaves x itself out. Rousseeuw's s(x) is 0 for a
    cluster of one, as in scikit-learn, and where there is no other cluster.
    """
    models = len(offsets) - 1
    start, norms, away = np.where(count > 0, squares, FAR), (means * means).sum(axis=0), np.empty(len(squares))
    near, other, off = np.empty(models), np.empty(models), np.empty(models)
    for i in range(rows.shape[0]):
        square = 0.0
        away[:] = start
        for j in range(rows.shape[1]):
            if rows[i, j] != 0:
                x = rows[i, j] / GRID
                square += x * x
                for c in range(len(away)):
                    away[c] -= 2 * x * means[j, c]
        for m in range(models):
            own = offsets[m] + labels[i, m]
            inside, away[own] = away[own], FAR
            low = FAR
            for c in range(offsets[m], offsets[m + 1]):
                low = min(low, away[c])
            away[own] = inside
            near[m] = max(square + inside, 0.0) * count[own] / max(count[own] - 1, 1)
            other[m] = near[m] if low > FAR / 2 or count[own] <= 1 else max(square + low, 0.0)
            off[m] = square + inside - squares[own] + norms[own]
        for m in range(models):
            near[m] = np.rint((other[m] - near[m]) / max(near[m], other[m], LEAST) * UNIT)
            off[m] = np.rint(np.sqrt(max(off[m], 0.0)) * UNIT)
        for m in range(models):
            own = offsets[m] + labels[i, m]
            silhouette[own] += times[i] * np.int64(near[m])
            scatter[own] += times[i] * np.int64(off[m])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan"})
def distance_sums(rows: Grid, columns: Double, times: Ints, labels: Labels, sums: Double) -> None:
    """Add to sums (n, k) the distances of each row from those of each cluster, each times (n,) over, in grid units.

    rows (n, d), columns (d, n) the same; their squares are whole numbers, so no distance loses anything by them.
    """
    norms = (columns * columns).sum(axis=0)
    away = np.empty(len(rows))
    for i in range(len(rows)):
        for o in range(i + 1, len(rows)):
            away[o] = norms[i] + norms[o]
        for j in range(rows.shape[1]):
            if rows[i, j] != 0:
                x = 2.0 * rows[i, j]
                for o in range(i + 1, len(rows)):
                    away[o] -= x * columns[j, o]
        for o in range(i + 1, len(rows)):
            away[o] = np.sqrt(max(away[o], 0.0))
        for o in range(i + 1, len(rows)):
            sums[i, labels[o]] += times[o] * away[o]
            sums[o, labels[i]] += times[i] * away[o]


@njit(cache=True, nogil=True)
def overlaps(labels: Labels, times: Ints, offsets: Ints, shared: Ints) -> None:
    """Add to shared (c, c): rows, each times (n,) over, that two clusters of different models have in common (upper
    triangle)."""
    models = len(offsets) - 1
    cluster = np.empty(models, np.int64)
    for i in range(labels.shape[0]):
        for m in range(models):
            cluster[m] = offsets[m] + labels[i, m]
        for m in range(models):
            for o in range(m + 1, models):
                shared[cluster[m], cluster[o]] += times[i]


@njit(cache=True, nogil=True)
def add_up(steps: Ints, at: Places, total: Ints) -> None:
    """Add each row of steps (n, d) to the row at (n,) of total."""
    for i in range(len(steps)):
        for j in range(steps.shape[1]):
            total[at[i], j] += steps[i, j]


@njit(cache=True, nogil=True)
def add_features(steps: Ints, labels: Labels, offsets: Ints, total: Ints) -> None:
    """Add each row of steps (n, d) to its cluster of every model in total (c, d)."""
    for i in range(steps.shape[0]):
        for m in range(len(offsets) - 1):
            c = offsets[m] + labels[i, m]
            for j in range(steps.shape[1]):
                total[c, j] += steps[i, j]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan"})
def plus_plus(columns: Double, weights: Double, chances: Double, chosen: Ints) -> None:
    """Fill chosen (k,), rows by K-means++: of those that chances (k, trials) draw, far and heavy ones more likely, the
    one each time that leaves least. columns (d, m), weights (m,)."""
    near, nearer = np.ones(len(weights)), np.empty(len(weights))  # at first only the weights count
    for k in range(len(chosen)):
        sums, least = np.cumsum(near * weights), np.inf
        for chance in chances[k] if k > 0 else chances[k, :1]:
            row = min(np.searchsorted(sums, chance * sums[-1]), len(sums) - 1)
            away = _from_row(columns, row)
            if k > 0:
                away = np.minimum(away, near)
            left = (away * weights).sum()
            if left < least:
                least, chosen[k], nearer = left, row, away
        near = nearer


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan"})
def _from_row(columns: Double, row: int) -> Double:
    """(m,) squared distances of all rows from one."""
    away = np.zeros(columns.shape[1])
    for j in range(len(columns)):
        at = columns[j, row]
        for i in range(len(away)):
            away[i] += (columns[j, i] - at) ** 2
    return away


@njit(cache=True, nogil=True)
def add_weighted(rows: Grid, weights: Double, labels: Labels, offsets: Ints, weight: Double, total: Double) -> None:
    """Add each row with its weight to its cluster of every model: weight (c,) and total (c, d), one after the other."""
    there, what = np.empty(rows.shape[1], np.int64), np.empty(rows.shape[1])
    for i in range(rows.shape[0]):
        filled = 0
        for j in range(rows.shape[1]):
            if rows[i, j] != 0:
                there[filled], what[filled] = j, weights[i] * rows[i, j]
                filled += 1
        for m in range(len(offsets) - 1):
            c = offsets[m] + labels[i, m]
            weight[c] += weights[i]
            for f in range(filled):
                total[c, there[f]] += what[f]
