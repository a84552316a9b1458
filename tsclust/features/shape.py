"""The features of each phase: small functions of one plain array. Every formula is in the catalogue."""

from __future__ import annotations

import numpy as np
from numba import njit

from tsclust.series import Floats

WINDOW = 5  # samples on each side of a step
SHORT = 200  # values: sorting them by comparing all pairs is faster than any clever way
LAGS = (3, 20)  # samples: a slower swing is a drift, a faster one is roughness


@njit(cache=True, nogil=True)
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
    if m2 <= 1e-18 * (1 + mean * mean):
        return mean, 0.0, 0.0, 0.0
    return mean, np.sqrt(m2), m3 / m2**1.5, m4 / (m2 * m2) - 3.0


@njit(cache=True, nogil=True)
def slope(x: Floats) -> float:
    """Slope per sample of the least squares line."""
    middle = (len(x) - 1) / 2
    top = bottom = 0.0
    for i in range(len(x)):
        top += (i - middle) * x[i]
        bottom += (i - middle) * (i - middle)
    return top / bottom if bottom > 0 else 0.0


@njit(cache=True, nogil=True)
def roughness(x: Floats) -> float:
    """Mean absolute step between neighbours."""
    total = 0.0
    for i in range(1, len(x)):
        total += abs(x[i] - x[i - 1])
    return total / max(len(x) - 1, 1)


@njit(cache=True, nogil=True)
def largest_step(x: Floats) -> float:
    """Largest difference, with its sign, between the means of WINDOW neighbours after and before a sample."""
    w = min(WINDOW, len(x) // 2)
    best = 0.0
    if w == 0:
        return best
    before, after = x[:w].sum(), x[w : 2 * w].sum()
    for i in range(w, len(x) - w + 1):
        if abs(after - before) > abs(best):
            best = after - before
        if i < len(x) - w:
            before += x[i] - x[i - w]
            after += x[i + w] - x[i]
    return best / w


@njit(cache=True, nogil=True)
def oscillation(x: Floats, line: float) -> float:
    """Largest autocorrelation at LAGS after the line of slope `line` is taken off; 0 where all is equal."""
    n, mean = len(x), x.mean()
    d = np.zeros(n + LAGS[1])  # zeros behind the end: every lag has n terms, and all lags are summed side by side
    power = size = 0.0
    for i in range(n):
        d[i] = x[i] - mean - line * (i - (n - 1) / 2)
        power += d[i] * d[i]
        size += x[i] * x[i]
    if power <= 1e-18 * size:
        return 0.0
    sums = np.zeros(LAGS[1] - LAGS[0] + 1)
    for i in range(n):
        for j in range(len(sums)):
            sums[j] += d[i] * d[i + LAGS[0] + j]
    within = max(min(LAGS[1], n // 2) - LAGS[0] + 1, 0)
    return max(0.0, sums[:within].max() / power) if within > 0 else 0.0


@njit(cache=True, nogil=True)
def ordered(x: Floats) -> Floats:
    """x, all finite, sorted. A short one by counting how many are smaller: processors do that several at a time."""
    n = len(x)
    if n > SHORT:
        return np.sort(x)
    smaller = np.zeros(n, np.int32)
    for i in range(n):
        v = x[i]
        for j in range(n):
            smaller[j] += np.int32(v < x[j])
    out = np.full(n, np.nan)
    for i in range(n):
        out[smaller[i]] = x[i]
    for i in range(1, n):
        if np.isnan(out[i]):  # equal values share the first of their places
            out[i] = out[i - 1]
    return out


@njit(cache=True, nogil=True)
def median(ordered: Floats) -> float:
    """The middle of sorted values, the mean of both where there are two."""
    n = len(ordered)
    return float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


@njit(cache=True, nogil=True)
def percentile(ordered: Floats, q: float) -> float:
    """Linear between neighbours, as numpy's default (Hyndman and Fan 1996, type 7)."""
    at = q * (len(ordered) - 1)
    i = int(at)
    j = min(i + 1, len(ordered) - 1)
    return float(ordered[i] + (at - i) * (ordered[j] - ordered[i]))


@njit(cache=True, nogil=True)
def longest_equal(x: Floats, above: float) -> int:
    """Longest run of equal neighbours among the values above `above`."""
    best = run = 0
    for i in range(len(x)):
        if x[i] <= above:
            run = 0
        elif run > 0 and x[i] == x[i - 1]:
            run += 1
        else:
            run = 1
        best = max(best, run)
    return best
