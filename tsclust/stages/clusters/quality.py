"""What elbow, silhouette, Davies-Bouldin and Calinski-Harabasz say, over all rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters import kernels
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.kernels import UNIT, Labels
from tsclust.stages.clusters.sweep import ClusterSums, Models


@dataclass(frozen=True)
class SilhouetteSums:
    """Sums over the members of each of c clusters, in 1 / UNIT: silhouette (c,), distance to the mean (c,)."""

    silhouette: Int64s
    scatter: Int64s

    def __add__(self, other: SilhouetteSums) -> SilhouetteSums:
        return SilhouetteSums(self.silhouette + other.silhouette, self.scatter + other.scatter)


@dataclass(frozen=True)
class Diagnosis:
    """A number per model, then the silhouette of each cluster.

    inertia, silhouette, davies_bouldin, calinski_harabasz, smallest: (models,); clusters: (c,) mean silhouette
    """

    inertia: Floats
    silhouette: Floats
    davies_bouldin: Floats
    calinski_harabasz: Floats
    smallest: Int64s
    clusters: Floats


def silhouette_sums(
    rows: Distinct[np.int16], labels: Labels, models: Models, sums: ClusterSums
) -> SilhouetteSums:  # fmt: skip
    """The silhouettes and distances of one part, labels (u, models) of its different rows, given the sums over all."""
    silhouettes = SilhouetteSums(np.zeros(len(sums.count), np.int64), np.zeros(len(sums.count), np.int64))
    means = np.ascontiguousarray(sums.means.T)
    squares = sums.mean_squares
    kernels.silhouette_sums(
        rows.rows, rows.times, labels, models.offsets, sums.count, means, squares, silhouettes.silhouette,
        silhouettes.scatter,
    )  # fmt: skip
    return silhouettes


def diagnose(models: Models, sums: ClusterSums, silhouettes: SilhouetteSums) -> Diagnosis:
    """The diagnosis of every model from the sums over all rows."""
    per_model = [slice(a, b) for a, b in zip(models.offsets[:-1], models.offsets[1:], strict=True)]
    rows = int(sums.count[per_model[0]].sum())
    count = np.maximum(sums.count, 1)
    inertia = np.array([sums.inertia[m].sum() for m in per_model])
    total = _total_inertia(sums, per_model[0], rows)
    return Diagnosis(
        inertia=inertia,
        silhouette=np.array([silhouettes.silhouette[m].sum() / UNIT / rows for m in per_model]),
        davies_bouldin=np.array([_davies_bouldin(sums, silhouettes, m) for m in per_model]),
        calinski_harabasz=np.array(
            [_calinski_harabasz(total, i, rows, m) for i, m in zip(inertia, per_model, strict=True)]
        ),
        smallest=np.array([sums.count[m].min() for m in per_model]),
        clusters=silhouettes.silhouette / UNIT / count,
    )


def advice(ks: tuple[int, ...], inertia: Floats, silhouette: Floats) -> dict[str, int | None]:
    """The k that the elbow (kneedle, Satopaa et al. 2011) and the best mean silhouette speak for; None: no clear k.

    inertia, silhouette: of each k.
    """
    knee = None
    if len(ks) > 2 and inertia[0] > inertia[-1]:
        from kneed import KneeLocator  # with scipy.stats, half a second to import

        knee = KneeLocator(ks, inertia, curve="convex", direction="decreasing").knee
    best = ks[int(np.argmax(silhouette))] if silhouette.max(initial=0) > 0 else None
    return {"elbow": None if knee is None else int(knee), "silhouette": best}


def _total_inertia(sums: ClusterSums, model: slice, rows: int) -> float:
    """Squared distances from the mean of all rows: any model's sums add up to it."""
    mean = (sums.means[model] * sums.count[model, None]).sum(axis=0) / rows
    return float((sums.mean_squares[model] * sums.count[model]).sum() - rows * (mean**2).sum())


def _davies_bouldin(sums: ClusterSums, silhouettes: SilhouetteSums, model: slice) -> float:
    """Davies and Bouldin 1979: mean over clusters of the worst (S_i + S_j) / M_ij; empty clusters left out."""
    full = np.flatnonzero(sums.count[model] > 0)
    means, count = sums.means[model][full], sums.count[model][full]
    scatter = silhouettes.scatter[model][full] / UNIT / count
    apart = np.sqrt(((means[:, None] - means[None]) ** 2).sum(axis=2))
    ratio = np.divide(scatter[:, None] + scatter[None], apart, out=np.zeros_like(apart), where=apart > 0)
    return float(ratio.max(axis=1).mean())


def _calinski_harabasz(total: float, inertia: float, rows: int, model: slice) -> float:
    """Calinski and Harabasz 1974; 0 for one cluster, single points, or no more rows than clusters."""
    k = model.stop - model.start
    if inertia <= 0 or not 1 < k < rows:
        return 0.0
    return float((total - inertia) / (k - 1) / (inertia / (rows - k)))
