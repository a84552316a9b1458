"""The last weeks, week and day of series that are scored: a change must not drown in the months before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tsclust.arrays import Bools

DAYS = (30, 7, 1)  # a window always holds as much, unlike a month that has just begun
LATE = 0.99  # of a part's times: a clock that is years ahead must not say what is new


@dataclass(frozen=True)
class RecentWindow:
    """What was recorded at `start` (microseconds since 1970) or later: in the last `days` days."""

    start: int
    days: int

    def rows(self, when: pl.Series) -> Bools:
        """(all,) which series with these times, null where not known, are in it."""
        late: Bools = (when.dt.timestamp("us") >= self.start).fill_null(False).to_numpy()
        return late


def last_days(ends: Sequence[npt.NDArray[np.float64]]) -> tuple[RecentWindow, ...]:
    """The last DAYS, from when each part begins and ends; none of those in which there is everything."""
    of_parts = np.array(ends)
    first, newest = np.fmin.reduce(of_parts[:, 0]), np.fmax.reduce(of_parts[:, 1])
    starts = {days: newest - days * 86_400_000_000 for days in DAYS}
    return tuple(RecentWindow(int(start), days) for days, start in starts.items() if first < start)


def ends_of(when: pl.Series) -> npt.NDArray[np.float64]:
    """(2,) when a part with these times begins and ends; NaN where nothing says."""
    at = when.dt.timestamp("us")
    return np.array([at.quantile(1 - LATE), at.quantile(LATE)], np.float64)
