"""Series that pause for far longer than their steps are: where most do, their ids started again, and one id is two
recordings. A few may well have paused: they are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tsclust.arrays import Bools, Int64s
from tsclust.errors import BadSeriesError

FAR = 1_000  # times the usual step of a series
FEWEST = 5  # rows that show what is usual
_MOST = 1 / 2  # of the series


@dataclass
class Pauses:
    """How many series there are, how many pause, and one that does."""

    series: int = 0
    found: int = 0
    one: object = None
    times: float = 0.0  # its usual step

    def add(self, ids: pa.Array, steps: npt.NDArray[np.float64], firsts: Int64s) -> int:
        """Note series by their ids (rows,), the step (rows - 1,) from each row to the next and the first row of each;
        gives how many pause."""
        ratios = _ratios(steps, firsts, len(ids))
        pausing = np.flatnonzero(ratios > FAR)
        if len(pausing) and not self.found:
            self.one, self.times = ids[firsts[pausing[0]]], float(ratios[pausing[0]])
        self.series += len(firsts)
        self.found += len(pausing)
        return len(pausing)

    def check(self, order: str, next_step: str) -> None:
        """Raises BadSeriesError where most series pause, two at the least."""
        if self.found >= 2 and self.found > _MOST * self.series:
            raise pausing(f"{self.found:,} of {self.series:,} series", order, self.one, self.times, next_step)


def pausing(how_many: str, order: str, one: object, times: float, next_step: str) -> BadSeriesError:
    """The error for ids that seem to have started again."""
    return BadSeriesError(
        f"{how_many} pause for more than {FAR:,} times their usual step in {order} (series {one}: {times:,.0f} times),"
        " as where ids start again: expected a recording in one piece",
        next_step,
    )


def _ratios(steps: npt.NDArray[np.float64], firsts: Int64s, rows: int) -> npt.NDArray[np.float64]:
    """(series,) The longest step in terms of the usual one, the median; 0 for series of few rows."""
    ends = np.append(firsts[1:], rows)
    found = np.zeros(len(firsts))
    enough = ends - firsts >= FEWEST
    if not enough.any():
        return found
    within = np.append(steps, 0.0)
    within[ends - 1] = 0.0  # the step into the next series
    longest = np.maximum.reduceat(within, firsts)
    within[ends - 1] = np.inf
    candidates: Bools = enough & (longest > FAR * np.minimum.reduceat(within, firsts))
    for i in np.flatnonzero(candidates):
        usual = float(np.median(steps[firsts[i] : ends[i] - 1]))
        found[i] = longest[i] / usual if usual > 0 else 0.0
    return found
