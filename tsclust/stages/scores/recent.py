"""The last weeks of series that are scored: a change must not drown in the years before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tsclust.arrays import Bools

DAYS = 30  # a window always holds as much, unlike a month that has just begun
LATE = 0.99  # of a part's times: a clock that is years ahead must not say what is new


@dataclass(frozen=True)
class RecentWindow:
    """What was recorded at `start` (microseconds since 1970) or later."""

    start: int

    def rows(self, when: pl.Series) -> Bools:
        """(all,) which series with these times, null where not known, are in it."""
        late: Bools = (when.dt.timestamp("us") >= self.start).fill_null(False).to_numpy()
        return late


def last_days(ends: Sequence[npt.NDArray[np.float64]]) -> RecentWindow | None:
    """The last DAYS days, from when each part begins and ends; None where there are no more days than these."""
    of_parts = np.array(ends)
    first, newest = np.fmin.reduce(of_parts[:, 0]), np.fmax.reduce(of_parts[:, 1])
    start = newest - DAYS * 86_400_000_000
    return RecentWindow(int(start)) if first < start else None


def ends_of(when: pl.Series) -> npt.NDArray[np.float64]:
    """(2,) when a part with these times begins and ends; NaN where nothing says."""
    at = when.dt.timestamp("us")
    return np.array([at.quantile(1 - LATE), at.quantile(LATE)], np.float64)
