"""A series laid along a typical curve, and what is left of it then, stretch by stretch: all that touches every value.

Curves are in their own size (see `of_own_size`) and have PAD samples of rest at both ends, as the cut is off by some
samples. The alignment is dynamic time warping within a band (Sakoe and Chiba 1978), with a penalty for each sample by
which the series runs ahead or behind: what is a pause or a longer phase costs little, noise is not warped away.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Floats, Int64s, Values
from tsclust.stages.features.kernels import bridged
from tsclust.stages.features.phases import lower_end, rest_level
from tsclust.stages.features.shape import order

PAD = 10  # samples of rest before and after a typical curve
BAND = 18  # samples that a series may be ahead or behind
PENALTY = 0.15  # of the own size: for each sample ahead or behind
FARTHEST = 1.0  # of the own size: a sample that is farther off costs no more, or a bump would bend the time
FEWEST = 8  # values of a series that has a shape
OF_ALL = 8  # measures of the whole series: level, run, misfit, rest before and after, early, late, stray
OF_STRETCH = 6  # measures of a stretch: duration, level, slope, roughness, bump, dip
LARGEST = 1e100  # value whose square is still a number
SHORT = 6  # samples: a stretch of fewer has no slope and roughness, and a bump is what no sample nearby explains
HIGH = 0.25  # of the highest level of a typical curve: where the size of a series is compared
LINE = 4  # samples: fewer have no slope
EDGE = 2  # samples at each border of a stretch that say more of its neighbour
NEARBY = 2  # samples that a value may be early or late
SMALLEST = 0.05  # size of a series against the typical curve that is still divided by

Single = npt.NDArray[np.float32]
BAND_WIDTH = 2 * BAND + 1
LEFT, RIGHT = 3, 4  # columns beside the band: a series runs up to three samples of the curve ahead at a time
BLOCK = 40  # samples that are computed at a time: the band, and a few more
WIDTH = LEFT + BLOCK + RIGHT
LOOK = 8  # samples of the series, after which it is seen whether another curve is nearer


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
def align(y: Floats, curve: Floats, at: Int64s) -> float:
    """Fill at (n,), the sample of the curve that each of y (n,) lies on; what it costs for each sample."""
    near, n = _widened(curve), len(y)
    low, cost = np.empty(n, np.int64), np.full((n, WIDTH), np.inf, np.float32)
    total = _cost(y, near, len(curve), low, cost, np.inf)
    _walk_back(cost, low, len(curve), at[:n])
    return total / n


@njit(cache=True, nogil=True)
def _widened(curve: Floats) -> Single:
    """(m + BLOCK,) as it is aligned with."""
    near = np.zeros(len(curve) + BLOCK, np.float32)
    near[: len(curve)] = curve
    return near


@njit(cache=True, nogil=True)
def _cost(y: Floats, near: Single, m: int, low: Int64s, cost: Single, limit: float) -> float:
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
def _walk_back(cost: Single, low: Int64s, m: int, at: Int64s) -> None:
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
                total = _cost(y, near[k], lengths[k], lows[1 - best, :n], costs[1 - best, :n], least)
                if total < least:
                    least, which[i], best = total, k, 1 - best
            k, at = which[i], np.empty(n, np.int64)
            m = lengths[k]
            _walk_back(costs[best, :n], lows[best, :n], m, at)
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
