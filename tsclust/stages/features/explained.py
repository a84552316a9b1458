"""Which carried columns say what a series is to be compared with, where nobody has chosen a baseline.

A column that tells machines or products apart explains much of how a feature varies among all series. How much is
measured on ranks, where a few malfunctions count for little: the share of their variance between the groups, less what
as many groups would explain by chance (epsilon squared: Kelley 1935). Three products that no column names make machines
look alike, as they differ more than the machines do: where no column explains much of the whole, what the regimes leave
is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from tsclust.arrays import Floats
from tsclust.series import keys
from tsclust.stages.features import regimes
from tsclust.stages.features.reference import MIN_SERIES, center_and_spread

MUCH = 0.3  # of the variance of a feature's ranks: a column that explains less makes no baseline
COVERED = 0.8  # of the series must be in groups of MIN_SERIES or more
USUAL = 0.8  # of the series with one value: such a column says what is odd, not what is compared with what
MOST = 2  # columns


class Explained(BaseModel):
    """A carried column, and the share (0..1) of the variance of the ranks of `feature` that it explains; of a second
    one: of what the first leaves; where nothing explains much of the whole: of what the regimes leave."""

    model_config = ConfigDict(frozen=True)

    column: str
    feature: str
    share: float


def choose(carried: pl.DataFrame, names: Sequence[str], x: Floats, least: Floats) -> tuple[Explained, ...]:
    """The columns to compare series within, best first; () where none explains much.

    carried  (n, ...) the columns of a sample of series that name groups, in an order of chance
    x        (n, d) their features `names`, no NaN;  least (d,) their smallest meaningful spreads
    """
    ranks = _ranks(x)
    if found := _chosen(carried, names, ranks):
        return found
    ways = regimes.find(x, *center_and_spread(x, least), least)
    if ways is None:
        return ()
    which = ways.nearest(x)
    return _chosen(carried, names, ranks - _means(ranks, which)[which])


def _chosen(carried: pl.DataFrame, names: Sequence[str], ranks: Floats) -> tuple[Explained, ...]:
    chosen: list[Explained] = []
    while len(chosen) < MOST:
        so_far = [one.column for one in chosen]
        others = [name for name in carried.columns if name not in so_far]
        found = [_best(carried.select(*so_far, name), names, ranks) for name in others]
        best = max(found, key=lambda one: one.share, default=None)
        if best is None or best.share < MUCH:
            break
        chosen.append(best)
        groups = _numbered(carried.select(*so_far, best.column))
        ranks = ranks - _means(ranks, groups)[groups]
    return tuple(chosen)


def _best(columns: pl.DataFrame, names: Sequence[str], ranks: Floats) -> Explained:
    """What the last of the columns, together with those before, explains of the feature it explains most of."""
    groups, last = _numbered(columns), columns.columns[-1]
    if not _tells_apart(groups, _numbered(columns.select(last))):
        return Explained(column=last, feature="", share=0.0)
    shares = _shares(ranks, groups)
    at = int(np.argmax(shares))
    return Explained(column=last, feature=names[at], share=float(shares[at]))


def _tells_apart(groups: npt.NDArray[np.intp], own: npt.NDArray[np.intp]) -> bool:
    """Whether most series are in groups that have a middle, and no value of the column itself is the usual one."""
    size = np.bincount(groups)
    enough = size[size >= MIN_SERIES]
    return bool(len(enough) > 1 and enough.sum() >= COVERED * len(groups) and np.bincount(own).max() < USUAL * len(own))


def _shares(ranks: Floats, groups: npt.NDArray[np.intp]) -> Floats:
    """(d,) of the variance of the ranks, what lies between the groups: epsilon squared, at least 0."""
    n, g = len(ranks), int(groups.max()) + 1
    total = ((ranks - ranks.mean(axis=0)) ** 2).sum(axis=0)
    within = ((ranks - _means(ranks, groups)[groups]) ** 2).sum(axis=0)
    left = np.divide(within * (n - 1), total * max(n - g, 1), out=np.ones_like(total), where=total > 0)
    shares: Floats = np.maximum(1 - left, 0.0)
    return shares


def _means(ranks: Floats, groups: npt.NDArray[np.intp]) -> Floats:
    """(g, d) of each group."""
    sums = np.stack([np.bincount(groups, column) for column in ranks.T], axis=1)
    means: Floats = sums / np.maximum(np.bincount(groups), 1)[:, None]
    return means


def _ranks(x: Floats) -> Floats:
    """(n, d) of each column, equal values sharing theirs."""
    from scipy.stats import rankdata

    ranks: Floats = rankdata(x, axis=0)
    return ranks


def _numbered(columns: pl.DataFrame) -> npt.NDArray[np.intp]:
    """(n,) the group of each row, from 0 on."""
    groups: npt.NDArray[np.intp] = np.unique(keys(columns), return_inverse=True)[1]
    return groups
