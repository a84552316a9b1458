"""What lies outside of all that was learned: far from every labelled series, nearer ones of other machines included.

Scaled features are whole multiples of 1/1024 and at most 31: their squares and products are exact in float64, and so
are their sums in any order. A series is as far away alone as it is among a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s
from tsclust.stages.model import kernels
from tsclust.stages.model.classifier import Examples, Fold

PER_KIND = 1_000  # series of a kind that stand for it
FALSE_ALARMS = 0.01  # of labelled malfunctions may lie outside, as seen from other machines
PIVOTS = 256  # fewer leave more references to look at, more take longer themselves


@dataclass(frozen=True)
class References:
    """Points (m, d) to which distances are asked for, prepared once."""

    points: npt.NDArray[np.float32]

    @cached_property
    def _by_pivot(self) -> tuple[Floats, Floats, Int64s, Floats, Floats]:
        """What `kernels.nearest_squares` takes: the pivots, and all points in their order."""
        points = np.ascontiguousarray(self.points, np.float64)
        at, near = np.zeros(min(PIVOTS, len(points)), np.int64), np.zeros(len(points), np.int64)
        away = np.zeros(len(points))
        kernels.pivots(points, at, near, away)
        order = np.lexsort((away, near))
        starts = np.searchsorted(near[order], np.arange(len(at) + 1))
        radius = np.full(len(at), -np.inf)
        np.maximum.at(radius, near, away)
        return points[at], radius, starts, points[order], away[order]

    @cached_property
    def innermost(self) -> float:
        """The distance of the point that is nearest to the origin; infinite for none."""
        return float(np.sqrt((self.points**2).sum(axis=1)).min(initial=np.inf))

    def distances(self, x: Floats) -> Floats:
        """(n,) Euclidean distance of x (n, d) to the nearest point, as float32 has it; infinite for m = 0."""
        if not len(x) or not len(self.points):
            return np.full(len(x), np.inf)
        square = np.empty(len(x))
        kernels.nearest_squares(x.astype(np.float32).astype(np.float64), *self._by_pivot, square)
        distance: Floats = np.sqrt(square.astype(np.float32)).astype(np.float64)
        return distance


@dataclass(frozen=True)
class NoveltyDetector:
    """reference (m, d): labelled series, scaled; limit: what is farther than that from all of them is none of them."""

    reference: npt.NDArray[np.float32]
    limit: float

    @cached_property
    def _references(self) -> References:
        return References(self.reference)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was derived, which is as large again."""
        return asdict(self)

    def novelty(self, x: Floats) -> Floats:
        """(n,) the distance of x (n, d) to the nearest reference, in limits: above 1 it is none of these.

        Near the origin, where nothing exceeds normal, it is not looked for: 0 says that it is less than 1.
        """
        far = np.flatnonzero(np.sqrt((x**2).sum(axis=1)) + self._references.innermost > self.limit)
        found = np.zeros(len(x))
        found[far] = self._references.distances(x[far]) / self.limit
        return np.round(found, 6)


def fit(examples: Examples, folds: Sequence[Fold], normal: str) -> tuple[NoveltyDetector, Floats]:
    """(the detector, (n,) the novelty of the examples as seen from machines other than their own).

    The limit is what all but FALSE_ALARMS of the malfunctions keep to; where there are none, of all.
    """
    apart = np.full(len(examples.kind), np.inf)
    for fold in folds:
        apart[fold[1]] = _apart(examples, fold)
    seen = np.isfinite(apart)
    strange = seen & (examples.kind != (examples.kinds.index(normal) if normal in examples.kinds else -1))
    chosen = apart[strange] if strange.any() else apart[seen]
    limit = max(float(np.quantile(chosen, 1 - FALSE_ALARMS)), 1e-3) if len(chosen) else 1.0
    return NoveltyDetector(reference(examples), limit), np.where(seen, apart, 0.0) / limit


def reference(examples: Examples) -> npt.NDArray[np.float32]:
    """(m, d) the first PER_KIND examples of each kind."""
    rows = [np.flatnonzero(examples.kind == kind)[:PER_KIND] for kind in range(len(examples.kinds))]
    return examples.x[np.concatenate(rows)].astype(np.float32)


def _apart(examples: Examples, fold: Fold) -> Floats:
    """(unseen,) distance to the nearest reference of the others; infinite for a kind that they do not have."""
    known, unseen = fold
    found = References(reference(examples.of(known))).distances(examples.x[unseen])
    return np.where(np.isin(examples.kind[unseen], examples.kind[known]), found, np.inf)


def nearest(x: Floats, to: Floats, count: int) -> Int64s:
    """(count,) the rows of `to` (m, d) that are nearest to x (d,)."""
    return np.argsort(((to - x) ** 2).sum(axis=1), kind="stable")[:count]
