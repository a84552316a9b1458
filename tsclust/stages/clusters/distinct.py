"""Equal rows once: within the normal band many series are one and the same, and sums need no more than how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Int64s
from tsclust.stages.clusters import kernels
from tsclust.stages.clusters.kernels import Places

Kind = TypeVar("Kind", np.int16, np.uint8)


@dataclass(frozen=True)
class Distinct(Generic[Kind]):
    """The different ones of n rows: rows (u, d), times (u,) that each is there, at (n,) which of them each row is."""

    rows: npt.NDArray[Kind]
    times: Int64s
    at: Places

    @classmethod
    def of(cls, rows: npt.NDArray[Kind]) -> Distinct[Kind]:
        at, first = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
        found = kernels.distinct(rows, at, first)
        return cls(rows[first[:found]], np.bincount(at, minlength=found), at)
