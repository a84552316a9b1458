"""A series as if it were of another machine: what is normal there takes the place of what is normal here.

Time goes along with the run: its peak falls on the other's peak, its usual end on the other's, what lies beyond is as
far beyond. Values go along with the level: rest stays rest, what is usual becomes what is usual there, as does the
most that is usual a few samples earlier or later; what lies between these stays between them, in proportion, and what
lies outside is as far outside, in the other's size. So a run that ends a sample later gives no level, and one that ends
early no sign, that no recording has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.data import Line

OFF = 3  # samples: by so many may a peak, or an end, be off
MOVES = 0.03  # of the largest distance from rest: what is nearer is at rest, as `features` has it


@dataclass(frozen=True)
class Usual:
    """A usual curve: (t,) samples after the start, how far it is from rest there, and the farthest OFF samples around.

    peak, end  samples after the start
    size       how far it is from rest, in the mean of its run
    """

    at: Int64s
    away: Floats
    farthest: Floats
    rest: float
    peak: int
    end: int
    size: float

    @classmethod
    def of(cls, line: Line) -> Usual:
        at, values = np.array(line.at, np.int64), np.array(line.values)
        rest = float(np.median(values[at < 0])) if at[0] < 0 else float(values[-1])
        away = values - rest
        run = np.flatnonzero((np.abs(away) > MOVES * np.abs(away).max()) & (at >= 0))
        peak, end = int(at[np.abs(away).argmax()]), int(at[run[-1]]) + 1 if len(run) else int(at[-1])
        size = float(np.abs(away[run]).mean()) if len(run) else 0.0
        return cls(at, away, _farthest(away), rest, peak, max(end, peak + 1), size)

    @property
    def largest(self) -> float:
        return float(np.abs(self.away).max())

    def on(self, at: Floats) -> tuple[Floats, Floats]:
        """(t,) `away` and `farthest` at these times; beyond the ends as at them."""
        return np.interp(at, self.at, self.away), np.interp(at, self.at, self.farthest)


def _farthest(away: Floats) -> Floats:
    """(t,) the one of these that is farthest from 0 among OFF neighbours on each side."""
    highest, lowest = (f(away, 2 * OFF + 1, mode="nearest") for f in (maximum_filter1d, minimum_filter1d))
    found: Floats = np.where(highest >= -lowest, highest, lowest)
    return found


def transferred(matrix: Floats, first: int, here: Usual, there: Usual) -> Floats:
    """(n, t + m): series of the machine `here` as if they were of the machine `there`, whose runs are m samples longer.

    matrix (n, t): values, column 0 lies `first` samples after the start; NaN is missing.
    """
    at = first + np.arange(max(matrix.shape[1] + there.end - here.end, 1), dtype=np.float64)
    then = _times(at, there, here)
    away = _between(matrix, then - first) - here.rest
    return there.rest + _levels(away, here, there, then, at)


def _times(at: Floats, one: Usual, other: Usual) -> Floats:
    """(t,) times in a run of the one -> the same times in a run of the other."""
    peaks = [(one.peak, other.peak)] if min(one.peak, other.peak) > 0 else []
    stops = np.array([(0, 0), *peaks, (one.end, other.end)])
    inner: Floats = np.interp(at, stops[:, 0], stops[:, 1])
    return inner + np.minimum(at, 0) + np.maximum(at - one.end, 0)


def _between(matrix: Floats, columns: Floats) -> Floats:
    """(n, c) the rows at these columns, straight between two; NaN outside, and beside what is missing."""
    padded = np.pad(matrix, ((0, 0), (1, 1)), constant_values=np.nan)
    at = np.clip(columns + 1, 0, padded.shape[1] - 1)
    low, share = np.floor(at).astype(np.int64), at - np.floor(at)
    high = np.minimum(low + (share > 0), padded.shape[1] - 1)
    out: Floats = padded[:, low] + share * (padded[:, high] - padded[:, low])
    return out


def _levels(away: Floats, here: Usual, there: Usual, then: Floats, at: Floats) -> Floats:
    """(n, c) distances from rest `here` at the times `then` (c,) -> distances from rest `there` at the times `at`."""
    size = there.size / here.size if here.size and there.size else 1.0
    (usual, most), (wanted, most_there) = here.on(then), there.on(at)
    up = np.where(most < 0, -1.0, 1.0)
    away, usual, most = away * up, np.clip(usual * up, 0.0, most * up), most * up
    wanted, most_there = wanted * up, np.maximum(most_there * up, wanted * up)
    inner = away / np.where(usual > 0, usual, 1.0) * wanted
    outer = wanted + (away - usual) / np.where(most > usual, most - usual, 1.0) * (most_there - wanted)
    found = np.select(
        [away < 0, away < usual, away <= most], [away * size, inner, outer], most_there + (away - most) * size
    )
    still = most <= MOVES * here.largest  # at rest, where a proportion is one of noise
    return up * np.where(still, wanted + (away - usual) * size, found)
