"""Curves and bands -> SVG paths in one frame, with ticks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.charts.curves import Ticks, nice_ticks, straightened, thinned
from tsclust.stages.reports.data import Band, Curve, Period
from tsclust.wording.language import Language

HEIGHT = 500  # units of a drawing from top to bottom; from left to right a unit is a sample
POINTS_PER_CURVE = 240  # a curve has about this many at most: a card can show no more
TALL = 0.45  # of the room, taken by peaks: they are drawn at a smaller scale
CALM = (0.1, 0.9)  # of a line's values: what lies beyond is a peak
PEAK = 140  # units from the top that they get then
ROUGHLY = 2.0  # units that a small curve may be off: a small part of a pixel
CLOSE = 7.0  # per cent of the height: ticks closer than that would touch

Runs = list[list[tuple[int, int]]]  # points of a drawing, a list for each stretch without missing values


@dataclass(frozen=True)
class Frame:
    """The part of the plane that a drawing shows: samples after the start, values as recorded.

    stops: (value, units from the top), values ascending, straight between them. There are more than two where a tall
    peak would leave no room for the rest: it is drawn at a smaller scale.
    """

    left: int
    right: int
    stops: tuple[tuple[float, int], ...]

    @classmethod
    def around(cls, bands: Sequence[Band], curves: Sequence[Curve]) -> Frame:
        """All of these, and a little air above and below."""
        lines = [(band.at, side) for band in bands if band.at for side in (band.low, band.high)]
        lines += [(curve.usual.at, curve.usual.values) for curve in curves if curve.usual]
        lines += [(_at(curve), tuple(v for v in curve.values if v is not None)) for curve in curves if curve.values]
        left, right = min((at[0] for at, _ in lines), default=0), max((at[-1] for at, _ in lines), default=0)
        return cls(left, max(right, left + 1), _stops([np.array(values) for _, values in lines if values]))

    @property
    def box(self) -> str:
        return f"{self.left} 0 {self.right - self.left} {HEIGHT}"

    @property
    def quantum(self) -> float:
        """What a unit from the top stands for, where it is the least."""
        return min((high - low) / (bottom - top) for (low, bottom), (high, top) in itertools.pairwise(self.stops))

    @property
    def knees(self) -> tuple[int, ...]:
        """Where the scale changes, in units from the top."""
        return tuple(unit for _, unit in self.stops[1:-1])

    def across(self, at: float) -> float:
        """Per cent from the left."""
        return round(100 * (at - self.left) / (self.right - self.left), 2)

    def down(self, value: float) -> float:
        """Per cent from the top."""
        return round(100 / HEIGHT * float(self._units(np.array([value]))[0]), 2)

    def ticks(self) -> list[float]:
        """Round values for the axis: of the roomiest stretch first, and of others where they are not too close."""
        stretches = sorted(itertools.pairwise(self.stops), key=lambda ends: ends[1][1] - ends[0][1])
        ticks: list[float] = []
        for (low, bottom), (high, top) in stretches:
            for tick in nice_ticks(low, high, max(2, round(5 * (bottom - top) / HEIGHT))):
                if all(abs(self.down(tick) - self.down(other)) >= CLOSE for other in ticks):
                    ticks.append(tick)
        return sorted(ticks)

    def curve(self, curve: Curve) -> Runs:
        return self._line(_at(curve), curve.values)

    def usual(self, curve: Curve) -> Runs:
        """What is usual for it, nothing where that is not known."""
        return self._line(curve.usual.at, curve.usual.values) if curve.usual else []

    def area(self, band: Band) -> str:
        """The path around a band: there along the top, back along the bottom."""
        if not band.at:
            return ""
        there, back = (
            self._runs(*thinned(np.array(band.at, np.int64), np.array(side), POINTS_PER_CURVE))[0]
            for side in (band.high, band.low)
        )
        return _path(there + back[::-1]) + "z"

    def _line(self, at: Sequence[int], values: Sequence[float | None]) -> Runs:
        wide = np.array(values, np.float64)  # None becomes NaN
        return self._runs(*thinned(np.array(at, np.int64), wide, POINTS_PER_CURVE))

    def _units(self, values: Floats) -> Floats:
        return np.interp(values, [value for value, _ in self.stops], [unit for _, unit in self.stops])

    def _runs(self, at: Int64s, values: Floats) -> Runs:
        """Points of the drawing, a list for each stretch without missing values."""
        runs: Runs = [[]]
        for x, unit in zip(at.tolist(), self._units(values).tolist(), strict=True):
            if math.isnan(unit):
                runs.append([])
            else:
                runs[-1].append((x, round(unit)))
        return [run for run in runs if run]


@dataclass(frozen=True)
class Glance:
    """All groups in one frame: paths of what is normal for all, of each group's line, and of its own normal, if any."""

    box: str
    normal: str
    lines: Mapping[str, str]
    normals: Mapping[str, str]


