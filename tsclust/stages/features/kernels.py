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
from tsclust.stages.features.shape import UInt32s

FEWEST = 8  # values a series must have to be described
ROUNDING = 1e-6  # of the largest value: what is closer is the same value, rounded otherwise
TENTH = 0.1
FACTS = 7  # columns that every series has
WIDTH = len(NAMES)

# Where each feature stands in a row, by its name in the catalogue. numba takes them for constants.
N_VALUES = NAMES.index("n_values")
N_MISSING = NAMES.index("n_missing")
LOWEST = NAMES.index("min")
HIGHEST = NAMES.index("max")
N_RECORDED = NAMES.index("n_recorded")
N_LOST = NAMES.index("n_lost")
LEAST_STEP = NAMES.index("least_step")
LONGEST_FLAT_RUN = NAMES.index("longest_flat_run")
FROZEN_RUN = NAMES.index("frozen_run")
SPIKE = NAMES.index("spike")
FLOOR = NAMES.index("floor")
FIRST_LEVEL = NAMES.index("first_level")
UPRIGHT = NAMES.index("upright")
START = NAMES.index("start")
RUN_LENGTH = NAMES.index("run_length")
PEAK_POSITION = NAMES.index("peak_position")
PEAK_HEIGHT = NAMES.index("peak_height")
PEAK_WIDTH = NAMES.index("peak_width")
DECAY_TIME = NAMES.index("decay_time")
SIDE_MEAN = NAMES.index("side_mean")
SIDE_STD = NAMES.index("side_std")
SIDE_SKEWNESS = NAMES.index("side_skewness")
SIDE_KURTOSIS = NAMES.index("side_kurtosis")
SIDE_SLOPE = NAMES.index("side_slope")
SIDE_ROUGHNESS = NAMES.index("side_roughness")
SIDE_RISE = NAMES.index("side_rise")
SIDE_FALL = NAMES.index("side_fall")
SIDE_STEP = NAMES.index("side_step")
STEP_OR_LINE = NAMES.index("step_or_line")
SIDE_OSCILLATION = NAMES.index("side_oscillation")
SIDE_TO_PEAK = NAMES.index("side_to_peak")
SPREAD_TO_PEAK = NAMES.index("spread_to_peak")
RISE_TO_PEAK = NAMES.index("rise_to_peak")
ROUGHNESS_TO_PEAK = NAMES.index("roughness_to_peak")
RETURN_TIME = NAMES.index("return_time")
RETURN_LEVEL = NAMES.index("return_level")
REST_LEVEL = NAMES.index("rest_level")
AREA = NAMES.index("area")
P05 = NAMES.index("p05")
P25 = NAMES.index("p25")
P50 = NAMES.index("p50")
P75 = NAMES.index("p75")
P95 = NAMES.index("p95")

_part = njit(
    cache=True, nogil=True, error_model="numpy", inline="always"
)  # of its only caller, compiled with it: two seconds less


def describe(block: SeriesBlock, sign: int) -> npt.NDArray[np.float64]:
    """(n, len(NAMES)) float64: the features of each series. `sign` is 1 where the peak is a maximum, -1 a minimum."""
    out = np.full((len(block), WIDTH), np.nan)
    for rows, offsets, values in block.pieces():
        _describe_all(values, offsets, sign, out[rows])
    return out


def peak_votes(block: SeriesBlock) -> tuple[int, int, int]:
    """(up, down, series): how many rise farther above their ends than they fall below them, how many the other way.

    What begins at its peak and does neither is judged by its end alone.
    """
    votes = [_votes(values, offsets) for _, offsets, values in block.pieces()]
    return sum(up for up, _ in votes), sum(down for _, down in votes), len(block)


@njit(cache=True, nogil=True, error_model="numpy")
def _votes(values: Values, offsets: Int64s) -> tuple[int, int]:
    up = down = 0
    for i in range(len(offsets) - 1):
        x = bridged(values[offsets[i] : offsets[i + 1]])
        if len(x) >= FEWEST:
            lean = _lean(x, x[0], x[-1])
            if lean == 0:
                lean = _lean(x, x[-1], x[-1])
            up += lean > 0
            down += lean < 0
    return up, down


@njit(cache=True, nogil=True, error_model="numpy")
def _lean(x: Floats, one: float, other: float) -> float:
    """How much farther x rises above two levels than it falls below them; 0 where that is little."""
    high, low = x.max(), x.min()
    lean = float(high - max(one, other) - (min(one, other) - low))
    return lean if abs(lean) > TENTH * (high - low) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _describe_all(values: Values, offsets: Int64s, sign: int, out: Floats) -> None:
    for i in range(len(offsets) - 1):
        raw = values[offsets[i] : offsets[i + 1]]
        x = bridged(raw)
        _facts(raw, out[i])
        if len(x) >= FEWEST and np.isfinite(out[i, HIGHEST] - out[i, LOWEST]):
            if sign < 0:
                x *= -1.0
            _shape(x, out[i])
            if not np.isfinite(out[i]).all():
                out[i, FACTS:] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def _facts(raw: Values, row: Floats) -> None:
    known, low, high, first, last = 0, np.inf, -np.inf, len(raw), -1
    for i in range(len(raw)):
        v = np.float64(raw[i])
        if np.isfinite(v):
            known, low, high, first, last = known + 1, min(low, v), max(high, v), min(first, i), i
    row[N_VALUES], row[N_MISSING] = len(raw), len(raw) - known
    row[N_RECORDED], row[N_LOST] = max(last + 1 - first, 0), max(last + 1 - first, 0) - known
    if known > 0:
        row[LOWEST], row[HIGHEST] = low, high
        row[LEAST_STEP] = _least_step(raw, ROUNDING * max(abs(low), abs(high)))


