"""The axis of a feature's distribution: which values it shows, on which scale, in which bins, with which ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.charts.curves import SENSIBLE, nice_ticks

BINS = 60
SHOWN = (0.001, 0.999)  # quantiles of all rows: what lies beyond is counted, not drawn
BULK = (0.01, 0.99)  # quantiles of the kept rows
NARROW = 0.1  # where the bulk takes less than this share of what is shown, the scale is logarithmic
STRETCH = 2.0  # a limit may make the axis this many times as long; one farther out is named at the edge
FARTHEST = SENSIBLE  # what lies farther from 0 is drawn there
_NEAREST = 1 / FARTHEST  # numbers closer than that are equal, and so are ...
_APART = 1e-10  # ... those that differ by less than this share of them: ticks could not tell them apart
_WHOLE = 2.0**50  # below that a half can still be added, even to a limit beside them
_CLOSE = 0.17  # share of the width: ticks closer than that would touch

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Axis:
    """Values from edges[0] to edges[-1] in bins.

    scale  linear; or log: even near the `center`, by powers of ten away from it on both sides
    width  how far from the center the scale is even, in the feature's unit
    edges  (bins + 1,) ascending; a value on an edge belongs to the bin above
    whole  the values are whole numbers: they lie in the middle of their bins
    """

    scale: Scale
    center: float
    width: float
    edges: tuple[float, ...]
    whole: bool = False

    def along(self, values: Sequence[float] | Floats) -> Floats:
        """(n,) where values lie: 0 is the left end, 1 the right one; what lies beyond is at the ends."""
        low, high = self._even(np.array([self.edges[0], self.edges[-1]]))
        places: Floats = (self._even(np.asarray(values, np.float64)) - low) / (high - low)
        return places.clip(0.0, 1.0)

    def bins(self, values: Floats) -> Int64s:
        """(n,) 0: below, 1 ... bins, bins + 1: above, bins + 2: missing."""
        found = np.searchsorted(np.array(self.edges), within(values), side="right")
        return np.where(np.isnan(values), len(self.edges) + 1, found).astype(np.int64)

    def ticks(self) -> list[float]:
        """Round values, far enough from each other for their labels."""
        if self.scale == "linear":
            return self._even_ticks()
        places = np.linspace(0.06, 0.94, 5)
        low, high = self._even(np.array([self.edges[0], self.edges[-1]]))
        values = self._values(low + places * (high - low))
        gaps = np.diff(values)
        rounded = [self._rounded(v, min(gaps[max(i - 1, 0)], gaps[min(i, 3)])) for i, v in enumerate(values)]
        return self.apart([v for v in rounded if self.edges[0] <= v <= self.edges[-1]])

    def _even_ticks(self) -> list[float]:
        """As many as there is room for."""
        low, high = self.edges[0], self.edges[-1]
        for about in (6, 5, 4, 3):
            ticks = [float(f"{tick:.12g}") + 0.0 for tick in nice_ticks(low, high, about)]
            fine = not self.whole or all(tick == round(tick) for tick in ticks)
            if fine and len(ticks) > 1 and ticks[1] - ticks[0] >= _CLOSE * (high - low):
                break
        return ticks

    def _rounded(self, value: float, gap: float) -> float:
        """To a power of ten that is small against the gap to the next tick."""
        decimals = -int(np.floor(np.log10(gap))) if gap > 0 else 0
        return float(round(value, min(decimals, 0) if self.whole else decimals)) + 0.0

    def apart(self, ticks: Sequence[float], close: float = _CLOSE) -> list[float]:
        """Those of the ascending ticks that are at least `close` of the width from the one before."""
        chosen: list[float] = []
        for tick, place in zip(ticks, self.along(ticks), strict=True):
            if not chosen or place - self.along([chosen[-1]])[0] >= close:
                chosen.append(tick)
        return chosen

    def _even(self, values: Floats) -> Floats:
        near = within(values)
        return near if self.scale == "linear" else np.arcsinh((near - self.center) / self.width)

    def _values(self, even: Floats) -> Floats:
        return within(even if self.scale == "linear" else self.center + self.width * np.sinh(even))


def within(values: Floats) -> Floats:
    """The same, none farther from 0 than what can be drawn; NaN stays."""
    return values.clip(-FARTHEST, FARTHEST)


def fit(values: Floats, kept: Floats, limits: Sequence[float], typical: tuple[float, float]) -> Axis:
    """The axis for a sample: values (n,) of all rows, `kept` (m,) those of the kept; no NaN among them.

    typical: (median, robust deviation): the scale's center and width where it is logarithmic.
    """
    if not len(values):
        return Axis("linear", 0.0, 1.0, (-0.5, 0.5))
    values, kept = within(values), within(kept)
    low, high = np.quantile(values, SHOWN)
    first, last = np.quantile(kept if len(kept) else values, BULK)
    whole = bool((values == np.rint(values)).all() and np.abs(values).max() < _WHOLE)
    narrow = last - first < NARROW * (high - low) and not (whole and high - low <= BINS)
    uneven = narrow and _are_apart(low, high)
    axis = Axis("log" if uneven else "linear", *_middle(values, typical, whole), _ends(low, high), whole)
    axis = replace(axis, edges=_with_limits(axis, limits))
    return replace(axis, edges=_edges(axis))


def _middle(values: Floats, typical: tuple[float, float], whole: bool) -> tuple[float, float]:
    """(center, width) of the scale, such that no value is too many times the width away from the center."""
    center = min(max(typical[0], -FARTHEST), FARTHEST)
    width = typical[1] or _width(values - center, whole)
    return center, min(max(width, _NEAREST), FARTHEST)


def _width(away: Floats, whole: bool) -> float:
    """Where most values are equal: a half of what the others differ by, one sample for whole numbers."""
    others = np.abs(away[away != 0])
    return 1.0 if whole or not len(others) else float(np.quantile(others, 0.1)) / 2


def _ends(low: float, high: float) -> tuple[float, float]:
    """Two different numbers, around those that are as good as equal."""
    size = max(abs(low), abs(high))
    air = 0.0 if _are_apart(low, high) else size * 0.05 if size > _NEAREST else 0.5
    return max(float(low - air), -FARTHEST), min(float(high + air), FARTHEST)


def _are_apart(low: float, high: float) -> bool:
    return bool(high - low > max(_APART * max(abs(low), abs(high)), _NEAREST))


def _with_limits(axis: Axis, limits: Sequence[float]) -> tuple[float, float]:
    """The ends moved out so that limits, and a little air beside them, are on the axis, unless they lie too far out."""
    low, high = axis._even(np.array([axis.edges[0], axis.edges[-1]]))
    ends = (low, high)
    for place in axis._even(np.array(limits, np.float64)):
        air = 0.03 * (high - low)
        wider = min(ends[0], place - air), max(ends[1], place + air)
        if not ends[0] <= place <= ends[1] and wider[1] - wider[0] <= STRETCH * (high - low):
            ends = wider
    first, last = axis._values(np.array(ends)).tolist()
    return (axis.edges[0] if ends[0] == low else first), (axis.edges[-1] if ends[1] == high else last)


def _edges(axis: Axis) -> tuple[float, ...]:
    """Bins of equal width on the scale."""
    low, high = axis.edges
    first, last = axis._even(np.array([low, high])).tolist()
    edges = axis._values(np.linspace(first, last, BINS + 1))
    if axis.whole:
        return tuple(_whole_edges(edges, axis.scale == "log").tolist())
    edges[0], edges[-1] = low, np.nextafter(high, np.inf)
    return tuple(np.unique(edges).tolist())


def _whole_edges(edges: Floats, uneven: bool) -> Floats:
    """Whole numbers lie in the middle of their bins, or between two."""
    low, high = np.floor(edges[0]), np.ceil(edges[-1])
    if not uneven:
        step = max(1.0, np.ceil((high - low + 1) / BINS))
        return np.arange(low - 0.5, high + 0.5 + step, step)
    inner = np.floor(edges) + 0.5
    return np.unique(np.array([low - 0.5, *inner[(inner > low) & (inner < high)], high + 0.5]))
