"""Distances to the nearest of many points, of which most are never looked at: the triangle inequality rules them out.

Each point belongs to the nearest of a few pivots, which are points as well. A point that is `away` from its pivot is at
least |d(row, pivot) - away| from a row. Where coordinates are on the grid of scaled features, squares and their sums
are exact in float64: what is found is to the bit what comparing with every point finds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tsclust.arrays import Floats, Int64s

SLACK = 1e-6  # of a distance: far more than a square root is rounded by, far less than a step of the grid


@njit(cache=True, nogil=True)
def pivots(points: Floats, at: Int64s, near: Int64s, away: Floats) -> None:
    """Of points (m, d) the pivots: fill at (k,), which points they are, each the farthest from those before it;
    near (m,), the pivot that each point belongs to, and away (m,), how far it is from there."""
    away[:] = np.inf
    for k in range(len(at)):
        at[k] = 0 if k == 0 else away.argmax()
        for i in range(len(points)):
            square = _square(points[i], points[at[k]])
            if square < away[i]:
                near[i], away[i] = k, square
    away[:] = np.sqrt(away)


@njit(cache=True, nogil=True)
def nearest_squares(
    x: Floats, centers: Floats, radius: Floats, starts: Int64s, points: Floats, away: Floats, out: Floats
) -> None:
    """Fill out (n,): the square of the distance of each row of x (n, d) to the nearest point.

    centers (k, d) pivots, radius (k,) how far their points are at most; points[starts[j] : starts[j + 1]] are those of
    pivot j, away (m,) from it, ascending.
    """
    to_center = np.empty(len(centers))
    for i in range(len(x)):
        first = _to_centers(x[i], centers, to_center)  # most have their nearest point there: others are soon ruled out
        best = _nearest_of(x[i], points, away, starts[first], starts[first + 1], to_center[first], np.inf)
        reach = np.sqrt(best) + SLACK
        for j in range(len(centers)):
            if j != first and to_center[j] - radius[j] <= reach:
                best = _nearest_of(x[i], points, away, starts[j], starts[j + 1], to_center[j], best)
                reach = np.sqrt(best) + SLACK
        out[i] = best


@njit(cache=True, nogil=True)
def _to_centers(row: Floats, centers: Floats, out: Floats) -> int:
    """Fill out (k,), the distance of a row to each pivot; which is nearest."""
    first = 0
    for j in range(len(centers)):
        out[j] = _square(row, centers[j])
        if out[j] < out[first]:
            first = j
    out[:] = np.sqrt(out)
    return first


@njit(cache=True, nogil=True)
def _nearest_of(
    row: Floats, points: Floats, away: Floats, start: int, end: int, to_center: float, best: float
) -> float:
    """The least of `best` and the squares of the distances of a row to points[start:end], those of one pivot."""
    reach = np.sqrt(best) + SLACK
    i = start + np.searchsorted(away[start:end], to_center - reach)
    while i < end and away[i] - to_center <= reach:
        square = _square(row, points[i])
        if square < best:
            best, reach = square, np.sqrt(square) + SLACK
        i += 1
    return best


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})  # on the grid any order gives the same bits
def _square(row: Floats, point: Floats) -> float:
    total = 0.0
    for j in range(len(row)):
        total += (row[j] - point[j]) ** 2
    return total
