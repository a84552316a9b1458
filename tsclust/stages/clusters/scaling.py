"""Features -> comparable numbers: how far each is outside of what is normal for its baseline.

K-means spends its centers where the variance is, and with 95 % normal that is inside the normal mass. So each feature
is centred and scaled robustly against its baseline, what is inside the normal band counts nothing, what exceeds it
counts by its logarithm (a heavy tail must not decide alone), and features that say the same share their weight. Where
no column names a baseline, the regimes of the normal mass are the baselines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tsclust.arrays import Floats, Grid, Int64s, Keys
from tsclust.stages.features import reference
from tsclust.stages.features.reference import MIN_SERIES, Reference
from tsclust.stages.features.regimes import shared_weights

BAND = 2.0  # robust deviations: what is within them is normal
TAIL = 0.04  # of the series: so many may be beyond the band of a feature before it counts less
GRID = 1024  # scaled values are on a grid of 1/1024: sums of integers are exact in any order
LIMIT = 31.0  # scaled values end here, so that they fit 16 bits


@dataclass(frozen=True, kw_only=True)
class Scaler(Reference):
    """What is normal, and what counts of d features that are not.

    method   exceedance, robust or standard
    weights  (d,) 0 for a feature without any spread
    band     spreads from the center that count as normal
    """

    method: str
    weights: Floats
    band: float = BAND

    def transform(self, x: Floats, keys: Keys) -> Grid:
        """(n, d) features and (n,) baseline keys -> (n, d) int16: the scaled features times GRID."""
        return self.of_deviations(self.deviations(x, keys))

    def of_deviations(self, z: Floats) -> Grid:
        """(n, d) deviations -> (n, d) int16: the scaled features times GRID."""
        shaped = exceedance(z, self.band) if self.method == "exceedance" else z.copy()
        shaped *= self.weights  # in place: of a sample each step would be a copy of all
        np.clip(shaped, -LIMIT, LIMIT, out=shaped)
        shaped *= GRID
        return np.rint(shaped, out=shaped).astype(np.int16)


def fit(x: Floats, keys: Keys, method: str, least: Floats, band: float = BAND, look: bool = True) -> Scaler:
    """A Scaler from a sample: x (n, d) features, keys (n,) baseline keys, least (d,) or (n, d) smallest meaningful
    spread.

    `look` for regimes, in all or beside the baselines. The rows come in an order of chance.
    """
    normal = reference.fit(x, keys, least, robust=method != "standard", look=look)
    scaler = Scaler(**vars(normal), method=method, weights=np.ones(x.shape[1]), band=band)
    weights = scaler.weights
    if method == "exceedance":
        z = scaler.deviations(x, keys)
        weights = shared_by_the_far(scaler.of_deviations(z) / GRID) * _steady(z, band)
    return replace(scaler, weights=np.where(x.max(axis=0) > x.min(axis=0), weights, 0.0))


def _steady(z: Floats, band: float) -> Floats:
    """(d,) what a feature counts that leaves the band by itself: a twenty-fifth of the series outside it is no sign."""
    outermost = np.quantile(np.abs(z), 1 - TAIL, axis=0)
    share: Floats = band / np.maximum(outermost, band)
    return share


def exceedance(z: Floats, band: float) -> Floats:
    """sign(z) log(1 + what of |z| exceeds the band)."""
    out: Floats = np.abs(z)
    out -= band
    np.maximum(out, 0.0, out=out)
    return np.copysign(np.log1p(out, out=out), z, out=out)


def shared_by_the_far(y: Floats) -> Floats:
    """(d,) the weights that features share over the farther half of the rows that exceed anything."""
    far = np.abs(y).sum(axis=1)
    outside = far[far > 0]
    if len(outside) < 2 * MIN_SERIES:
        return np.ones(y.shape[1])
    return shared_weights(y[far > np.median(outside)])


FINE = 2.0**16  # steps per spread in which features are summed up exactly
FAR = 2.0**42  # and where they end: a million of these still fit 64 bits


def to_fine(normal: Reference, x: Floats) -> Int64s:
    """(n, d) features -> (n, d) int64 steps from the whole's center, so that their sums are the same in any order."""
    steps: Floats = np.rint(np.clip((x - normal.centers[0]) / normal.spreads[0] * FINE, -FAR, FAR))
    return steps.astype(np.int64)


def from_fine(normal: Reference, total: Int64s, count: Int64s) -> Floats:
    """(c, d) sums of steps over (c,) members -> (c, d) mean features in their own units; NaN for no members."""
    mean = total / np.where(count > 0, count, np.nan)[:, None]
    out: Floats = normal.centers[0] + mean * normal.spreads[0] / FINE
    return out
