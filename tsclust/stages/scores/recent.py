"""The last weeks of series that are scored: a change must not drown in the years before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tsclust.arrays import Bools
from tsclust.engine.base import map_parts
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

DAYS = 30  # a window always holds as much, unlike a month that has just begun
LATE = 0.99  # of a part's times: a clock that is years ahead must not say what is new
WORKERS = 2


@dataclass(frozen=True)
class Window:
    """What was recorded at `start` (microseconds since 1970) or later, by a carried column of times."""

    workspace: Workspace
    column: str
    start: int

    def rows(self, path: Path) -> Bools:
        """(all,) which rows of a part of features/ are in it."""
        when = times(self.workspace, self.column, path).dt.timestamp("us")
        late: Bools = (when >= self.start).fill_null(False).to_numpy()
        return late


def last(workspace: Workspace) -> Window | None:
    """The last DAYS days of its series; None where no column says when, or there are no more days than these."""
    column = series_parts.column_of_times(workspace)
    if column is None:
        return None
    ends = np.array(list(map_parts(partial(_ends, workspace, column), workspace.parts(SERIES), WORKERS)))
    first, newest = np.fmin.reduce(ends[:, 0]), np.fmax.reduce(ends[:, 1])
    start = newest - DAYS * 86_400_000_000
    return Window(workspace, column, int(start)) if first < start else None


def _ends(workspace: Workspace, column: str, path: Path) -> npt.NDArray[np.float64]:
    """(2,) when a part begins and ends; NaN where nothing says."""
    when = times(workspace, column, path).dt.timestamp("us")
    return np.array([when.quantile(1 - LATE), when.quantile(LATE)], np.float64)


def times(workspace: Workspace, column: str, path: Path) -> pl.Series:
    """(all,) when the series of a part of features/ were recorded, null where that is not known."""
    return series_parts.read_times(workspace.stage(SERIES) / path.name, column)
