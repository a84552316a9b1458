"""How well each cluster of the sweep comes back when the data are drawn again.

Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52 (2007): fit to a
bootstrap resample, look in the new clusters for the one most like the old, by Jaccard's overlap; a mean overlap of 0.75
and more is a valid, stable cluster. A resample draws fewer rows than the coreset has (the m out of n bootstrap), so
that a whole sweep takes seconds; the overlap is that of all rows of the coreset, with their weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from tsclust.arrays import Floats, Grid
from tsclust.stages.clusters import sweep
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import Models

DRAWN = 4_000  # rows in a resample, at most
STABLE = 0.75  # Hennig's line


@dataclass(frozen=True)
class _Source:
    """What is drawn from: the coreset, and its rows on the grid (m, d)."""

    coreset: Coreset
    grid: Grid

    def drawn(self, rng: np.random.Generator) -> Coreset:
        """A resample of the rows that the coreset was drawn as, equal ones again as one."""
        times = self.coreset.times
        taken = rng.choice(len(times), min(int(times.sum()), DRAWN), p=times / times.sum())
        again = np.bincount(taken, minlength=len(times))
        there = np.flatnonzero(again)
        weights = (self.coreset.weights * again / times)[there]
        return Coreset(self.coreset.rows[there], weights, self.coreset.hashes[there], again[there])


def stability(
    coreset: Coreset, models: Models, resamples: int, seed: int, workers: int = 2
) -> Iterator[tuple[int, Floats]]:
    """(k, (clusters,)) for every model: each cluster's mean overlap with what is most like it in a resample, 0 to 1.

    0 is for a cluster without rows in the coreset alone: whatever has rows overlaps with something.
    """
    source = _Source(coreset, np.rint(coreset.rows * GRID).astype(np.int16))
    labels = sweep.assign(source.grid, models)
    # As in sweep.best_starts: one thread per fit, or sums differ; and not map_parts, which goes over parts.
    alone = partial(threadpool_limits, 1, "openmp")
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers, initializer=alone) as pool:
        for j, k in enumerate(models.ks):
            size = int(models.offsets[j + 1] - models.offsets[j])
            overlaps = partial(_overlaps, source, labels[:, j], size)
            with sweep.fewer_clusters_allowed():
                found = list(pool.map(overlaps, [(seed, k, b) for b in range(resamples)]))
            yield k, np.mean(found, axis=0)


def per_model(models: Models, found: Floats) -> Floats:
    """(models,) the mean of `found` (c,), the stability of all clusters side by side; those of 0 are left out."""
    pieces = models.split(found)
    return np.array([piece.sum() / max(np.count_nonzero(piece), 1) for piece in pieces])


def stable_k(ks: Sequence[int], means: Floats) -> int | None:
    """The largest k whose clusters are stable in the mean (models,); None: no k is."""
    return max((k for k, mean in zip(ks, means, strict=True) if mean >= STABLE), default=None)


def _overlaps(source: _Source, own: Labels, size: int, seed: tuple[int, int, int]) -> Floats:
    """(size,) the overlap of each cluster of `own` (m,) with the one most like it in one resample."""
    rng = np.random.default_rng(seed)
    drawn = source.drawn(rng)
    start = sweep.plus_plus(drawn, min(size, len(drawn.rows)), int(rng.integers(2**32)))
    centers = sweep.fit(drawn, start)[1]
    other = sweep.assign(source.grid, Models.of([len(centers)], [centers]))[:, 0]
    return _jaccard(own, other, source.coreset.weights, (size, len(centers)))


def _jaccard(own: Labels, other: Labels, weights: Floats, shape: tuple[int, int]) -> Floats:
    """(shape[0],) the largest weight in common with a cluster of `other` (m,) over the weight of both together."""
    pair = own.astype(np.intp) * shape[1] + other
    shared = np.bincount(pair, weights, shape[0] * shape[1]).reshape(shape)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0) - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros(shape), where=union > 0).max(axis=1)
    return overlap
