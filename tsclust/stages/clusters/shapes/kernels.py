"""A series measured against the typical curve that it is laid along (see `alignment`): what is left of it then, stretch
by stretch. All that touches every value; curves are in their own size, see `of_own_size`."""

from __future__ import annotations

import numpy as np
from numba import njit

from tsclust.arrays import Floats, Int64s, Values
from tsclust.stages.clusters.shapes.alignment import BLOCK, WIDTH, cost_of, laid_on, walk_back
from tsclust.stages.features.kernels import bridged
from tsclust.stages.features.phases import lower_end, rest_level
from tsclust.stages.features.shape import order

FEWEST = 8  # values of a series that has a shape
OF_ALL = 8  # measures of the whole series: level, run, misfit, rest before and after, early, late, stray
OF_STRETCH = 6  # measures of a stretch: duration, level, slope, roughness, bump, dip
LARGEST = 1e100  # value whose square is still a number
SHORT = 6  # samples: of fewer the slope is the steepest step, roughness is 0, a bump what no sample nearby explains
HIGH = 0.25  # of the highest level of a typical curve: where the size of a series is compared
LINE = 4  # samples: fewer have no slope
EDGE = 2  # samples at each border of a stretch that say more of its neighbour
NEARBY = 2  # samples that a value may be early or late
SMALLEST = 0.05  # size of a series against the typical curve that is still divided by


@njit(cache=True, nogil=True)
def of_own_size(raw: Values, sign: int) -> tuple[Floats, float]:
    """(values above rest, in the direction of the peak, divided by their size; the size): the root mean square of
    what is not rest. Nothing for too few values, or none that are not rest."""
    x = bridged(raw) * sign
    if len(x) < FEWEST or not np.abs(x).max() < LARGEST:
        return np.zeros(0), 0.0
    ascending = order(x)
    x -= rest_level(x, ascending, lower_end(x, ascending))
    least, total, count = HIGH / 5 * np.abs(x).max(), 0.0, 0
    for v in x:
        if abs(v) > least:
            total += v * v
            count += 1
    if total == 0.0:
        return np.zeros(0), 0.0
    size = np.sqrt(total / count)
    return x / size, size


@njit(cache=True, nogil=True)
def measure(
    values: Values, offsets: Int64s, sign: int, curves: Floats, lengths: Int64s, borders: Int64s, stretches: Int64s,
    which: Int64s, out: Floats,
) -> None:  # fmt: skip
    """Fill which (n,), the typical curve that each series is most like, -1 for one without a shape, and its measures
    out (n, OF_ALL + OF_STRETCH * most stretches), 0 where its curve has no such stretch.

    curves (t, longest) have lengths (t,), borders (t, most + 1) of their stretches (t,): rest is before and after
    """
    near, below, above = np.zeros((len(curves), curves.shape[1] + BLOCK), np.float32), curves.copy(), curves.copy()
    for k, m in enumerate(lengths):
        near[k, :m] = curves[k, :m]
        for j in range(m):
            nearby = curves[k, max(j - NEARBY, 0) : min(j + NEARBY + 1, m)]
            below[k, j], above[k, j] = nearby.min(), nearby.max()
    longest = max(np.diff(offsets).max(), 1) if len(offsets) > 1 else 1
    costs, lows = np.full((2, longest, WIDTH), np.float32(np.inf), np.float32), np.empty((2, longest), np.int64)
    for i in range(len(offsets) - 1):
        y, size = of_own_size(values[offsets[i] : offsets[i + 1]], sign)
        which[i] = -1
        if len(y) > 0:
            n, least, best = len(y), np.inf, 0
            for k in range(len(lengths)):
                total = cost_of(y, near[k], lengths[k], lows[1 - best, :n], costs[1 - best, :n], least)
                if total < least:
                    least, which[i], best = total, k, 1 - best
            k, at = which[i], np.empty(n, np.int64)
            m = lengths[k]
            walk_back(costs[best, :n], lows[best, :n], m, at)
            _measure(y, size, least / n, at, curves[k, :m], below[k], above[k], borders[k, : stretches[k] + 1], out[i])


