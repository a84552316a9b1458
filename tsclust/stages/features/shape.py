"""The features of each phase: small functions of one plain array. Every formula is in the catalogue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Floats

UInt32s = npt.NDArray[np.uint32]  # unsigned: as a place it is not asked whether it counts from the end

WINDOW = 5  # samples on each side of a step
LEAST_LEVEL = 3  # samples: what is shorter is no level that a step leads to
CLEARLY = 1e-9  # a share: of two equal steps the first counts, whatever their sums were rounded to
SHORT = 200  # values: sorting them by comparing all pairs is faster than any clever way
SWINGS = 20  # lags summed side by side: as many as LAGS asks for, and what fills a processor's registers
LAGS = (3, 20)  # samples: a slower swing is a drift, a faster one is roughness


@njit(cache=True, nogil=True, error_model="numpy")
def moments(x: Floats) -> tuple[float, float, float, float]:
    """Mean, standard deviation, skewness, excess kurtosis (of the population; the last two 0 where all is equal)."""
    mean = x.mean()
    m2 = m3 = m4 = 0.0
    for v in x:
        d = v - mean
        m2 += d * d
        m3 += d * d * d
        m4 += d * d * d * d
    n = len(x)
    m2, m3, m4 = m2 / n, m3 / n, m4 / n
    if m2 <= 1e-18 * (m2 + mean * mean):
        return mean, 0.0, 0.0, 0.0
    return mean, np.sqrt(m2), m3 / m2**1.5, m4 / (m2 * m2) - 3.0


@njit(cache=True, nogil=True, error_model="numpy")
def slope(x: Floats, order: UInt32s, first: int, last: int) -> float:
    """Slope per sample of the resistant line through x[first:last]: what lies between the medians of its outer thirds.

    A least squares line leans towards a bump, up or down by where the bump stands.
    """
    third = (last - first + 1) // 3
    left, right = ascending(x, order, first, first + third), ascending(x, order, last - third, last)
    return (median(right) - median(left)) / max(last - first - third, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def roughness(x: Floats) -> float:
    """Mean absolute step between neighbours."""
    total = 0.0
    for i in range(1, len(x)):
        total += abs(x[i] - x[i - 1])
    return total / max(len(x) - 1, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def steepest(x: Floats) -> int:
    """Where the means of WINDOW neighbours before and after a sample differ most: the first sample after."""
    w = min(WINDOW, len(x) // 2)
    best, at = 0.0, w
    before, after = x[:w].sum(), x[w : 2 * w].sum()
    for i in range(w, len(x) - w + 1):
        if abs(after - before) > best * (1 + CLEARLY):
            best, at = abs(after - before), i
        if i < len(x) - w:
            before += x[i] - x[i - w]
            after += x[i + w] - x[i]
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def lasting_step(x: Floats, order: UInt32s, first: int, last: int) -> float:
    """What of the steepest change in x[first:last] lasts: the median of all after it less that of all before.

    A bump goes up as steeply as down: by the larger of its two sides it would be a step in a direction of chance.
    """
    at = first + steepest(x[first:last])
    if at == first:
        return 0.0
    return median(ascending(x, order, at, last)) - median(ascending(x, order, first, at))


@njit(cache=True, nogil=True, error_model="numpy")
def step_or_line(x: Floats) -> float:
    """Which of the two x follows: near 1 one step between two levels, near -1 a straight line; 0 where all is equal.

    (what the best line leaves - what the best step leaves) / their sum, both by least squares.
    """
    n, mean = len(x), x.mean()
    power = size = along = sum_before = best = 0.0
    for i in range(n):
        d = x[i] - mean
        power += d * d
        size += x[i] * x[i]
        along += d * (i - (n - 1) / 2)
        if LEAST_LEVEL <= i <= n - LEAST_LEVEL:
            best = max(best, sum_before * sum_before * n / (i * (n - i)))
        sum_before += d
    if power <= 1e-18 * size:
        return 0.0
    of_line = max(power - along * along * 12 / (n * (n * n - 1.0)), 0.0)
    of_step = max(power - best, 0.0)
    left = of_line + of_step
    return (of_line - of_step) / left if left > 1e-9 * power else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def oscillation(x: Floats, line: float) -> float:
    """Largest autocorrelation at LAGS after the line of slope `line` is taken off; 0 where all is equal."""
    n, mean = len(x), x.mean()
    # Zeros behind the end: each lag has n terms or one more, and all lags are summed side by side, two terms at a time.
    d = np.zeros(n + 1 + LAGS[0] + SWINGS)
    power = size = 0.0
    for i in range(n):
        d[i] = x[i] - mean - line * (i - (n - 1) / 2)
        power += d[i] * d[i]
        size += x[i] * x[i]
    if power <= 1e-18 * size:
        return 0.0
    sums = np.zeros(SWINGS)
    for i in range(0, n, 2):
        first, second, later = d[i], d[i + 1], d[i + LAGS[0] : i + LAGS[0] + SWINGS + 1]
        for j in range(SWINGS):
            sums[j] = sums[j] + first * later[j] + second * later[j + 1]
    within = max(min(LAGS[1], n // 2) - LAGS[0] + 1, 0)
    return max(0.0, sums[:within].max() / power) if within > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def order(x: Floats) -> UInt32s:
    """Where the values of x, all finite, stand when they ascend. A series is sorted once; its phases pick theirs.

    A short one by counting how many are smaller, which processors do for several at a time.
    """
    n = len(x)
    if n > SHORT:
        return _shell_order(x)
    smaller = np.zeros(n, np.uint32)
    for i in range(n):
        v = x[i]
        for j in range(n):
            smaller[j] += np.uint32(v < x[j])
    out, taken = np.empty(n, np.uint32), np.zeros(n, np.uint32)  # by equal values before
    for i in range(n):
        place = smaller[i]
        out[place + taken[place]] = i
        taken[place] += 1
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _shell_order(x: Floats) -> UInt32s:
    """`order` (Shell 1959, gaps of Knuth 1973). numba's own sort takes four seconds to compile into all its callers."""
    out, gap = np.arange(len(x)).astype(np.uint32), 1
    while gap < len(x) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, len(out)):
            moving, j = out[i], i
            while j >= gap and x[out[j - gap]] > x[moving]:
                out[j] = out[j - gap]
                j -= gap
            out[j] = moving
        gap //= 3
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def ascending(x: Floats, order: UInt32s, first: int, last: int) -> Floats:
    """The values of x[first:last], sorted."""
    out, found = np.empty(last - first + 1), 0  # one more: the place of what does not belong
    for i in order:
        out[found] = x[i]
        found += int(np.uint32(i - first) < last - first)  # one comparison: what is before `first` is very large
    return out[: last - first]


