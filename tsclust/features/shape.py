"""The features of each phase: small functions of one plain array. Every formula is in the catalogue."""

from __future__ import annotations

import numpy as np
from numba import njit

from tsclust.series import Floats

WINDOW = 5  # samples on each side of a step
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
    n = len(x)
    d = x - x.mean() - line * (np.arange(n) - (n - 1) / 2)
    power = (d * d).sum()
    if power <= 1e-18 * (x * x).sum():
        return 0.0
    best = 0.0
    for lag in range(LAGS[0], min(LAGS[1], n // 2) + 1):
        best = max(best, (d[lag:] * d[:-lag]).sum() / power)
    return best


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