@_part
def _least_step(raw: Values, least: float) -> float:
    """Of the steps above `least`: 0.3 and 0.1 + 0.2 are one value. Values beside a missing one are no neighbours."""
    best = np.inf
    for i in range(1, len(raw)):
        step = abs(np.float64(raw[i]) - np.float64(raw[i - 1]))
        if least < step < best:  # a comparison with NaN is false
            best = step
    return best if best < np.inf else 0.0


@_part
def _shape(x: Floats, row: Floats) -> None:
    """Fill a row but for the simple facts, phase by phase."""
    order = shape.order(x)
    lower = phases.lower_end(x, order)
    height = x[order[-1]] - lower
    peak = phases.peak(x, lower, height)
    start, end = phases.active(x, lower, peak, height)
    rest = phases.level_outside(x, order, lower, start, end, height)
    first, last = phases.side_movement(x, order, lower, peak, end, height)
    lowest = x[order[0]]
    away = lower + phases.ACTIVE * height
    row[LONGEST_FLAT_RUN] = len(x) if x[order[-1]] == lowest else shape.longest_equal(x, away, np.inf)
    seen = away if start > 0 else -np.inf  # otherwise nothing was seen of rest
    row[FROZEN_RUN] = shape.longest_equal(x, seen, x[order[-1]])
    row[SPIKE], row[FLOOR] = shape.spike(x, order), x[order[2]]
    row[FIRST_LEVEL], row[UPRIGHT], row[START] = x[0] - rest, _upright(x, order), start
    row[RUN_LENGTH] = end - start
    side = shape.ascending(x, order, first, last)
    row[SIDE_SLOPE] = shape.slope(x, order, first, last)
    row[SIDE_STEP] = shape.lasting_step(x, order, first, last)
    _peak(x, rest, peak, x[order[-1]] - rest, start, shape.median(side), row)
    _side(x[first:last], side, rest, row)
    _to_peak(row)
    _return(x, rest, start, last, end, row)
    _run(shape.ascending(x, order, start, end), rest, row)


@_part
def _upright(x: Floats, order: UInt32s) -> float:
    """By the third highest and lowest sample: one or two that stand alone turn nothing upside down."""
    above, below = x[order[-3]] - max(x[0], x[-1]), min(x[0], x[-1]) - x[order[2]]
    if below <= TENTH * (x[order[-1]] - x[order[0]]):
        return 1.0
    return float(max(above, 0.0) / (max(above, 0.0) + below))


@_part
def _peak(x: Floats, rest: float, peak: int, height: float, start: int, side: float, row: Floats) -> None:
    half = rest + height / 2
    row[PEAK_POSITION] = peak - start
    row[PEAK_HEIGHT] = height
    row[PEAK_WIDTH] = phases.crossing(x, peak, half, 1) - phases.crossing(x, peak, half, -1)
    row[DECAY_TIME] = phases.crossing(x, peak, side + (x[peak] - side) / np.e, 1) - peak


@_part
def _side(side: Floats, ascending: Floats, rest: float, row: Floats) -> None:
    mean, std, skewness, kurtosis = shape.moments(side)
    middle = shape.median(ascending)
    row[SIDE_MEAN], row[SIDE_STD], row[SIDE_SKEWNESS], row[SIDE_KURTOSIS] = mean - rest, std, skewness, kurtosis
    row[SIDE_ROUGHNESS], row[STEP_OR_LINE] = shape.roughness(side), shape.step_or_line(side)
    row[SIDE_RISE], row[SIDE_FALL] = ascending[-1] - middle, middle - ascending[0]
    row[SIDE_OSCILLATION] = shape.oscillation(side, row[SIDE_SLOPE])  # the slope and the step are there: of the order


@_part
def _to_peak(row: Floats) -> None:
    """Level, spread, rise and roughness of the side movement against the peak; 0 where there is no peak at all."""
    scale = 1 / row[PEAK_HEIGHT] if row[PEAK_HEIGHT] > 0 else 0.0
    row[SIDE_TO_PEAK], row[SPREAD_TO_PEAK] = row[SIDE_MEAN] * scale, row[SIDE_STD] * scale
    row[RISE_TO_PEAK], row[ROUGHNESS_TO_PEAK] = row[SIDE_RISE] * scale, row[SIDE_ROUGHNESS] * scale


@_part
def _return(x: Floats, rest: float, start: int, last: int, end: int, row: Floats) -> None:
    row[RETURN_TIME] = max(end - last, 0)
    row[RETURN_LEVEL] = x[last:end].mean() - rest if end > last else 0.0
    row[REST_LEVEL] = phases.after(x) - (x[0] if start > 0 else rest)  # no rest was recorded before what begins amid it


@_part
def _run(ascending: Floats, rest: float, row: Floats) -> None:
    levels = ascending - rest
    row[AREA] = levels.sum()
    row[P05] = shape.percentile(levels, 0.05)
    row[P25] = shape.percentile(levels, 0.25)
    row[P50] = shape.percentile(levels, 0.50)
    row[P75] = shape.percentile(levels, 0.75)
    row[P95] = shape.percentile(levels, 0.95)
