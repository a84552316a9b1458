"""How well each cluster of the sweep comes back when the data are drawn again.

Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52 (2007): fit to a
bootstrap resample, look in the new clusters for the one most like the old, by Jaccard's overlap; a mean overlap of 0.75
and more is a valid, stable cluster. A resample draws fewer rows than the coreset has (the m out of n bootstrap), so
that a whole sweep takes a second; the overlap is that of all rows of the coreset, with their weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from tsclust.arrays import Floats
from tsclust.stages.clusters import restarts, sweep
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.sweep import Models

DRAWN = 4_000  # rows in a resample, at most
STABLE = 0.75  # Hennig's line


def stability(coreset: Coreset, models: Models, resamples: int, seed: int, workers: int = 2) -> Iterator[Floats]:
    """For every resample (c,): the overlap of each cluster of all models with what is most like it there, 0 to 1.

    0 is for a cluster without rows in the coreset alone: whatever has rows overlaps with something.
    """
    labels = sweep.assign(coreset.grid, models)
    overlaps = partial(_overlaps, coreset, labels, np.diff(models.offsets).tolist())
    with ThreadPoolExecutor(workers) as pool:  # not map_parts, which goes over parts
        yield from pool.map(overlaps, [(seed, b) for b in range(resamples)])


def per_model(models: Models, found: Floats) -> Floats:
    """(models,) the mean of `found` (c,), the stability of all clusters side by side; those of 0 are left out."""
    pieces = models.split(found)
    return np.array([piece.sum() / max(np.count_nonzero(piece), 1) for piece in pieces])


def stable_k(ks: Sequence[int], means: Floats) -> int | None:
    """The largest k whose clusters are stable in the mean (models,); None: no k is."""
    return max((k for k, mean in zip(ks, means, strict=True) if mean >= STABLE), default=None)


def _overlaps(coreset: Coreset, own: Labels, sizes: Sequence[int], seed: tuple[int, int]) -> Floats:
    """(c,) the overlap of each cluster of `own` (m, models) with the one most like it in one resample."""
    rng = np.random.default_rng(seed)
    drawn = _drawn(coreset, rng)
    starts = restarts.starts(drawn, [min(size, len(drawn.rows)) for size in sizes], int(rng.integers(2**32)))
    centers = [centers for _, centers in restarts.fit(drawn, starts)]
    other = sweep.assign(coreset.grid, Models.of(sizes, centers))
    shapes = [(size, len(found)) for size, found in zip(sizes, centers, strict=True)]
    each = zip(own.T, other.T, shapes, strict=True)
    return np.concatenate([_jaccard(one, new, coreset.weights, shape) for one, new, shape in each])


def _drawn(coreset: Coreset, rng: np.random.Generator) -> Coreset:
    """A resample of the rows that the coreset was drawn as, equal ones again as one."""
    times = coreset.times
    taken = rng.choice(len(times), min(int(times.sum()), DRAWN), p=times / times.sum())
    again = np.bincount(taken, minlength=len(times))
    there = np.flatnonzero(again)
    weights = (coreset.weights * again / times)[there]
    return Coreset(coreset.rows[there], weights, coreset.hashes[there], again[there])


def _jaccard(own: Labels, other: Labels, weights: Floats, shape: tuple[int, int]) -> Floats:
    """(shape[0],) the largest weight in common with a cluster of `other` (m,) over the weight of both together."""
    pair = own.astype(np.intp) * shape[1] + other
    shared = np.bincount(pair, weights, shape[0] * shape[1]).reshape(shape)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0) - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros(shape), where=union > 0).max(axis=1)
    return overlap