@njit(cache=True, nogil=True, error_model="numpy")
def median(ascending: Floats) -> float:
    """The middle of sorted values, the mean of both where there are two."""
    n = len(ascending)
    return float((ascending[(n - 1) // 2] + ascending[n // 2]) / 2)


@njit(cache=True, nogil=True, error_model="numpy")
def percentile(ascending: Floats, q: float) -> float:
    """Linear between neighbours, as numpy's default (Hyndman and Fan 1996, type 7)."""
    at = q * (len(ascending) - 1)
    i = int(at)
    j = min(i + 1, len(ascending) - 1)
    return float(ascending[i] + (at - i) * (ascending[j] - ascending[i]))


@njit(cache=True, nogil=True, error_model="numpy")
def longest_equal(x: Floats, above: float, below: float) -> int:
    """Longest run of equal neighbours among the values between `above` and `below`, without these."""
    best = run = 0
    for i in range(len(x)):
        if not above < x[i] < below:
            run = 0
        elif run > 0 and x[i] == x[i - 1]:
            run += 1
        else:
            run = 1
        best = max(best, run)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def spike(x: Floats, order: UInt32s) -> float:
    """How far one sample, or two, stand out from the samples on both sides, up or down; at an end, from all others."""
    best, n = 0.0, len(x)
    for size in (1, 2):
        best = max(best, _apart(x, order, 0, size), _apart(x, order, n - size, n))
    return max(best, _inner_spike(x, 1), _inner_spike(x, 2))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})  # all are finite: several at a time
def _inner_spike(x: Floats, size: int) -> float:
    best = 0.0
    for i in range(1, len(x) - size):
        one, other, before, after = x[i], x[i + size - 1], x[i - 1], x[i + size]
        above, below = min(one, other) - max(before, after), min(before, after) - max(one, other)
        best = max(best, above, below)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def _apart(x: Floats, order: UInt32s, first: int, last: int) -> float:
    """How far x[first:last], a few values at one end, are above or below all others; less than 0 where they are not."""
    lowest, highest = 0, len(x) - 1  # of the others
    while first <= order[lowest] < last:
        lowest += 1
    while first <= order[highest] < last:
        highest -= 1
    some = x[first:last]
    return float(max(some.min() - x[order[highest]], x[order[lowest]] - some.max()))
