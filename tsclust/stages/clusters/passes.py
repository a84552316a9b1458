"""The whole sweep as passes over parts: each is a pure function of one part and a sum in part order."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from tsclust.arrays import Int64s, UInt64s
from tsclust.engine.base import map_parts
from tsclust.stages.clusters import coreset, groups, kernels, quality, sampled_silhouette, sweep
from tsclust.stages.clusters.coreset import Coreset, Moments
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.quality import SilhouetteSums
from tsclust.stages.clusters.sampled_silhouette import Sample
from tsclust.stages.clusters.sweep import ClusterSums, Models


class ScaledRows(Protocol):
    """The scaled rows of one part: those that are different, on the grid, and the hashes (n,) of all their series_id.
    May be read when asked."""

    @property
    def distinct(self) -> Distinct[np.int16]: ...

    @property
    def hashes(self) -> UInt64s: ...


@dataclass(frozen=True)
class Evaluation:
    """What the last pass comes to over the rows of one part: labels (n, models), and sums (c clusters in all).

    silhouettes for the diagnosis, shared (c, c) rows in common, fine (c, d) sums of features
    samples for the classical silhouette, one for each model
    """

    labels: Labels
    silhouettes: SilhouetteSums
    shared: Int64s
    fine: Int64s
    samples: list[Sample]


def draw_coreset(parts: Sequence[ScaledRows], size: int, workers: int) -> Coreset:
    """About `size` weighted rows of all parts."""
    moments = functools.reduce(operator.add, map_parts(_moments, parts, workers))
    return coreset.joined(list(map_parts(partial(_draw, moments, size), parts, workers)))


def refine(
    parts: Sequence[ScaledRows], models: Models, coreset: Coreset, workers: int
) -> Iterator[tuple[Models, ClusterSums]]:
    """Rounds of Lloyd's algorithm over all parts, all models at once."""

    def pass_over(models: Models) -> ClusterSums:
        return functools.reduce(operator.add, map_parts(partial(_sum_clusters, models), parts, workers))

    return sweep.refine(models, pass_over, coreset)


def evaluate_part(part: ScaledRows, fine: Int64s, models: Models, sums: ClusterSums) -> Evaluation:
    """The last pass over one part with features `fine` (n, d), given the sums over all parts."""
    rows = part.distinct
    labels = sweep.assign(rows.rows, models)
    # The models know few ways: series that are together in each of them are added up first.
    ways = Distinct.of(labels)
    way, of_ways = ways.at[rows.at], np.zeros((len(ways.rows), fine.shape[1]), np.int64)
    kernels.add_up(fine, way, of_ways)
    total = np.zeros((len(models.centers), fine.shape[1]), np.int64)
    kernels.add_features(of_ways, ways.rows, models.offsets, total)
    return Evaluation(
        ways.rows[way], quality.silhouette_sums(rows, labels, models, sums),
        groups.shared_rows(ways.rows, np.bincount(way, minlength=len(ways.rows)), models), total,
        sampled_silhouette.choose(rows, part.hashes, labels, models, sums),
    )  # fmt: skip


def _moments(part: ScaledRows) -> Moments:
    return Moments.of(part.distinct)


def _draw(moments: Moments, size: int, part: ScaledRows) -> Coreset:
    return coreset.draw(part.distinct, part.hashes, moments, size)


def _sum_clusters(models: Models, part: ScaledRows) -> ClusterSums:
    rows = part.distinct
    return sweep.accumulate(rows, sweep.assign(rows.rows, models), models)
