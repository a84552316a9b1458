"""From a block of series to a row of features each.

Odd series are settled here, once: NULL, NaN and infinite values are missing; missing values inside are bridged by a
straight line, those at the ends are left out; with fewer than FEWEST values left, or values so large that a feature
would be infinite, all features but the simple facts are NaN, and a rule rejects the series.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Floats, Int64s, Values
from tsclust.series import SeriesBlock
from tsclust.stages.features import phases, shape
from tsclust.stages.features.catalogue import NAMES

FEWEST = 8  # values a series must have to be described
FACTS = 4  # columns that every series has
WIDTH = len(NAMES)
_part = njit(cache=True, nogil=True, inline="always")  # of its only caller, compiled with it: two seconds less


def describe(block: SeriesBlock, sign: int) -> npt.NDArray[np.float64]:
    """(n, len(NAMES)) float64: the features of each series. `sign` is 1 where the peak is a maximum, -1 a minimum."""
    out = np.full((len(block), WIDTH), np.nan)
    _describe_all(block.values, block.offsets, sign, out)
    return out


def peak_votes(block: SeriesBlock) -> tuple[int, int, int]:
    """(up, down, series): how many rise farther above their ends than they fall below them, how many the other way."""
    up, down = _votes(block.values, block.offsets)
    return int(up), int(down), len(block)


@njit(cache=True, nogil=True)
def _votes(values: Values, offsets: Int64s) -> tuple[int, int]:
    up = down = 0
    for i in range(len(offsets) - 1):
        x = bridged(values[offsets[i] : offsets[i + 1]])
        if len(x) >= FEWEST:
            lean = x.max() - max(x[0], x[-1]) - (min(x[0], x[-1]) - x.min())
            up += lean > 0
            down += lean < 0
    return up, down


@njit(cache=True, nogil=True)
def _describe_all(values: Values, offsets: Int64s, sign: int, out: Floats) -> None:
    for i in range(len(offsets) - 1):
        raw = values[offsets[i] : offsets[i + 1]]
        x = bridged(raw)
        _facts(raw, out[i])
        if len(x) >= FEWEST and np.isfinite(x.max() - x.min()):
            if sign < 0:
                x *= -1.0
            _shape(x, out[i])
            if not np.isfinite(out[i]).all():
                out[i, FACTS:] = np.nan


@njit(cache=True, nogil=True)
def bridged(raw: Values) -> npt.NDArray[np.float64]:
    """The values as float64 from the first to the last finite one, missing ones between on a straight line."""
    first, last = 0, len(raw)
    while first < last and not np.isfinite(raw[first]):
        first += 1
    while last > first and not np.isfinite(raw[last - 1]):
        last -= 1
    x = raw[first:last].astype(np.float64)
    known = 0
    for i in range(1, len(x)):
        if np.isfinite(x[i]):
            for j in range(known + 1, i):
                x[j] = x[known] + (x[i] - x[known]) * (j - known) / (i - known)
            known = i
    return x


@njit(cache=True, nogil=True)
def _facts(raw: Values, row: Floats) -> None:
    known, low, high = 0, np.inf, -np.inf
    for v in raw:
        if np.isfinite(v):
            known, low, high = known + 1, min(low, float(v)), max(high, float(v))
    row[0], row[1] = len(raw), len(raw) - known
    if known > 0:
        row[2], row[3] = low, high


@_part
def _shape(x: Floats, row: Floats) -> None:
    """Fill a row from its fifth column on, phase by phase, in the order of the catalogue."""
    rest = phases.rest_level(x)
    peak = int(np.argmax(x))
    height = x[peak] - rest
    start, end = phases.active(x, rest, height)
    order = shape.order(x)
    first, last = phases.side_movement(x, order, rest, peak, end, height)
    lowest = x[order[0]]
    row[4] = len(x) if x[peak] == lowest else shape.longest_equal(x, rest + phases.ACTIVE * height)
    row[5], row[6], row[7] = x[0] - rest, _upright(x, lowest, x[peak]), start
    row[8] = end - start
    side = shape.ascending(x, order, first, last)
    row[17], row[21] = shape.slope(x, order, first, last), shape.lasting_step(x, order, first, last)
    _peak(x, rest, peak, start, shape.median(side), row[9:13])
    _side(x[first:last], side, rest, row[13:23])
    _to_peak(row)
    _return(x, rest, last, end, row[27:30])
    _run(shape.ascending(x, order, start, end), rest, row[30:36])


@_part
def _upright(x: Floats, lowest: float, highest: float) -> float:
    above, below = highest - max(x[0], x[-1]), min(x[0], x[-1]) - lowest
    return above / (above + below) if above + below > 0 else 1.0


@_part
def _peak(x: Floats, rest: float, peak: int, start: int, side: float, row: Floats) -> None:
    half = rest + (x[peak] - rest) / 2
    row[0] = peak - start
    row[1] = x[peak] - rest
    row[2] = phases.crossing(x, peak, half, 1) - phases.crossing(x, peak, half, -1)
    row[3] = phases.crossing(x, peak, side + (x[peak] - side) / np.e, 1) - peak


@_part
def _side(side: Floats, ascending: Floats, rest: float, row: Floats) -> None:
    mean, std, skewness, kurtosis = shape.moments(side)
    middle = shape.median(ascending)
    row[0], row[1], row[2], row[3] = mean - rest, std, skewness, kurtosis
    row[5] = shape.roughness(side)
    row[6], row[7] = ascending[-1] - middle, middle - ascending[0]
    row[9] = shape.oscillation(side, row[4])  # row[4], the slope, and row[8], the step, are there: they need the order


@_part
def _to_peak(row: Floats) -> None:
    """Level, spread, rise and roughness of the side movement against the peak; 0 where there is no peak at all."""
    scale = 1 / row[10] if row[10] > 0 else 0.0
    row[23], row[24], row[25], row[26] = row[13] * scale, row[14] * scale, row[19] * scale, row[18] * scale


@_part
def _return(x: Floats, rest: float, last: int, end: int, row: Floats) -> None:
    row[0] = max(end - last, 0)
    row[1] = x[last:end].mean() - rest if end > last else 0.0
    row[2] = phases.after(x) - x[0]


@_part
def _run(ascending: Floats, rest: float, row: Floats) -> None:
    levels = ascending - rest
    row[0] = levels.sum()
    row[1] = shape.percentile(levels, 0.05)
    row[2] = shape.percentile(levels, 0.25)
    row[3] = shape.percentile(levels, 0.50)
    row[4] = shape.percentile(levels, 0.75)
    row[5] = shape.percentile(levels, 0.95)