@dataclass(frozen=True)
class Drawing:
    """What the template needs to draw a card's curves, all in the same frame.

    grid, knees, normal, band   paths
    lines, usual                paths of the members and of what is usual for each, "" where that is not known
    small, small_usual          the same for small pictures, with fewer points
    stops, quantum              of the frame
    across, down                (per cent, label) of the ticks
    """

    box: str
    grid: str
    knees: str
    across: Ticks
    down: Ticks
    normal: str
    band: str
    lines: tuple[str, ...]
    usual: tuple[str, ...]
    small: tuple[str, ...]
    small_usual: tuple[str, ...]
    stops: tuple[tuple[float, int], ...]
    quantum: float


def draw(frame: Frame, normal: Band, band: Band | None, curves: Sequence[Curve], language: Language) -> Drawing:
    """The paths and ticks for these curves, over where the normal ones lie."""
    rows, across = frame.ticks(), _across(frame, language)
    members, usual = [frame.curve(curve) for curve in curves], [frame.usual(curve) for curve in curves]
    return Drawing(
        box=frame.box,
        grid="".join(_level(frame, HEIGHT * frame.down(t) / 100) for t in rows),
        knees="".join(_level(frame, unit) for unit in frame.knees),
        across=across,
        down=tuple((frame.down(t), language.number(t, digits=4)) for t in rows),
        normal=frame.area(normal),
        band=frame.area(band) if band else "",
        lines=tuple(map(line, members)),
        usual=tuple(map(line, usual)),
        small=tuple(line(runs, ROUGHLY) for runs in members),
        small_usual=tuple(line(runs, ROUGHLY) for runs in usual),
        stops=tuple((float(f"{value:.6g}"), unit) for value, unit in frame.stops),
        quantum=frame.quantum,
    )


def line(runs: Runs, off: float = 0.0) -> str:
    """The path through these points, with gaps between runs; `off` by so many units at most."""
    return "".join(_path(straightened(run, off) if off else run) for run in runs)


def _across(frame: Frame, language: Language) -> Ticks:
    """In whole samples, or in seconds where it is known how long one takes."""
    if not language.seconds:
        columns = nice_ticks(frame.left, frame.right, 6)
        return tuple((frame.across(t), language.fixed(t, 0)) for t in columns if t == int(t))
    columns = nice_ticks(frame.left * language.seconds, frame.right * language.seconds, 6)
    return tuple((frame.across(t / language.seconds), language.number(t, digits=4)) for t in columns)


def bars(period: Period) -> tuple[int, str]:
    """(months, path): the share of each month's series, a step of width 1 each; months without any are empty."""
    at = [12 * int(m.month[:-3]) + int(m.month[-2:]) for m in period.months]
    rates = {month: m.members / m.series for month, m in zip(at, period.months, strict=True)}
    top, whole = max(rates.values()) or 1.0, range(min(at), max(at) + 1)
    return len(whole), "M0 1" + "".join(f"V{1 - rates.get(month, 0.0) / top:.3g}h1" for month in whole) + "V1z"


def _at(curve: Curve) -> tuple[int, ...]:
    """Samples after the start, of each value."""
    return tuple(range(-curve.start, len(curve.values) - curve.start))


def _stops(lines: Sequence[Floats]) -> tuple[tuple[float, int], ...]:
    """The scale for these values: even, unless what lies beyond nine tenths of each line takes most of the room."""
    low, high = min((v.min() for v in lines), default=0.0), max((v.max() for v in lines), default=0.0)
    calm = [np.quantile(v, CALM) for v in lines]
    calm_low, calm_high = min((one[0] for one in calm), default=0.0), max((one[1] for one in calm), default=0.0)
    air = 0.08 * (calm_high - calm_low) or 0.08 * (high - low) or abs(high) / 2 or 1.0
    stops, room = [(low - air, HEIGHT)], TALL * (high - low)
    if calm_low - air - low > room:
        stops.append((calm_low - air, HEIGHT - PEAK))
    if high - calm_high - air > room:
        stops.append((calm_high + air, PEAK))
    return tuple((float(value), unit) for value, unit in (*stops, (high + air, 0)))


def _level(frame: Frame, unit: float) -> str:
    return f"M{frame.left} {round(unit)}h{frame.right - frame.left}"


def _path(points: Sequence[tuple[int, int]]) -> str:
    """SVG: from the first point by relative steps, which are short; equal ones are one. A point alone is a dot."""
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(points)]
    same = [(step, len(list(run))) for step, run in itertools.groupby(steps)]
    path = " ".join(f"{dx * n}{dy * n:+}" for (dx, dy), n in same)
    return f"M{points[0][0]} {points[0][1]}" + (f"l{path}" if path else "h0")
