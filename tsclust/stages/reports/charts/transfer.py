"""A series as if it were of another machine: what is normal there takes the place of what is normal here.

Time goes along with the run: its peak falls on the other's peak, its usual end on the other's, what lies beyond is as
far beyond. Values go along with the level: rest stays rest, what is usual becomes what is usual there, as does the
most that is usual a few samples earlier or later; what lies between these stays between them, in proportion, and what
lies outside is as far outside, in the other's size. So a run that ends a sample later gives no level, and one that ends
early no sign, that no recording has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.reports.data import Line

OFF = 3  # samples: by so many may a peak, or an end, be off
MOVES = 0.03  # of the largest distance from rest: what is nearer is at rest, as `features` has it
AT_HAND = 16_384  # values of a matrix: a dozen such fit the cache of a core


@dataclass(frozen=True)
class Usual:
    """A usual curve: (t,) samples after the start, values, how far these are from rest, and the farthest of OFF around.

    peak, end  samples after the start
    size       how far it is from rest, in the mean of its run
    largest    how far it is from rest at its peak
    """

    at: Int64s
    values: Floats
    away: Floats
    farthest: Floats
    rest: float
    peak: int
    end: int
    size: float
    largest: float

    @classmethod
    def of(cls, line: Line) -> Usual:
        at, values = np.array(line.at, np.int64), np.array(line.values)
        rest = float(np.median(values[at < 0])) if at[0] < 0 else float(values[-1])
        away = values - rest
        far, largest = np.abs(away), float(np.abs(away).max())
        run = np.flatnonzero((far > MOVES * largest) & (at >= 0))
        peak, end = int(at[far.argmax()]), int(at[run[-1]]) + 1 if len(run) else int(at[-1])
        size = float(far[run].mean()) if len(run) else 0.0
        return cls(at, values, away, _farthest(away), rest, peak, max(end, peak + 1), size, largest)


def _farthest(away: Floats) -> Floats:
    """(t,) the one of these that is farthest from 0 among OFF neighbours on each side."""
    highest, lowest = (f(away, 2 * OFF + 1, mode="nearest") for f in (maximum_filter1d, minimum_filter1d))
    found: Floats = np.where(highest >= -lowest, highest, lowest)
    return found


@dataclass(frozen=True)
class Usuals:
    """Usual curves of m machines: a row each, one sample a column, as wide as the widest of them.

    starts, lasts (m,): samples after the start that a curve begins and ends at, the latter counted from its beginning;
    numbers (m,) each, as of `Usual`.
    """

    starts: Int64s
    lasts: Int64s
    away: Floats
    farthest: Floats
    rest: Floats
    peak: Floats
    end: Floats
    size: Floats
    largest: Floats

    @classmethod
    def of(cls, machines: Sequence[Usual]) -> Usuals:
        starts = np.array([one.at[0] for one in machines], np.int64)
        lasts = np.array([one.at[-1] for one in machines], np.int64) - starts
        numbers = {
            name: np.array([getattr(one, name) for one in machines], np.float64)
            for name in ("rest", "peak", "end", "size", "largest")
        }
        curves = (_rows(machines, name, int(lasts.max()) + 1) for name in ("away", "farthest"))
        return cls(starts, lasts, *curves, **numbers)

    def on(self, at: Floats) -> tuple[Floats, Floats]:
        """(m, t) each: `away` and `farthest` at the times (m, t); beyond the ends as at them."""
        column = np.clip(at - self.starts[:, None], 0, self.lasts[:, None])
        low = column.astype(np.int64)
        share, high = column - low, np.minimum(low + 1, self.lasts[:, None])
        return _straight(self.away, low, high, share), _straight(self.farthest, low, high, share)


def _rows(machines: Sequence[Usual], name: str, wide: int) -> Floats:
    """(m, wide) a curve of each machine, a sample that it lacks on the line between its neighbours."""
    rows = np.zeros((len(machines), wide))
    for row, one in zip(rows, machines, strict=True):
        each = np.arange(one.at[0], one.at[-1] + 1)
        curve = getattr(one, name)
        row[: len(each)] = curve if len(each) == len(one.at) else np.interp(each, one.at, curve)
    return rows


def _straight(curves: Floats, low: Int64s, high: Int64s, share: Floats) -> Floats:
    """(m, t) of curves (m, w) between two columns each, a share of the way from the one to the other."""
    before = np.take_along_axis(curves, low, axis=1)
    between: Floats = (np.take_along_axis(curves, high, axis=1) - before) * share + before
    return between


def transferred(matrix: Floats, first: int, machines: Sequence[Usual], which: Int64s, there: Usual) -> Floats:
    """(n, t + m): series of `machines` as if they were of the machine `there`, whose runs are up to m samples longer.

    matrix (n, t): values, column 0 lies `first` samples after the start; NaN is missing. which (n,): each one's
    machine.
    """
    here = Usuals.of(machines)
    wide = np.maximum(matrix.shape[1] + there.end - here.end.astype(np.int64), 1)
    at = first + np.arange(wide.max(), dtype=np.float64)
    then = _times(at, there, here)
    levels = _Levels.of(here, there, then, at)
    then[np.arange(len(at)) >= wide[:, None]] = np.nan
    out = np.empty((len(matrix), len(at)))
    for rows in _stretches(len(matrix), len(at)):
        machine = which[rows]
        away = _between(matrix[rows], then[machine] - first) - here.rest[machine, None]
        out[rows] = there.rest + levels.of_rows(away, machine)
    return out


def _stretches(n: int, wide: int) -> Iterator[slice]:
    """All of n rows of so many columns, so few at a time that a processor keeps them at hand."""
    step = max(AT_HAND // wide, 1)
    return (slice(at, at + step) for at in range(0, n, step))


def _times(at: Floats, one: Usual, others: Usuals) -> Floats:
    """(m, t) times (t,) in a run of the one -> the same times in runs of the others (m,)."""
    end = others.end[:, None]
    inner = np.clip(at, 0, one.end) * (end / one.end)
    if one.peak > 0:
        peak = others.peak[:, None]
        rise = np.clip(at, 0, one.peak) * (peak / one.peak)
        fall = peak + np.clip(at - one.peak, 0, one.end - one.peak) * ((end - peak) / (one.end - one.peak))
        inner = np.where(peak > 0, np.where(at <= one.peak, rise, fall), inner)
    inner = np.where(at >= one.end, end, inner)  # to the last digit: beside a column would be a missing one
    times: Floats = inner + np.minimum(at, 0) + np.maximum(at - one.end, 0)
    return times


def _between(matrix: Floats, columns: Floats) -> Floats:
    """(n, c) the rows at these columns (n, c), straight between two; NaN outside, and beside what is missing."""
    padded = np.full((len(matrix), matrix.shape[1] + 2), np.nan)  # as np.pad, which takes longer than all that follows
    padded[:, 1:-1] = matrix
    last = padded.shape[1] - 1
    at = np.clip(np.nan_to_num(columns, nan=-1.0) + 1, 0, last)
    low = at.astype(np.int64)
    share = at - low
    return _straight(padded, low, np.minimum(low + (share > 0), last), share)


@dataclass(frozen=True)
class _Levels:
    """What takes distances from rest here to distances from rest there: (m, t) each, of m machines at t times; size
    (m, 1). Distances are upwards where the farthest one is."""

    up: Floats
    usual: Floats
    most: Floats
    wanted: Floats
    most_there: Floats
    still: Bools
    size: Floats

    @classmethod
    def of(cls, here: Usuals, there: Usual, then: Floats, at: Floats) -> _Levels:
        """Distances `here` at the times `then` (m, t) -> distances `there` at the times `at` (t,)."""
        known = (here.size > 0) & (there.size > 0)
        size = np.where(known, there.size / np.where(known, here.size, 1.0), 1.0)[:, None]
        (usual, most), (wanted, most_there) = here.on(then), Usuals.of([there]).on(at[None])
        up = np.where(most < 0, -1.0, 1.0)
        usual, most = np.clip(usual * up, 0.0, most * up), most * up
        wanted, most_there = wanted * up, np.maximum(most_there * up, wanted * up)
        still = most <= MOVES * here.largest[:, None]  # at rest, where a proportion is one of noise
        return cls(up, usual, most, wanted, most_there, still, size)

    def of_rows(self, away: Floats, which: Int64s) -> Floats:
        """(n, t) distances of n series, each of the machine `which` (n,)."""
        up, usual, most, wanted, most_there, still, size = (one[which] for one in vars(self).values())
        away = away * up
        inner = away / np.where(usual > 0, usual, 1.0) * wanted
        outer = wanted + (away - usual) / np.where(most > usual, most - usual, 1.0) * (most_there - wanted)
        beyond = np.where(away <= most, outer, most_there + (away - most) * size)
        found = np.where(away < 0, away * size, np.where(away < usual, inner, beyond))
        levels: Floats = up * np.where(still, wanted + (away - usual) * size, found)
        return levels
