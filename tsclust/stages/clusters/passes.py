"""The whole sweep as passes over parts: each is a pure function of one part and a sum in part order."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Grid, Int64s, UInt64s
from tsclust.engine.base import map_parts
from tsclust.stages.clusters import coreset, groups, kernels, quality, sampled_silhouette, sweep
from tsclust.stages.clusters.coreset import Coreset, Moments
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.sampled_silhouette import Sample
from tsclust.stages.clusters.sweep import Models, Sums


@dataclass(frozen=True)
class Rows:
    """The scaled rows of one part: rows (n, d) on the grid, hashes (n,) of their series_id. May lie on disk (mmap)."""

    rows: Grid
    hashes: UInt64s


@dataclass(frozen=True)
class Verdict:
    """What the last pass says of one part: labels (n, models), and sums over its rows (c clusters in all).

    spreads for the diagnosis, shared (c, c) rows in common, fine (c, d) sums of features
    samples for the classical silhouette, one for each model
    """

    labels: Labels
    spreads: quality.Spreads
    shared: Int64s
    fine: Int64s
    samples: list[Sample]


def draw_coreset(parts: Sequence[Rows], size: int, workers: int) -> Coreset:
    """About `size` weighted rows of all parts."""
    moments = functools.reduce(operator.add, map_parts(lambda p: Moments.of(p.rows), parts, workers))
    pieces = map_parts(lambda p: coreset.draw(p.rows, p.hashes, moments, size), parts, workers)
    return coreset.joined(list(pieces))


def refine(parts: Sequence[Rows], models: Models, coreset: Coreset, workers: int) -> Iterator[tuple[Models, Sums]]:
    """Rounds of Lloyd's algorithm over all parts, all models at once."""

    def one_part(part: Rows, models: Models) -> Sums:
        return sweep.add_up(part.rows, sweep.assign(part.rows, models), models)

    def pass_over(models: Models) -> Sums:
        return functools.reduce(operator.add, map_parts(lambda p: one_part(p, models), parts, workers))

    return sweep.refine(models, pass_over, coreset)


def judge(
    parts: Iterable[tuple[Rows, Callable[[], Int64s]]], models: Models, sums: Sums, workers: int
) -> Iterator[Verdict]:
    """The last pass, a Verdict per part in order. With each part comes a function that reads its features (n, d)."""

    def one_part(part: tuple[Rows, Callable[[], Int64s]]) -> Verdict:
        rows, read_fine = part[0].rows, part[1]
        labels = sweep.assign(rows, models)
        fine = read_fine()
        total = np.zeros((len(models.centers), fine.shape[1]), np.int64)
        kernels.add_features(fine, labels, models.first, total)
        spreads, shared = quality.judge(rows, labels, models, sums), groups.shared_rows(labels, models)
        return Verdict(
            labels, spreads, shared, total, sampled_silhouette.choose(rows, part[0].hashes, labels, models, sums)
        )

    return map_parts(one_part, parts, workers)
