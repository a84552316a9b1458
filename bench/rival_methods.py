"""The methods beside tsclust in bench/rivals.py, which says what each of them gets, and how its looks are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import mean_shift
import numpy as np
import numpy.typing as npt
import polars as pl
from kinds import catch22, resampled, standard, within

from tsclust.simulation.recall import Score, count_members, score

LOOKS = (10, 20, 40)
LENGTH = 96  # values that MiniRocket's series are stretched to
COMPONENTS = 24
OUTLIERS = 0.05
NORMAL = 5_000  # series that are no kind, for hierarchical mean shift

Matrix = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shown:
    """What each peer gets of a case: the n series that no rule rejects.

    frame       series_id, values, kind
    keys        (n,) of the baseline
    deviations  (n, d) of tsclust's features
    """

    frame: pl.DataFrame
    keys: npt.NDArray[np.str_]
    deviations: Matrix


def grouped(shown: Shown, label: Ints, order: Ints, kinds: dict[str, int]) -> list[int]:
    """Kinds found in 10, 20 and 40 looks at the clusters `order` of label (n,)."""
    if not len(order):
        return [0] * len(LOOKS)
    assignments = shown.frame.select("series_id", k00=pl.Series(label))
    groups = pl.DataFrame({"k": 0, "cluster": order[: max(LOOKS)]}, schema={"k": pl.Int64, "cluster": pl.Int64})
    found: Score = score(count_members(assignments, groups, shown.frame.select("series_id", "kind")), kinds)
    return within(found)


def smallest_first(label: Ints) -> Ints:
    sizes = np.bincount(label[label >= 0])
    order: Ints = np.argsort(sizes, kind="stable").astype(np.int64)
    return order[sizes[order] > 0]


def by_kmeans(describe: Callable[[list[list[float]]], Matrix]) -> Callable[[Shown, dict[str, int], int], list[int]]:
    """K-means on these features of the values."""

    def found(shown: Shown, kinds: dict[str, int], seed: int) -> list[int]:
        matrix = np.nan_to_num(describe(shown.frame["values"].to_list()), posinf=0, neginf=0)
        x = reduced(standard(matrix - middles(matrix, shown.keys)), seed)
        label = kmeans(x, seed)
        return grouped(shown, label, smallest_first(label), kinds)

    return found


def kmeans(x: Matrix, seed: int) -> Ints:
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(min(max(LOOKS), len(x)), n_init=4, random_state=seed).fit_predict(x), np.int64)


def middles(x: Matrix, keys: npt.NDArray[np.str_]) -> Matrix:
    """(n, d) the median of each row's baseline."""
    out = np.empty_like(x)
    for key in np.unique(keys):
        out[keys == key] = np.median(x[keys == key], axis=0)
    return out


def reduced(x: Matrix, seed: int) -> Matrix:
    """At most COMPONENTS principal components."""
    from sklearn.decomposition import PCA

    return x if x.shape[1] <= COMPONENTS else np.asarray(PCA(COMPONENTS, random_state=seed).fit_transform(x))


def minirocket(values: list[list[float]]) -> Matrix:
    """(n, 9996): Dempster, Schmidt and Webb 2021, by sktime."""
    from sktime.transformations.panel.rocket import MiniRocket

    x = resampled(values, LENGTH).astype(np.float32)[:, None, :]
    return np.asarray(MiniRocket(random_state=1).fit_transform(x), np.float32)


def by_hdbscan(shown: Shown, kinds: dict[str, int], seed: int) -> list[int]:
    from sklearn.cluster import HDBSCAN

    label = np.asarray(HDBSCAN(min_cluster_size=10, copy=True).fit_predict(shown.deviations), np.int64)
    return grouped(shown, label, smallest_first(label), kinds)


def by_lof(shown: Shown, kinds: dict[str, int], seed: int) -> list[int]:
    from sklearn.neighbors import LocalOutlierFactor

    scores = [
        -LocalOutlierFactor(min(n, len(shown.keys) - 1)).fit(shown.deviations).negative_outlier_factor_
        for n in (10, 30, 50)
    ]
    return by_outliers(shown, np.max(scores, axis=0), kinds, seed)


def by_forest(shown: Shown, kinds: dict[str, int], seed: int) -> list[int]:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=300, random_state=seed).fit(shown.deviations)
    return by_outliers(shown, -forest.score_samples(shown.deviations), kinds, seed)


def by_outliers(shown: Shown, outlying: Matrix, kinds: dict[str, int], seed: int) -> list[int]:
    """K-means of the farthest out, outlying (n,)."""
    far = np.flatnonzero(outlying >= np.quantile(outlying, 1 - OUTLIERS))
    label = np.full(len(outlying), -1, np.int64)
    label[far] = kmeans(shown.deviations[far], seed)
    means = np.bincount(label[far], outlying[far]) / np.bincount(label[far])
    return grouped(shown, label, np.argsort(-means, kind="stable").astype(np.int64), kinds)


def by_mean_shift(shown: Shown, kinds: dict[str, int], seed: int) -> list[int]:
    is_kind = shown.frame["kind"].is_in([*kinds]).to_numpy()
    others = np.flatnonzero(~is_kind)
    others = np.random.default_rng(seed).permutation(others)[:NORMAL]
    rows = np.sort(np.concatenate([others, np.flatnonzero(is_kind)]))
    x, kind = shown.deviations[rows], shown.frame["kind"].to_numpy()[rows]
    clusters = mean_shift.hierarchy(x)
    ways = [np.array([c.outlierness for c in clusters]), np.array([c.held for c in clusters])]
    return max((asked(mean_shift.queries(x, clusters, scores), kind, kinds) for scores in ways), key=lambda n: n[::-1])


def asked(order: Iterator[int], kind: npt.NDArray[np.object_], kinds: dict[str, int]) -> list[int]:
    """Kinds seen in the first 10, 20 and 40 rows of `order`."""
    seen = [kind[row] for _, row in zip(range(max(LOOKS)), order, strict=False)]
    return [len({*seen[:n]} & {*kinds}) for n in LOOKS]


PEERS: dict[str, Callable[[Shown, dict[str, int], int], list[int]]] = {
    "catch22": by_kmeans(catch22),
    "MiniRocket": by_kmeans(minirocket),
    "HDBSCAN": by_hdbscan,
    "LOF": by_lof,
    "isolation forest": by_forest,
}
