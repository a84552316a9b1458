"""What the features page needs of all parts: a sample first, which decides bins and measure, then counts of all rows.

Which series are drawn is decided by a hash of their id: the same ones for any order of rows and any number of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import IsolationForest

from tsclust.arrays import Bools, Floats, Int64s, UInt64s
from tsclust.config import Cluster
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids, order_of
from tsclust.stages.clusters import scaling
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import Feature, least_spreads
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.charts.axis import Axis, within
from tsclust.stages.reports.groups import counts as counted
from tsclust.stages.reports.groups import sample
from tsclust.stages.reports.groups.sample import SEED, Drawn, Strings
from tsclust.stages.reports.groups.unusual import NormalReference
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

SAMPLE = 20_000  # series that decide on bins, correlations and what is normal
PAIRED = 40  # rows of each rule in the pair plot
FAR = 150  # most unusual rows in the pair plot; the first of them are shown as curves
TREES = 100
WORKERS = 2


@dataclass(frozen=True)
class Asked:
    """What is read. features: all D of them, those that only rules use too; baseline: carried columns."""

    features: tuple[Feature, ...]
    baseline: tuple[str, ...]
    limit: np.uint64  # the largest hash of the sample

    @property
    def clustered(self) -> Bools:
        """(D,) those that series are compared by."""
        return np.array([f.clustered for f in self.features], bool)


@dataclass(frozen=True)
class Rows:
    """Rows of features/. n rows, D features.

    hashes    (n,)
    x         (n, D) NaN is missing; none is farther from 0 than what can be drawn
    keys      (n,) baseline key, "" without a baseline
    rejected  (n,) name of the rule, "" = kept
    """

    hashes: UInt64s
    x: Floats
    keys: Strings
    rejected: Strings

    def of(self, rows: Bools | npt.NDArray[np.intp]) -> Rows:
        """These of them."""
        return Rows(self.hashes[rows], self.x[rows], self.keys[rows], self.rejected[rows])


@dataclass(frozen=True)
class OutlierForest:
    """How unusual a row is: an isolation forest over robust deviations, far ones by their logarithm."""

    reference: NormalReference
    forest: IsolationForest

    def scores(self, x: Floats, keys: Strings) -> Floats:
        """(n,) for x (n, d) of the clustered features: the lower, the more unusual; about -1 to 0."""
        if not len(x):
            return np.empty(0)
        scores: Floats = self.forest.score_samples(_shaped(x, keys, self.reference))
        return scores


@dataclass(frozen=True)
class Seen:
    """What all rows come to.

    counts  for each of the D features (2, bins + 3): kept, rejected; see Axis.bins
    drawn   the rows that are shown; x: all D features; normal: of the sample, and kept
    """

    counts: list[Int64s]
    drawn: Drawn


def draw(workspace: Workspace, asked: Asked) -> Rows:
    """The sample, in the order of the hashes."""
    parts = list(map_parts(partial(_sample, workspace, asked), workspace.parts(FEATURES), WORKERS))
    order = order_of([p.hashes for p in parts])
    names = Rows.__dataclass_fields__
    return Rows(*(np.concatenate([getattr(p, name) for p in parts])[order] for name in names))


def fit_forest(drawn: Rows, asked: Asked, sweep: Cluster) -> OutlierForest | None:
    """From the kept rows of the sample, by the measure that a sweep with these settings has; None where there are none.

    A sweep takes its scaler from ten times as many series, and from values that no page could draw.
    """
    kept = drawn.of(drawn.rejected == "")
    if not len(kept.hashes):
        return None
    x, features = kept.x[:, asked.clustered], tuple(f for f in asked.features if f.clustered)
    least = least_spreads(features, x)
    reference = NormalReference(features, scaling.fit(x, kept.keys, sweep.scaling, least, look=sweep.regimes))
    forest = IsolationForest(n_estimators=TREES, random_state=SEED)
    return OutlierForest(reference, forest.fit(_shaped(x, kept.keys, reference)))


def see(workspace: Workspace, asked: Asked, axes: Sequence[Axis], forest: OutlierForest | None) -> Seen:
    """Go through all rows once."""
    counts: list[Int64s] = []
    drawn = []
    for part in map_parts(partial(_see, workspace, asked, axes, forest), workspace.parts(FEATURES), WORKERS):
        counts = [a + b for a, b in zip(counts, part.counts, strict=True)] if counts else part.counts
        drawn.append(part.drawn)
    return Seen(counts, sample.joined(drawn))


def farthest(scores: Floats, hashes: UInt64s, count: int) -> npt.NDArray[np.intp]:
    """The `count` rows with the lowest scores, the farthest first; equal ones by their hashes."""
    return np.lexsort((hashes, scores))[:count]


def _shaped(x: Floats, keys: Strings, reference: NormalReference) -> npt.NDArray[np.float32]:
    """(n, d) deviations from what is usual for the key. By their logarithm: trees split between least and most."""
    shaped: npt.NDArray[np.float32] = np.nan_to_num(reference.log_deviations(x, keys)).astype(np.float32)
    return shaped


def _sample(workspace: Workspace, asked: Asked, path: Path) -> Rows:
    rows = _rows(workspace, asked, path)
    return rows.of(rows.hashes <= asked.limit)


def _rows(workspace: Workspace, asked: Asked, path: Path) -> Rows:
    """All rows of a part."""
    found = feature_parts.read(path, [f.name for f in asked.features])
    keys = series_parts.read_keys(workspace.stage(SERIES) / path.name, asked.baseline, np.ones(len(found), bool))
    return Rows(hash_ids(found.ids, SEED), within(found.x), keys, sample.texts(pl.Series(found.rejected_by)))


def _see(workspace: Workspace, asked: Asked, axes: Sequence[Axis], forest: OutlierForest | None, path: Path) -> Seen:
    """What `see` wants of one part."""
    series = series_parts.read_table(workspace.stage(SERIES) / path.name)
    rows = _rows(workspace, asked, path)
    kept = rows.rejected == ""
    counts = [_count(axis.bins(rows.x[:, j]), kept, len(axis.edges) + 2) for j, axis in enumerate(axes)]
    usual = kept & (rows.hashes <= asked.limit)
    shown = np.flatnonzero(usual | _first(rows) | _far(rows, kept, asked, forest))
    few = rows.of(shown)
    start = sample.whole(few.x[:, [f.name for f in asked.features].index("start")])
    inside = np.zeros((len(shown), 0), bool)
    return Seen(
        counts,
        Drawn(series.take(shown), few.hashes, start, few.x, few.keys, inside, usual[shown], few.rejected, counted.NONE),
    )


def _count(bins: Int64s, kept: Bools, width: int) -> Int64s:
    """(2, width) rows in each bin: kept, rejected."""
    return np.bincount(bins + np.where(kept, 0, width), minlength=2 * width).reshape(2, width)


def _first(rows: Rows) -> Bools:
    """(n,) the rows of each rule with the smallest hashes."""
    chosen = np.zeros(len(rows.hashes), bool)
    for rule in np.unique(rows.rejected[rows.rejected != ""]):
        of_rule = np.flatnonzero(rows.rejected == rule)
        chosen[of_rule[np.argsort(rows.hashes[of_rule], kind="stable")[:PAIRED]]] = True
    return chosen


def _far(rows: Rows, kept: Bools, asked: Asked, forest: OutlierForest | None) -> Bools:
    """(n,) the most unusual of the kept rows."""
    chosen = np.zeros(len(kept), bool)
    if forest:
        at = np.flatnonzero(kept)
        scores = forest.scores(rows.x[np.ix_(kept, asked.clustered)], rows.keys[kept])
        chosen[at[farthest(scores, rows.hashes[kept], FAR)]] = True
    return chosen
