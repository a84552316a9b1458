"""Rows laid down on disk for the passes over them: memory stays free, and a part travels as path and shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Grid, UInt64s
from tsclust.stages.clusters.distinct import Distinct
from tsclust.workspace.atomic import beside_of


@dataclass(frozen=True)
class ScaledPart:
    """n rows of one part in files beside each other: the different ones of them, u of d numbers on the grid, `times`
    (u,) and `at` (n,) as in Distinct, and the hashes (n,) of their series_id."""

    path: Path
    shape: tuple[int, int]
    series: int

    @classmethod
    def write(cls, path: Path, rows: Grid, hashes: UInt64s) -> ScaledPart:
        """Lay rows and hashes down at `path`, in files with endings of their own."""
        different = Distinct.of(rows)
        lay_down(path.with_suffix(".rows"), different.rows)
        lay_down(path.with_suffix(".times"), different.times)
        lay_down(path.with_suffix(".at"), different.at)
        lay_down(path.with_suffix(".hashes"), hashes)
        return cls(path, (different.rows.shape[0], rows.shape[1]), len(rows))

    @property
    def distinct(self) -> Distinct[np.int16]:
        """Mapped, not read."""
        return Distinct(
            mapped(self.path.with_suffix(".rows"), np.dtype(np.int16), self.shape),
            mapped(self.path.with_suffix(".times"), np.dtype(np.int64), self.shape[:1]),
            mapped(self.path.with_suffix(".at"), np.dtype(np.int32), (self.series,)),
        )

    @property
    def hashes(self) -> UInt64s:
        """(n,), mapped, not read."""
        return mapped(self.path.with_suffix(".hashes"), np.dtype(np.uint64), (self.series,))


def lay_down(path: Path, array: npt.NDArray[Any]) -> None:
    """Write it without its shape. (np.save hides that a disk is full.)"""
    beside = beside_of(path)  # whoever does the same part too writes the same
    beside.write_bytes(np.ascontiguousarray(array).tobytes())
    beside.replace(path)


def mapped(path: Path, kind: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """What was laid down at `path`, mapped. A file without bytes cannot be."""
    return np.memmap(path, kind, "r", shape=shape) if np.prod(shape) else np.zeros(shape, kind)
