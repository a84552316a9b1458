"""What is normal of each feature: a middle and a spread for every baseline, or for every regime of the normal mass.

Both are robust: of the series that they are taken from some are what is looked for. Where no column names a baseline,
the regimes of the normal mass are the baselines; where each baseline has regimes, three products on every machine, each
of them is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Bools, Floats, Int64s, Keys
from tsclust.stages.features import regimes
from tsclust.stages.features.regimes import Regimes

MIN_SERIES = 15  # sampled series that a baseline needs for a middle of its own
NEAR = 4.0  # spreads: what is farther from its baseline's center is drawn to there before a mean is taken
DECILES = 2.5631  # standard deviations between the first and the last tenth of a normal distribution
MAD = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is normal of d features, for g baselines.

    keys     (g,) names of the baselines, sorted; the first, "", is the whole
    centers  (g, d) in feature units
    spreads  (g, d) in feature units, never 0
    too_few  baselines that have no middle of their own: they are compared with the whole
    regimes  the ways of being normal, None with but one. Without a baseline row 1 + i of centers is that of regime i
    offsets  (g, d) with regimes beside baselines: a baseline's series less these are looked up in the regimes
    cells    (g, r) then the row of centers for each baseline and regime
    """

    keys: Keys
    centers: Floats
    spreads: Floats
    too_few: int
    regimes: Regimes | None = None
    offsets: Floats | None = None
    cells: Int64s | None = None

    def deviations(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) features and (n,) baseline keys -> (n, d) how many spreads each lies from its baseline's center."""
        row = self.compared_with(x, keys)
        z: Floats = x - self.centers[row]
        z /= self.spreads[row]
        return z

    def compared_with(self, x: Floats, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of centers that each series is compared with: of its baseline, or regime, or the whole."""
        row = self.rows(keys)
        if self.regimes is None:
            return row
        if self.offsets is None or self.cells is None:
            return 1 + self.regimes.nearest(x)
        return self.cells[row, self.regimes.nearest(x - self.offsets[row])]

    def only(self, columns: Int64s) -> Reference:
        """Of these features alone; not one with regimes, which are told apart by all."""
        return replace(self, centers=self.centers[:, columns], spreads=self.spreads[:, columns])

    def rows(self, keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of each key; 0, the whole, for one that has no middle of its own."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, 0)


def fit(x: Floats, keys: Keys, least: Floats, *, robust: bool = True, look: bool = True) -> Reference:
    """From a sample: x (n, d) features, keys (n,) baseline keys, least (d,) smallest meaningful spread, or (n, d) that
    of each series.

    `look` for regimes, in all or beside the baselines. Without `robust`: mean and standard deviation, and no regimes.
    The rows come in an order of chance.
    """
    whole = center_and_spread(x, least, robust)
    found = _regimes(x, whole, least) if look and robust and not (keys != "").any() else None
    if found is not None:
        keys = np.char.add("regime ", np.char.zfill((1 + found.nearest(x)).astype(str), 3))
    own, rows = _rows_of(keys)
    enough = [(name, members) for name, members in zip(own, rows, strict=True) if len(members) >= MIN_SERIES and name]
    fitted = [whole, *(center_and_spread(x[members], _of(least, members), robust) for _, members in enough)]
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    too_few = sum(1 for name in own if name) - len(enough)
    names = np.array(["", *(name for name, _ in enough)])
    normal = Reference(keys=names, centers=centers, spreads=spreads, too_few=too_few, regimes=found)
    return _with_regimes(normal, x, keys, least) if look and robust and found is None and len(names) > 1 else normal


def _with_regimes(normal: Reference, x: Floats, keys: Keys, least: Floats) -> Reference:
    """With the regimes that its baselines share, where there are some: see Reference. They are looked for in series
    that are moved to where those of all baselines are."""
    row = normal.rows(keys)
    offsets = _offsets(normal, x, row)
    moved = x - offsets[row]
    found = _regimes(moved, center_and_spread(moved, least), least)
    if found is None:
        return normal
    which, (g, r) = found.nearest(moved), (len(normal.keys), len(found.places))
    of_all = [center_and_spread(moved[which == i], _of(least, which == i)) for i in range(r)]
    own = _members(row * r + which, g * r)
    rows = [center_and_spread(x[m], _of(least, m)) if len(m) >= MIN_SERIES else None for m in own]
    fitted = of_all + [rows[i] or (of_all[i % r][0] + offsets[i // r], of_all[i % r][1]) for i in range(r, g * r)]
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    return replace(
        normal, centers=np.vstack([normal.centers, centers]), spreads=np.vstack([normal.spreads, spreads]),
        regimes=found, offsets=offsets, cells=g + np.arange(g * r).reshape(g, r),
    )  # fmt: skip


def _offsets(normal: Reference, x: Floats, row: npt.NDArray[np.intp]) -> Floats:
    """(g, d) how far the mean of each baseline is from that of all, what is far off drawn near; 0 for the whole.

    By its median a baseline with several regimes would be in one of them, another baseline in another.
    """
    center, far = normal.centers[row], NEAR * normal.spreads[row]
    near = np.clip(x, center - far, center + far)
    sums = np.stack([np.bincount(row, column, len(normal.keys)) for column in near.T], axis=1)
    count = np.bincount(row, minlength=len(normal.keys))[:, None]
    offsets: Floats = sums / np.maximum(count, 1) - near.mean(axis=0)
    offsets[0] = 0
    return offsets


def _members(of: npt.NDArray[np.intp], sets: int) -> list[Int64s]:
    """The rows of each of the `sets` sets."""
    order = np.argsort(of, kind="stable")
    return np.split(order, np.cumsum(np.bincount(of, minlength=sets))[:-1])


def _of(least: Floats, rows: Int64s | Bools) -> Floats:
    """That of these rows."""
    return least[rows] if least.ndim == 2 else least


def center_and_spread(x: Floats, least: Floats, robust: bool = True) -> tuple[Floats, Floats]:
    """((d,), (d,)) the median and the spread of x (n, d), at least `least` (d,) or the median of `least` (n, d); mean
    and standard deviation without `robust`.

    The spread is the larger of the MAD and of what the middle eight tenths span, both as a standard deviation of a
    normal distribution: of a feature that is mostly one value, or has two, the MAD sees one side. 0 gives way to the
    mean deviation.
    """
    least = np.median(least, axis=0) if least.ndim == 2 else least
    if not robust:
        return x.mean(axis=0), np.maximum(x.std(axis=0), least)
    low, center, high = np.quantile(x, (0.1, 0.5, 0.9), axis=0)
    deviation = np.abs(x - center)
    spread = np.maximum(MAD * np.median(deviation, axis=0), (high - low) / DECILES)
    return center, np.maximum(np.where(spread > 0, spread, deviation.mean(axis=0)), least)


def _regimes(x: Floats, whole: tuple[Floats, Floats], least: Floats) -> Regimes | None:
    """None where one of them has too few series."""
    found = regimes.find(x, *whole, least)
    if found is None or np.bincount(found.nearest(x), minlength=len(found.places)).min() < MIN_SERIES:
        return None
    return found


def _rows_of(keys: Keys) -> tuple[Keys, list[Int64s]]:
    """The distinct keys, sorted, and the rows of each in order."""
    own, row, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(row, kind="stable")
    return own, np.split(order, np.cumsum(sizes)[:-1])
