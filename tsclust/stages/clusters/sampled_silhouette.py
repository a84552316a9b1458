"""The classical silhouette (Rousseeuw 1987, Euclidean) of every model, on a sample with enough rows of every cluster.

It needs all distances between rows, so it cannot be had of a million. Of a uniform sample a rare cluster would have no
row: here a cluster gives in proportion to its size, but at least FLOOR rows, and counts by its true size in the mean.
A row is taken or not by a hash of its series_id, so the sample is the same for any order of rows and parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from tsclust import hashing
from tsclust.arrays import Floats, Grid, Int64s, UInt64s
from tsclust.stages.clusters import kernels
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import ClusterSums, Models

SAMPLE = 1_500  # rows of all clusters of a model together, about
FLOOR = 20  # and of each one; a smaller cluster is taken whole
SALT = 1  # the coreset was drawn by the same hashes: hashed once more they say nothing of what is in it


@dataclass(frozen=True)
class Sample:
    """Rows of one model: rows (s, d) on the grid, labels (s,), hashes (s,), which give them their order; at (s,), where
    each stands in its part."""

    rows: Grid
    labels: Labels
    hashes: UInt64s
    at: Int64s


def choose(
    rows: Distinct[np.int16], hashes: UInt64s, labels: Labels, models: Models, sums: ClusterSums
) -> list[Sample]:
    """The rows of one part that belong to the sample of each model; labels (u, models) of its different rows, hashes
    (n,) of all."""
    lots = hashing.hash_ids(pa.array(hashes.view(np.int64)), SALT) / 2.0**64
    chances = models.split(_chances(models, sums))
    taken = [np.flatnonzero(lots <= chance[labels[:, j]][rows.at]) for j, chance in enumerate(chances)]
    return [Sample(rows.rows[rows.at[t]], labels[rows.at[t], j], hashes[t], t) for j, t in enumerate(taken)]


def joined(pieces: Sequence[Sequence[Sample]]) -> list[Sample]:
    """The sample of each model, of those of all parts, in the order of the hashes."""
    return [_joined(of_model) for of_model in zip(*pieces, strict=True)]


def order_of(pieces: Sequence[Sample]) -> Int64s:
    """(s,) where the rows of the joined sample stood in the pieces, one after the other."""
    return hashing.order_of([piece.hashes for piece in pieces])


def plane(sample: Sample) -> Floats:
    """(s, 2) the sample by its first two principal components, for a map; 0 where there are none."""
    place = np.zeros((len(sample.rows), 2))
    if not (sample.rows != sample.rows[:1]).any():
        return place
    from sklearn.decomposition import PCA  # a second and a half to import; before its BLAS is limited

    components = min(2, *sample.rows.shape)
    with threadpool_limits(1, "blas"):  # several threads add up in an order of their own
        place[:, :components] = PCA(components, svd_solver="full").fit_transform(sample.rows / GRID)
    return place


def silhouettes(samples: Sequence[Sample], models: Models, sums: ClusterSums, workers: int = 2) -> Floats:
    """(models,) the mean silhouette of each model; 0 where there is but one cluster, or none of more than one row."""
    sizes = models.split(sums.count)  # not map_parts: the samples are here, and small
    with ThreadPoolExecutor(workers) as pool:
        return np.fromiter(pool.map(_silhouette, samples, sizes), np.float64)


def _chances(models: Models, sums: ClusterSums) -> Floats:
    """(c,) the chance of a row of each cluster to be taken; 1 or more: all are."""
    total = sums.count[: models.offsets[1]].sum()
    chances: Floats = np.maximum(FLOOR / np.maximum(sums.count, 1), SAMPLE / max(total, 1))
    return chances


def _joined(pieces: Sequence[Sample]) -> Sample:
    order = order_of(pieces)
    rows, labels, hashes, at = (
        np.concatenate([getattr(p, name) for p in pieces])[order] for name in ("rows", "labels", "hashes", "at")
    )
    return Sample(rows, labels, hashes, at)


def _silhouette(sample: Sample, sizes: Int64s) -> float:
    """The mean over clusters of their mean silhouettes, by their true sizes (k,); clusters without rows left out."""
    count = np.bincount(sample.labels, minlength=len(sizes))
    if not 1 < np.count_nonzero(count) < len(sample.labels):
        return 0.0
    rows = Distinct.of(sample.rows)  # rows that are equal are in one cluster
    labels = np.empty(len(rows.rows), np.uint8)
    labels[rows.at] = sample.labels
    mean = np.bincount(labels, rows.times * _each(rows, labels, count), len(sizes)) / np.maximum(count, 1)
    return float(np.average(mean, weights=np.where(count > 0, sizes, 0)))


def _each(rows: Distinct[np.int16], labels: Labels, count: Int64s) -> Floats:
    """(u,) the silhouettes of u different rows in clusters of `count` (k,) rows."""
    sums, at = np.zeros((len(labels), len(count))), np.arange(len(labels))
    columns = np.ascontiguousarray(rows.rows.T, np.float64)
    kernels.distance_sums(rows.rows, columns, rows.times, labels, sums)
    own = count[labels]
    inside = sums[at, labels] / np.maximum(own - 1, 1)
    means = np.where(count > 0, sums / np.maximum(count, 1), np.inf)
    means[at, labels] = np.inf
    other = means.min(axis=1)
    each: Floats = np.where(own > 1, (other - inside) / np.maximum(np.maximum(other, inside), kernels.LEAST), 0.0)
    return each
