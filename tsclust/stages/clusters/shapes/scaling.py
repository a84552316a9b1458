"""Measures of shape -> comparable numbers, as `clusters.scaling` makes of features: against the typical curve that a
series is most like, and there against its own baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsclust.arrays import Floats, Grid, Keys
from tsclust.stages.clusters.scaling import BAND, GRID, LIMIT, exceedance, shared_by_the_far
from tsclust.stages.clusters.shapes import kernels
from tsclust.stages.features import reference
from tsclust.stages.features.reference import Reference

LEAST = 0.002  # of the own size: no spread of a measure is smaller
TAIL = 0.02  # of the series: so many may be beyond the band of a measure, on each side, before it counts less


@dataclass(frozen=True, kw_only=True)
class ShapeScaler(Reference):
    """What is normal of d measures along t typical curves. As a Reference it has the whole alone.

    curve_centers, curve_spreads  (t, d) of the series along each curve
    own        of their baselines, in spreads of their curve; None without one
    tails      (2, d) what deviations upwards and downwards are multiplied by: a heavy tail counts less
    weights    (d,)
    """

    curve_centers: Floats
    curve_spreads: Floats
    own: Reference | None
    tails: Floats
    weights: Floats

    def transform(self, x: Floats, keys: Keys) -> Grid:
        """(n, 1 + d) the typical curve of each series, -1 for none, and its measures; (n,) keys of baselines -> the
        same shape, int16: what of each measure exceeds normal, times GRID. The first column is 0."""
        shaped = np.zeros(x.shape)
        shaped[:, 1:] = exceedance(_tailed(_deviations(self, x, keys), self.tails), BAND) * self.weights
        return np.rint(np.clip(shaped, -LIMIT, LIMIT) * GRID).astype(np.int16)

    def of_columns(self, columns: Sequence[int]) -> ShapeScaler:
        """Of these columns of x alone, the first of which names the curve."""
        at = np.array(columns[1:], np.int64) - 1
        own = None if self.own is None else self.own.only(at)
        return replace(
            self, centers=self.centers[:, [*columns]], spreads=self.spreads[:, [*columns]], own=own,
            curve_centers=self.curve_centers[:, at], curve_spreads=self.curve_spreads[:, at],
            tails=self.tails[:, at], weights=self.weights[at],
        )  # fmt: skip


def fit(x: Floats, keys: Keys, curves: int) -> ShapeScaler:
    """From a sample in an order of chance: x (n, 1 + d) and keys (n,) as `ShapeScaler.transform` takes them."""
    measures, which = x[:, 1:], x[:, 0].astype(np.int64)
    least = least_spreads(measures.shape[1])
    whole = reference.center_and_spread(measures, least)
    fitted = [_of(measures[which == curve], least, whole) for curve in range(curves)]
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    scaler = ShapeScaler(
        keys=np.array([""]), centers=_beside(0.0, whole[0]), spreads=_beside(1.0, whole[1]), too_few=0,
        curve_centers=centers,
        curve_spreads=spreads, own=None, tails=np.ones((2, len(least))), weights=np.ones(len(least)),
    )  # fmt: skip
    own = _own(scaler, x, keys, least / spreads[np.maximum(which, 0)]) if (keys != "").any() else None
    scaler = replace(scaler, own=own)
    z = _deviations(scaler, x, keys)
    tails = np.stack([_tail(z), _tail(-z)])
    weights = shared_by_the_far(exceedance(_tailed(z, tails), BAND))
    constant = measures.max(axis=0) <= measures.min(axis=0)
    return replace(scaler, tails=tails, weights=np.where(constant, 0.0, weights))


def _beside(curve: float, measures: Floats) -> Floats:
    """(1, 1 + d) with a number for the column that names the curve."""
    return np.concatenate([[curve], measures])[None]


def least_spreads(d: int) -> Floats:
    """(d,) the least spread that means something: one sample where samples are counted."""
    least = np.full(d, LEAST)
    least[[1, *range(kernels.OF_ALL, d, kernels.OF_STRETCH)]] = 1.0
    return least


def _of(measures: Floats, least: Floats, whole: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return reference.center_and_spread(measures, least) if len(measures) else whole


def _own(scaler: ShapeScaler, x: Floats, keys: Keys, least: Floats) -> Reference:
    z = _deviations(scaler, x, keys)
    return reference.fit(z, _own_keys(x, keys), least, look=False)


def _own_keys(x: Floats, keys: Keys) -> Keys:
    """(n,) names of baselines, one for each typical curve."""
    curve = np.char.add(x[:, 0].astype(np.int64).astype(str), "\x1e")
    return np.where(keys == "", "", np.char.add(curve, keys))


def _deviations(scaler: ShapeScaler, x: Floats, keys: Keys) -> Floats:
    """(n, d) spreads from what is normal along the same curve; 0 for a series without a shape."""
    which = x[:, 0].astype(np.int64)
    z: Floats = (x[:, 1:] - scaler.curve_centers[which]) / scaler.curve_spreads[which]
    if scaler.own is not None:
        z = scaler.own.deviations(z, _own_keys(x, keys))
    z[which < 0] = 0.0
    return z


def _tail(z: Floats) -> Floats:
    """(d,) what brings the outermost `TAIL` of z upwards back to the band."""
    outermost = np.quantile(np.maximum(z, 0.0), 1 - TAIL, axis=0)
    share: Floats = BAND / np.maximum(outermost, BAND)
    return share


def _tailed(z: Floats, tails: Floats) -> Floats:
    tailed: Floats = np.where(z > 0, z * tails[0], z * tails[1])
    return tailed
