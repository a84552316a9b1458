"""A series laid along a typical curve: dynamic time warping within a band (Sakoe and Chiba 1978), with a penalty for
each sample by which the series runs ahead or behind: a pause or a longer phase costs little, noise is not warped away.

Both are in their own size, and curves have PAD samples of rest at both ends, as the cut is off by some samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Floats, Int64s

PAD = 10  # samples of rest before and after a typical curve
BAND = 18  # samples that a series may be ahead or behind
PENALTY = 0.15  # of the own size: for each sample ahead or behind
FARTHEST = 1.0  # of the own size: a sample that is farther off costs no more, or a bump would bend the time

Single = npt.NDArray[np.float32]
BAND_WIDTH = 2 * BAND + 1
LEFT, RIGHT = 3, 4  # columns beside the band: a series runs up to three samples of the curve ahead at a time
BLOCK = 40  # samples that are computed at a time: the band, and a few more
WIDTH = LEFT + BLOCK + RIGHT
LOOK = 8  # samples of the series, after which it is seen whether another curve is nearer


@njit(cache=True, nogil=True)
def align(y: Floats, curve: Floats, at: Int64s) -> float:
    """Fill at (n,), the sample of the curve that each of y (n,) lies on; what it costs for each sample."""
    near, n = _widened(curve), len(y)
    low, cost = np.empty(n, np.int64), np.full((n, WIDTH), np.inf, np.float32)
    total = cost_of(y, near, len(curve), low, cost, np.inf)
    walk_back(cost, low, len(curve), at[:n])
    return total / n


@njit(cache=True, nogil=True)
def _widened(curve: Floats) -> Single:
    """(m + BLOCK,) as it is aligned with."""
    near = np.zeros(len(curve) + BLOCK, np.float32)
    near[: len(curve)] = curve
    return near


@njit(cache=True, nogil=True)
def cost_of(y: Floats, near: Single, m: int, low: Int64s, cost: Single, limit: float) -> float:
    """What it costs to lay y (n,) along a curve of m samples, in all; infinite where that is more than `limit`, which
    is mostly told before the end. Fill low (n,), where the band begins, and cost (n, WIDTH), see _next_row."""
    for i in range(len(y)):
        low[i] = max(0, PAD + int(i * (m - 2.0 * PAD) / len(y)) - BAND)
        if i == 0:
            last = min(BAND_WIDTH, m - low[0])
            for w in range(last):
                cost[0, LEFT + w] = PENALTY * max(0, low[0] + w - 2 * PAD) + min(abs(y[0] - near[low[0] + w]), FARTHEST)
        else:
            low[i] = min(low[i], low[i - 1] + RIGHT)
            last = min(BAND_WIDTH, m - low[i])
            before = cost[i - 1, low[i] - low[i - 1] :]
            _next_row(before, np.float32(y[i]), near[low[i] : low[i] + BLOCK], cost[i, LEFT:])
        cost[i, LEFT + last :] = np.inf
        if i % LOOK == LOOK - 1 and cost[i].min() > limit:
            return np.inf
    return _end(cost[len(y) - 1], low[len(y) - 1], m)[1]


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _next_row(before: Single, value: np.float32, curve: Single, row: Single) -> None:
    """What it costs to be at each sample of the curve in the band, and beyond it up to BLOCK, for wide instructions:
    before[LEFT + w] is what it cost to be there one sample of the series ago."""
    penalty, twice, farthest = np.float32(PENALTY), np.float32(2 * PENALTY), np.float32(FARTHEST)
    for w in range(len(curve)):  # BLOCK; where the compiler knows that, it is slower
        kept = min(before[w + 2], min(before[w + 3], before[w + 1]) + penalty)
        row[w] = min(kept, before[w] + twice) + min(abs(value - curve[w]), farthest)


@njit(cache=True, nogil=True)
def _end(row: Single, low: int, m: int) -> tuple[int, float]:
    """The cheapest sample to end on, and what all costs then: on the last 2 * PAD samples of the curve it may end
    anywhere."""
    end, least = low, np.inf
    for w in range(min(BAND_WIDTH, m - low)):
        total = row[LEFT + w] + PENALTY * max(0, m - 1 - 2 * PAD - low - w)
        if total < least:
            end, least = low + w, total
    return end, least


@njit(cache=True, nogil=True)
def walk_back(cost: Single, low: Int64s, m: int, at: Int64s) -> None:
    """Fill `at` from the cheapest end."""
    last = len(at) - 1
    end = _end(cost[last], low[last], m)[0]
    at[last] = end
    for i in range(last, 0, -1):
        before, w = cost[i - 1], LEFT + end - low[i - 1]
        best, steps = before[w - 1], 1
        for ahead in (0, 2, 3):
            if before[w - ahead] + PENALTY * max(1, ahead - 1) < best:
                best, steps = before[w - ahead] + PENALTY * max(1, ahead - 1), ahead
        end -= steps
        at[i - 1] = end


@njit(cache=True, nogil=True)
def laid_on(y: Floats, at: Int64s, m: int) -> tuple[Floats, Floats]:
    """(m,) the values of y (n,) on the samples of a curve, and how many lie on each: bridged where it ran ahead, rest
    (0) beyond its ends."""
    values, count = np.zeros(m), np.zeros(m)
    for i in range(len(y)):
        values[at[i]] += y[i]
        count[at[i]] += 1
    known = -1
    for j in range(m):
        if count[j] > 0:
            values[j] /= count[j]
            if known >= 0:
                for q in range(known + 1, j):
                    values[q] = values[known] + (values[j] - values[known]) * (q - known) / (j - known)
            known = j
    return values, count


@njit(cache=True, nogil=True)
def costs(values: Floats, offsets: Int64s, curves: Floats, lengths: Int64s) -> Floats:
    """(n, t) what it costs to lay each series, in its own size, along each of t curves (t, longest)."""
    out, at = np.zeros((len(offsets) - 1, len(lengths))), np.zeros(np.diff(offsets).max(), np.int64)
    for i in range(len(out)):
        y = values[offsets[i] : offsets[i + 1]]
        for k in range(len(lengths)):
            out[i, k] = align(y, curves[k, : lengths[k]], at)
    return out
