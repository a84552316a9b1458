"""What lies outside of all that was learned: far from every labelled series, nearer ones of other machines included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import pairwise_distances_argmin_min

from tsclust.arrays import Floats, Int64s
from tsclust.stages.model.classifier import Examples, Fold

PER_KIND = 1_000  # series of a kind that stand for it
FALSE_ALARMS = 0.01  # of labelled malfunctions may lie outside, as seen from other machines


@dataclass(frozen=True)
class Known:
    """reference (m, d): labelled series, scaled; limit: what is farther than that from all of them is none of them."""

    reference: npt.NDArray[np.float32]
    limit: float

    def novelty(self, x: Floats) -> Floats:
        """(n,) the distance of x (n, d) to the nearest reference, in limits: above 1 it is none of these.

        Near the origin, where nothing exceeds normal, it is not looked for: 0 says that it is less than 1.
        """
        inner = np.sqrt((self.reference**2).sum(axis=1)).min(initial=np.inf)
        far = np.flatnonzero(np.sqrt((x**2).sum(axis=1)) + inner > self.limit)
        found = np.zeros(len(x))
        found[far] = distances(x[far], self.reference) / self.limit
        return np.round(found, 6)


def fit(examples: Examples, folds: Sequence[Fold], normal: str) -> tuple[Known, Floats]:
    """(what is known, (n,) the novelty of the examples as seen from machines other than their own).

    The limit is what all but FALSE_ALARMS of the malfunctions keep to; where there are none, of all.
    """
    apart = np.full(len(examples.kind), np.inf)
    for fold in folds:
        apart[fold[1]] = _apart(examples, fold)
    seen = np.isfinite(apart)
    strange = seen & (examples.kind != (examples.kinds.index(normal) if normal in examples.kinds else -1))
    chosen = apart[strange] if strange.any() else apart[seen]
    limit = max(float(np.quantile(chosen, 1 - FALSE_ALARMS)), 1e-3) if len(chosen) else 1.0
    return Known(reference(examples), limit), np.where(seen, apart, 0.0) / limit


def reference(examples: Examples) -> npt.NDArray[np.float32]:
    """(m, d) the first PER_KIND examples of each kind."""
    rows = [np.flatnonzero(examples.kind == kind)[:PER_KIND] for kind in range(len(examples.kinds))]
    return examples.x[np.concatenate(rows)].astype(np.float32)


def _apart(examples: Examples, fold: Fold) -> Floats:
    """(asked,) distance to the nearest reference of the others; infinite for a kind that they do not have."""
    known, asked = fold
    found = distances(examples.x[asked], reference(examples.of(known)))
    return np.where(np.isin(examples.kind[asked], examples.kind[known]), found, np.inf)


def distances(x: Floats, to: npt.NDArray[np.float32]) -> Floats:
    """(n,) Euclidean distance of x (n, d) to the nearest of `to` (m, d); infinite for m = 0."""
    if not len(x) or not len(to):
        return np.full(len(x), np.inf)
    _, found = pairwise_distances_argmin_min(x.astype(np.float32), to)
    return np.asarray(found, np.float64)


def nearest(x: Floats, to: Floats, count: int) -> Int64s:
    """(count,) the rows of `to` (m, d) that are nearest to x (d,)."""
    return np.argsort(((to - x) ** 2).sum(axis=1), kind="stable")[:count]
