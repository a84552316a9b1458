"""How the features of a group are spread beside those of the normal series, as small histograms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.data import Spread
from tsclust.stages.reports.groups.sample import Sample
from tsclust.stages.reports.groups.unusual import NormalReference

BINS = 24
HIGHEST = 35  # of a bar: a digit of base 36
NORMAL_SHOWN = 5_000  # normal series that stand for all
BEYOND = 0.005  # of the members, and of the normal series, on each side: counted in the first and last bin


@dataclass(frozen=True)
class GroupDeviations:
    """How far the series drawn are from what is usual for each, in d features.

    away    (n, d) in feature units;  z (n, d) in the sweep's spreads
    normal  the rows that stand for all normal series
    """

    reference: NormalReference
    away: Floats
    z: Floats
    normal: Int64s

    @classmethod
    def of(cls, drawn: Sample, reference: NormalReference) -> GroupDeviations:
        """Compared with the whole, features stay as they are: there is nothing to take off."""
        compared = bool(reference.regimes) or (drawn.keys != "").any()
        own = reference.center_of(drawn.x, drawn.keys) if compared else np.zeros_like(drawn.x)
        z = reference.deviations(drawn.x, drawn.keys)
        return cls(reference, drawn.x - own, z, np.flatnonzero(drawn.normal)[:NORMAL_SHOWN])

    @cached_property
    def _middle(self) -> Floats:
        """(d,) of the z of the normal series."""
        middle: Floats = np.median(self.z[self.normal], axis=0)
        return middle

    @cached_property
    def _normal(self) -> tuple[Floats, Floats]:
        """(m, d) `away` of the normal series, and its ends."""
        away = self.away[self.normal]
        return away, _ends(away)

    def spreads(self, rows: Int64s) -> tuple[Spread, ...]:
        """Of the series `rows` beside the normal ones, the features farthest from normal first."""
        middle = np.median(self.z[rows], axis=0) - self._middle
        order = np.argsort(-np.abs(middle), kind="stable")
        found = list(self._each(self.away[rows]))
        return tuple(found[j] for j in order)

    def _each(self, members: Floats) -> Iterator[Spread]:
        (normal, around), ends = self._normal, _ends(members)
        lows, highs = np.minimum(ends[0], around[0]), np.maximum(ends[1], around[1])
        for j, feature in enumerate(self.reference.features):
            low, high = _wide(float(lows[j]), float(highs[j]), float(self.reference.scaler.spreads[0, j]))
            yield Spread(feature.name, low, high, _heights(members[:, j], low, high), _heights(normal[:, j], low, high))


def _ends(x: Floats) -> Floats:
    """(2, d) between which x (n, d) lies but for what is BEYOND."""
    ends: Floats = np.quantile(x, (BEYOND, 1 - BEYOND), axis=0)
    return ends


def _wide(low: float, high: float, spread: float) -> tuple[float, float]:
    """At least a spread on each side, where all values are one."""
    return (low, high) if high - low > 1e-12 * max(abs(low), abs(high), spread) else (low - spread, high + spread)


def _heights(values: Floats, low: float, high: float) -> tuple[int, ...]:
    at = np.clip((values - low) / (high - low) * BINS, 0, BINS - 1).astype(np.int64)
    counts = np.bincount(at, minlength=BINS)
    heights = np.rint(HIGHEST * counts / max(counts.max(), 1)).astype(np.int64)
    return tuple(np.maximum(heights, counts > 0).tolist())  # what is there is seen
