"""Features -> comparable numbers: how far each lies outside of what is normal for its baseline.

K-means spends its centers where the variance is, and with 95 % normal that is inside the normal mass. So each feature
is centred and scaled robustly against its baseline, what lies inside the normal band counts nothing, what exceeds it
counts by its logarithm (a heavy tail must not decide alone), and features that say the same share their weight. Where
no column names a baseline, the regimes of the normal mass are the baselines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats
from tsclust.stages.clusters import regimes
from tsclust.stages.clusters.regimes import Regimes

BAND = 2.0  # robust deviations: what lies inside is normal
ENOUGH = 15  # sampled series a baseline group needs for medians of its own
GRID = 1024  # scaled values lie on a grid of 1/1024: sums of integers are exact in any order
LIMIT = 31.0  # scaled values end here, so that they fit 16 bits
DECILES = 2.5631  # standard deviations between the first and the last tenth of a normal distribution
MAD = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation

Keys = npt.NDArray[np.str_]
Grid = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Scaler:
    """What is normal. d features, g baseline groups.

    method   exceedance, robust or standard
    keys     (g,) names of the baseline groups, sorted; the first, "", is the whole
    centers  (g, d) in feature units
    spreads  (g, d) in feature units, never 0
    weights  (d,) 0 for a feature without any spread
    too_few  baseline groups that have no medians of their own: they are compared with the whole
    band     spreads from the center that count as normal
    regimes  the ways of being normal, row 1 + i of centers is that of regime i; None with a baseline, or with but one
    """

    method: str
    keys: Keys
    centers: Floats
    spreads: Floats
    weights: Floats
    too_few: int
    band: float = BAND
    regimes: Regimes | None = None

    def transform(self, x: Floats, keys: Keys) -> Grid:
        """(n, d) features and (n,) baseline keys -> (n, d) int16: the scaled features times GRID."""
        return self.of_deviations(self.deviations(x, keys))

    def deviations(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) how many spreads each feature lies from the center of its baseline group, or regime."""
        row = self.compared_with(x, keys)
        z: Floats = (x - self.centers[row]) / self.spreads[row]
        return z

    def compared_with(self, x: Floats, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of centers that each series is compared with: of its baseline group, or regime, or the whole."""
        return self.rows(keys) if self.regimes is None else 1 + self.regimes.nearest(x)

    def of_deviations(self, z: Floats) -> Grid:
        """(n, d) deviations -> (n, d) int16: the scaled features times GRID."""
        shaped = _exceedance(z, self.band) if self.method == "exceedance" else z
        return np.rint(np.clip(shaped * self.weights, -LIMIT, LIMIT) * GRID).astype(np.int16)

    def rows(self, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of each key; 0, the whole, for one that has no medians of its own."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, 0)


def fit(x: Floats, keys: Keys, method: str, smallest: Floats, band: float = BAND, look: bool = True) -> Scaler:
    """A Scaler from a sample: x (n, d) features, keys (n,) baseline keys, smallest (d,) least meaningful spread.

    `look` for regimes where no key names a baseline. The rows come in an order of chance.
    """
    whole = _center_and_spread(x, method, smallest)
    found = regimes.find(x, *whole) if look and method != "standard" and not (keys != "").any() else None
    if found is not None and np.bincount(found.nearest(x), minlength=len(found.places)).min() < ENOUGH:
        found = None
    if found is not None:
        keys = np.char.add("regime ", np.char.zfill((1 + found.nearest(x)).astype(str), 3))
    own, row, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(row, kind="stable")
    groups = np.split(order, np.cumsum(sizes)[:-1])
    enough = [(name, members) for name, members in zip(own, groups, strict=True) if len(members) >= ENOUGH and name]
    fitted = [whole, *(_center_and_spread(x[members], method, smallest) for _, members in enough)]
    names = np.array(["", *(name for name, _ in enough)])
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    too_few = sum(1 for name in own if name) - len(enough)
    scaler = Scaler(method, names, centers, spreads, np.ones(x.shape[1]), too_few, band, found)
    weights = _shared_weights(scaler.transform(x, keys) / GRID) if method == "exceedance" else np.ones(x.shape[1])
    return replace(scaler, weights=np.where(x.max(axis=0) > x.min(axis=0), weights, 0.0))


def _center_and_spread(x: Floats, method: str, smallest: Floats) -> tuple[Floats, Floats]:
    """Median and spread; mean and standard deviation for `standard`.

    The spread is the larger of the MAD and of what the middle eight tenths span, both as a standard deviation of a
    normal distribution: of a feature that is mostly one value, or has two, the MAD sees one side. 0 gives way to the
    mean deviation.
    """
    if method == "standard":
        return x.mean(axis=0), np.maximum(x.std(axis=0), smallest)
    low, center, high = np.quantile(x, (0.1, 0.5, 0.9), axis=0)
    deviation = np.abs(x - center)
    spread = np.maximum(MAD * np.median(deviation, axis=0), (high - low) / DECILES)
    return center, np.maximum(np.where(spread > 0, spread, deviation.mean(axis=0)), smallest)


def _exceedance(z: Floats, band: float) -> Floats:
    """sign(z) log(1 + what of |z| exceeds the band)."""
    out: Floats = np.sign(z) * np.log1p(np.maximum(np.abs(z) - band, 0.0))
    return out


def _shared_weights(y: Floats) -> Floats:
    """(d,) the weights that features share over the farther half of the rows that exceed anything."""
    far = np.abs(y).sum(axis=1)
    outside = far[far > 0]
    if len(outside) < 2 * ENOUGH:
        return np.ones(y.shape[1])
    return regimes.shared_weights(y[far > np.median(outside)])


FINE = 2.0**16  # steps per spread in which features are summed up exactly
FAR = 2.0**42  # and where they end: a million of these still fit 64 bits


def to_fine(scaler: Scaler, x: Floats) -> npt.NDArray[np.int64]:
    """(n, d) features -> (n, d) int64 steps from the whole's center, so that their sums are the same in any order."""
    steps: Floats = np.rint(np.clip((x - scaler.centers[0]) / scaler.spreads[0] * FINE, -FAR, FAR))
    return steps.astype(np.int64)


def from_fine(scaler: Scaler, total: npt.NDArray[np.int64], count: npt.NDArray[np.int64]) -> Floats:
    """(c, d) sums of steps over (c,) members -> (c, d) mean features in their own units; NaN for no members."""
    mean = total / np.where(count > 0, count, np.nan)[:, None]
    out: Floats = scaler.centers[0] + mean * scaler.spreads[0] / FINE
    return out
