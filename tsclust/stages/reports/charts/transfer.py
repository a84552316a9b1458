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
    padded = np.full((len(matrix), matrix.shape[1] + 2), np.nan)  # as np.pad, which takes longer than all that follows
    padded[:, 1:-1] = matrix
    at = np.clip(columns + 1, 0, padded.shape[1] - 1)
    low = at.astype(np.int64)
    share = at - low
    before, after = padded[:, low], padded[:, np.minimum(low + (share > 0), padded.shape[1] - 1)]
    out: Floats = before + share * (after - before)
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
    beyond = np.where(away <= most, outer, most_there + (away - most) * size)
    found = np.where(away < 0, away * size, np.where(away < usual, inner, beyond))
    still = most <= MOVES * here.largest  # at rest, where a proportion is one of noise
    return up * np.where(still, wanted + (away - usual) * size, found)