@njit(cache=True, nogil=True)
def _measure(
    y: Floats, size: float, misfit: float, at: Int64s, curve: Floats, below: Floats, above: Floats, borders: Int64s,
    row: Floats,
) -> None:  # fmt: skip
    """Fill the row. below, above: the least and the most that the curve has within NEARBY samples of each."""
    gain = _gain(y, at, curve)
    v = y / gain
    away = _strays(v, at, below, above)
    begin = first = _until(at, 0, borders[0])
    for s in range(len(borders) - 1):
        last = _until(at, first, borders[s + 1])
        into = row[OF_ALL + OF_STRETCH * s : OF_ALL + OF_STRETCH * (s + 1)]
        into[0] = last - first
        if last > first:
            _stretch(_left(v[first:last], curve[borders[s] : borders[s + 1]]), away[first:last], into)
            if borders[s + 1] - borders[s] < SHORT:
                into[1], into[2], into[3] = np.median(away[first:last]), _steepest(v, first, last), 0.0
                into[4], into[5] = _farthest(away[first:last])
        first = last
    row[0], row[1], row[2] = np.log(size * gain), first - begin, misfit
    row[3], row[4] = _middle(v[:begin]), _middle(v[first:])
    row[5], row[6], row[7] = (
        _outermost(v[:begin] - row[3]),
        _outermost(v[first:] - row[4]),
        _outermost(away[begin:first]),
    )


@njit(cache=True, nogil=True)
def _until(at: Int64s, first: int, border: int) -> int:
    """The first sample from `first` on that lies on the border of the typical curve or beyond."""
    while first < len(at) and at[first] < border:
        first += 1
    return first


@njit(cache=True, nogil=True)
def _steepest(y: Floats, first: int, last: int) -> float:
    """The largest step into [first, last) of y, in it or out of it, up or down: where a ramp is laid a sample off it is
    the same."""
    steps = np.diff(y[max(first - 1, 0) : last + 1])
    return steps[np.abs(steps).argmax()] if len(steps) > 0 else 0.0


@njit(cache=True, nogil=True)
def _farthest(x: Floats) -> tuple[float, float]:
    """How far x (n,) goes up and down from 0."""
    return max(x.max(), 0.0), max(-x.min(), 0.0)


@njit(cache=True, nogil=True)
def _outermost(x: Floats) -> float:
    """The value of x (n,) that is farthest from 0; 0 of none."""
    return x[np.abs(x).argmax()] if len(x) > 0 else 0.0


@njit(cache=True, nogil=True)
def _strays(y: Floats, at: Int64s, below: Floats, above: Floats) -> Floats:
    """(n,) how far each value is above or below all that the typical curve has within NEARBY samples (the envelope of
    Keogh 2002)."""
    out = np.empty(len(y))
    for i in range(len(y)):
        out[i] = y[i] - min(max(y[i], below[at[i]]), above[at[i]])
    return out


@njit(cache=True, nogil=True)
def _middle(x: Floats) -> float:
    return np.median(x) if len(x) > 0 else 0.0


@njit(cache=True, nogil=True)
def _gain(y: Floats, at: Int64s, curve: Floats) -> float:
    """How many times as high as the typical curve y is: the median over where that is high."""
    values, count = laid_on(y, at, len(curve))
    ratios, n, least = np.empty(len(curve)), 0, HIGH * np.abs(curve).max()
    for j in range(len(curve)):
        if count[j] > 0 and abs(curve[j]) > least:
            ratios[n] = values[j] / curve[j]
            n += 1
    return max(np.median(ratios[:n]), SMALLEST) if n > 2 else 1.0


@njit(cache=True, nogil=True)
def _left(y: Floats, curve: Floats) -> Floats:
    """(n,) what y is above a stretch of a typical curve drawn out to its length."""
    left, n, m = np.empty(len(y)), len(y), len(curve)
    for i in range(n):
        place = min(max((i + 0.5) * m / n - 0.5, 0.0), m - 1.0)
        below = int(place)
        above = min(below + 1, m - 1)
        left[i] = y[i] - (curve[below] * (below + 1 - place) + curve[above] * (place - below))
    return left


@njit(cache=True, nogil=True)
def _stretch(left: Floats, away: Floats, into: Floats) -> None:
    """Level, slope (from end to end), roughness, bump and dip of what is left of n samples: of a long stretch without
    those beside its borders, where a neighbour that was laid a sample off is seen, not the stretch. A bump there is
    what no sample nearby explains: away (n,)."""
    edge = min(EDGE, max(len(left) - LINE, 0) // 2)
    inner = left[edge : len(left) - edge]
    n, middle = len(inner), np.median(inner)
    into[1] = middle
    if n >= LINE:
        along = np.arange(n) - (n - 1) / 2
        into[2] = (along * inner).sum() / (along * along).sum() * n
        into[3] = np.abs(inner[1:] - inner[:-1]).mean()
        off = left - middle
        for i in (0, 1, len(left) - 2, len(left) - 1):
            off[i] = off[i] if abs(off[i]) < abs(away[i]) else away[i]
        for i in range(1, len(off) - 1):
            near = (off[i - 1] + off[i] + off[i + 1]) / 3
            into[4], into[5] = max(into[4], near), max(into[5], -near)
