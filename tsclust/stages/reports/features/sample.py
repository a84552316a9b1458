"""The rows that the features page draws, and how unusual each is. A hash of their id decides which are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Bools, Floats, Int64s, Keys, UInt64s
from tsclust.config import Cluster
from tsclust.stages.clusters import scaling
from tsclust.stages.features.catalogue import Feature, least_spreads
from tsclust.stages.reports.groups.sample import SEED, Sample
from tsclust.stages.reports.groups.unusual import NormalReference

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

SAMPLED = 20_000  # series that decide on bins, correlations and what is normal
PAIRED_PER_RULE = 40  # rows of each rule in the pair plot
PAIRED_OUTLIERS = 150  # most unusual rows in the pair plot; the first of them are shown as curves
TREES = 100


@dataclass(frozen=True)
class RowsRequest:
    """What is read. features: all D of them, those that only rules use too; baseline: carried columns."""

    features: tuple[Feature, ...]
    baseline: tuple[str, ...]
    limit: np.uint64  # the largest hash of the sample

    @property
    def clustered(self) -> Bools:
        """(D,) those that series are compared by."""
        return np.array([f.clustered for f in self.features], bool)


@dataclass(frozen=True)
class SampledRows:
    """SampledRows of features/. n rows, D features.

    hashes    (n,)
    x         (n, D) NaN is missing; none is farther from 0 than what can be drawn
    keys      (n,) baseline key, "" without a baseline
    rejected  (n,) name of the rule, "" = kept
    """

    hashes: UInt64s
    x: Floats
    keys: Keys
    rejected: Keys

    def of(self, rows: Bools | Int64s) -> SampledRows:
        """These of them."""
        return SampledRows(self.hashes[rows], self.x[rows], self.keys[rows], self.rejected[rows])


@dataclass(frozen=True)
class OutlierForest:
    """How unusual a row is: an isolation forest over robust deviations, far ones by their logarithm."""

    reference: NormalReference
    forest: IsolationForest

    def scores(self, x: Floats, keys: Keys) -> Floats:
        """(n,) for x (n, d) of the clustered features: the lower, the more unusual; about -1 to 0."""
        if not len(x):
            return np.empty(0)
        scores: Floats = self.forest.score_samples(_shaped(x, keys, self.reference))
        return scores


@dataclass(frozen=True)
class CountedRows:
    """What all rows come to.

    counts  for each of the D features (2, bins + 3): kept, rejected; see Axis.bins
    drawn   the rows that are shown; x: all D features; normal: of the sample, and kept
    """

    counts: list[Int64s]
    drawn: Sample


def fit_forest(drawn: SampledRows, asked: RowsRequest, sweep: Cluster) -> OutlierForest | None:
    """From the kept rows of the sample, by the measure that a sweep with these settings has; None where there are none.

    A scaler of its own, since the page is drawn before there is a sweep: one takes ten times as many series, and values
    that no page could draw. See docs/decisions.md.
    """
    kept = drawn.of(drawn.rejected == "")
    if not len(kept.hashes):
        return None
    x, features = kept.x[:, asked.clustered], tuple(f for f in asked.features if f.clustered)
    least = least_spreads(features, x)
    reference = NormalReference(features, scaling.fit(x, kept.keys, sweep.scaling, least, look=sweep.regimes))
    from sklearn.ensemble import IsolationForest  # a second and a half to import

    forest = IsolationForest(n_estimators=TREES, random_state=SEED)
    return OutlierForest(reference, forest.fit(_shaped(x, kept.keys, reference)))


def farthest(scores: Floats, hashes: UInt64s, count: int) -> Int64s:
    """The `count` rows with the lowest scores, the farthest first; equal ones by their hashes."""
    return np.lexsort((hashes, scores))[:count]


def _shaped(x: Floats, keys: Keys, reference: NormalReference) -> npt.NDArray[np.float32]:
    """(n, d) deviations from what is usual for the key. By their logarithm: trees split between least and most."""
    shaped: npt.NDArray[np.float32] = np.nan_to_num(reference.log_deviations(x, keys)).astype(np.float32)
    return shaped


def count_bins(bins: Int64s, kept: Bools, width: int) -> Int64s:
    """(2, width) rows in each bin: kept, rejected."""
    return np.bincount(bins + np.where(kept, 0, width), minlength=2 * width).reshape(2, width)


def first_of_each_rule(rows: SampledRows) -> Bools:
    """(n,) the rows of each rule with the smallest hashes."""
    chosen = np.zeros(len(rows.hashes), bool)
    for rule in np.unique(rows.rejected[rows.rejected != ""]):
        of_rule = np.flatnonzero(rows.rejected == rule)
        chosen[of_rule[np.argsort(rows.hashes[of_rule], kind="stable")[:PAIRED_PER_RULE]]] = True
    return chosen


def most_unusual(rows: SampledRows, kept: Bools, asked: RowsRequest, forest: OutlierForest | None) -> Bools:
    """(n,) the most unusual of the kept rows."""
    chosen = np.zeros(len(kept), bool)
    if forest:
        at = np.flatnonzero(kept)
        scores = forest.scores(rows.x[np.ix_(kept, asked.clustered)], rows.keys[kept])
        chosen[at[farthest(scores, rows.hashes[kept], PAIRED_OUTLIERS)]] = True
    return chosen
