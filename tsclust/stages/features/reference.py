"""What is normal of each feature: a middle and a spread for every baseline, or for every regime of the normal mass.

Both are robust: of the series that they are taken from some are what is looked for. Where no column names a baseline,
the regimes of the normal mass are the baselines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s, Keys
from tsclust.stages.features import regimes
from tsclust.stages.features.regimes import Regimes

MIN_SERIES = 15  # sampled series that a baseline needs for a middle of its own
DECILES = 2.5631  # standard deviations between the first and the last tenth of a normal distribution
MAD = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is normal of d features, for g baselines.

    keys     (g,) names of the baselines, sorted; the first, "", is the whole
    centers  (g, d) in feature units
    spreads  (g, d) in feature units, never 0
    too_few  baselines that have no middle of their own: they are compared with the whole
    regimes  the ways of being normal, row 1 + i of centers is that of regime i; None with a baseline, or with but one
    """

    keys: Keys
    centers: Floats
    spreads: Floats
    too_few: int
    regimes: Regimes | None = None

    def deviations(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) features and (n,) baseline keys -> (n, d) how many spreads each lies from its baseline's center."""
        row = self.compared_with(x, keys)
        z: Floats = (x - self.centers[row]) / self.spreads[row]
        return z

    def compared_with(self, x: Floats, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of centers that each series is compared with: of its baseline, or regime, or the whole."""
        return self.rows(keys) if self.regimes is None else 1 + self.regimes.nearest(x)

    def rows(self, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of each key; 0, the whole, for one that has no middle of its own."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, 0)


def fit(x: Floats, keys: Keys, least: Floats, *, robust: bool = True, look: bool = True) -> Reference:
    """From a sample: x (n, d) features, keys (n,) baseline keys, least (d,) smallest meaningful spread.

    `look` for regimes where no key names a baseline. Without `robust`: mean and standard deviation, and no regimes. The
    rows come in an order of chance.
    """
    whole = center_and_spread(x, least, robust)
    found = _regimes(x, whole) if look and robust and not (keys != "").any() else None
    if found is not None:
        keys = np.char.add("regime ", np.char.zfill((1 + found.nearest(x)).astype(str), 3))
    own, rows = _rows_of(keys)
    enough = [(name, members) for name, members in zip(own, rows, strict=True) if len(members) >= MIN_SERIES and name]
    fitted = [whole, *(center_and_spread(x[members], least, robust) for _, members in enough)]
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    too_few = sum(1 for name in own if name) - len(enough)
    names = np.array(["", *(name for name, _ in enough)])
    return Reference(keys=names, centers=centers, spreads=spreads, too_few=too_few, regimes=found)


def center_and_spread(x: Floats, least: Floats, robust: bool = True) -> tuple[Floats, Floats]:
    """((d,), (d,)) the median and the spread of x (n, d), at least `least` (d,); mean and standard deviation without
    `robust`.

    The spread is the larger of the MAD and of what the middle eight tenths span, both as a standard deviation of a
    normal distribution: of a feature that is mostly one value, or has two, the MAD sees one side. 0 gives way to the
    mean deviation.
    """
    if not robust:
        return x.mean(axis=0), np.maximum(x.std(axis=0), least)
    low, center, high = np.quantile(x, (0.1, 0.5, 0.9), axis=0)
    deviation = np.abs(x - center)
    spread = np.maximum(MAD * np.median(deviation, axis=0), (high - low) / DECILES)
    return center, np.maximum(np.where(spread > 0, spread, deviation.mean(axis=0)), least)


def _regimes(x: Floats, whole: tuple[Floats, Floats]) -> Regimes | None:
    """None where one of them has too few series."""
    found = regimes.find(x, *whole)
    if found is None or np.bincount(found.nearest(x), minlength=len(found.places)).min() < MIN_SERIES:
        return None
    return found


def _rows_of(keys: Keys) -> tuple[Keys, list[Int64s]]:
    """The distinct keys, sorted, and the rows of each in order."""
    own, row, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(row, kind="stable")
    return own, np.split(order, np.cumsum(sizes)[:-1])
