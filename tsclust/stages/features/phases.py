"""Where the phases of one series lie: rest, peak, decay, side movement, return.

Every function takes one plain array x of at least 8 finite values, in the direction of the peak, and no Python objects.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tsclust.arrays import Floats
from tsclust.stages.features import shape
from tsclust.stages.features.shape import UInt32s

NEAR = 0.9  # of the height of the highest value: a sample that is so high may be the peak
FAR_BELOW = 0.5  # of the span of a recording
ACTIVE = 0.03  # above rest by this share of the peak: the mechanism runs
SETTLED = 0.01  # falling by less than this share of the peak per sample: the decay is over
SIDE = 0.70  # below this share of the side level: the return has begun


@njit(cache=True, nogil=True, error_model="numpy")
def after(x: Floats) -> float:
    """The level at the end: the lowest of 3 values, of which the cut may have left no more than one at rest."""
    return float(x[-3:].min())


@njit(cache=True, nogil=True, error_model="numpy")
def lower_end(x: Floats, order: UInt32s) -> float:
    """The lower of the two ends, from which the phases are found: of a single value that is not at rest, the other."""
    span = x[order[-1]] - x[order[0]]
    low, second = _two_lowest(x[-3:])
    begin = low if _leaves(x[0], x[1], low, span) else x[0]
    finish = x[0] if _leaves(low, second, x[0], span) or _leaves(x[-1], x[-2], x[0], span) else low
    return float(min(begin, finish))


@njit(cache=True, nogil=True, error_model="numpy")
def rest_level(x: Floats, order: UInt32s, lower: float) -> float:
    """The level of the idle sensor, from which levels are measured; see `level_outside`, of the run that is there."""
    height = x[order[-1]] - lower
    start, end = active(x, lower, peak(x, lower, height), height)
    return level_outside(x, order, lower, start, end, height)


@njit(cache=True, nogil=True, error_model="numpy")
def level_outside(x: Floats, order: UInt32s, lower: float, start: int, end: int, height: float) -> float:
    """The middle of what is near the lower end, outside of the run [start, end). A single value would be noise, or a
    step of the recorder's scale."""
    idle, found = np.empty(len(x) + 1), 0  # one more: the place of what does not belong
    for i in order:
        idle[found] = x[i]
        found += ((i < start) | (i >= end)) & (abs(x[i] - lower) <= ACTIVE * height)
    return shape.median(idle[:found]) if found > 0 else lower


@njit(cache=True, nogil=True, error_model="numpy")
def _leaves(value: float, neighbour: float, other: float, span: float) -> bool:
    """Whether a value at one end, somewhat below the `other` end, is not at rest: alone, as its neighbour is where the
    other is, or on the way down, as its neighbour is lower still. Far below, the other end is none: a run was cut."""
    near, below = ACTIVE * span, other - value
    return near < below <= FAR_BELOW * span and (abs(neighbour - other) <= near or neighbour < value - near)


@njit(cache=True, nogil=True, error_model="numpy")
def _two_lowest(x: Floats) -> tuple[float, float]:
    first, second = min(x[0], x[1]), max(x[0], x[1])
    return min(first, x[2]), max(first, min(second, x[2]))


@njit(cache=True, nogil=True, error_model="numpy")
def peak(x: Floats, rest: float, height: float) -> int:
    """The top of the first rise that comes near the highest value. On a plateau that is where it begins: where its
    highest sample is, chance decides."""
    near = rest + NEAR * height
    at = 0
    while x[at] < near:
        at += 1
    while at + 1 < len(x) and x[at + 1] > x[at]:
        at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def active(x: Floats, rest: float, peak: int, height: float) -> tuple[int, int]:
    """[start, end) of the run: between the outermost two neighbours that stand out of rest, on either side of it, and
    around the peak; all of a flat series. A single value that stands out is no run."""
    away = ACTIVE * height
    start, end = 0, len(x)
    if away <= 0:
        return start, end
    while start < peak and min(abs(x[start] - rest), abs(x[start + 1] - rest)) <= away:
        start += 1
    while end - 1 > peak and min(abs(x[end - 1] - rest), abs(x[end - 2] - rest)) <= away:
        end -= 1
    return start, end


@njit(cache=True, nogil=True, error_model="numpy")
def decay_end(x: Floats, peak: int, end: int, height: float) -> int:
    """First sample after the peak from which the curve no longer falls fast."""
    i = peak
    while i + 1 < end and x[i] - x[i + 1] >= SETTLED * height:
        i += 1
    return i


@njit(cache=True, nogil=True, error_model="numpy")
def side_movement(x: Floats, order: UInt32s, rest: float, peak: int, end: int, height: float) -> tuple[int, int]:
    """[first, last) of the side movement; what follows the peak, or all, where there is too little of it (under 3)."""
    first = decay_end(x, peak, end, height)
    level = rest + SIDE * (shape.median(shape.ascending(x, order, first, end)) - rest)
    last = end
    while last > first and x[last - 1] < level:
        last -= 1
    if last - first >= 3:
        return first, last
    return (peak, end) if end - peak >= 3 else (0, len(x))


@njit(cache=True, nogil=True, error_model="numpy")
def crossing(x: Floats, peak: int, level: float, step: int) -> float:
    """Where (in samples, between samples) x falls to `level`, going from the peak in direction `step` (1 or -1)."""
    i = peak
    while 0 <= i + step < len(x) and x[i + step] > level:
        i += step
    j = i + step
    if not 0 <= j < len(x) or x[i] <= level:
        return float(i)
    return float(i + step * (x[i] - level) / (x[i] - x[j]))
