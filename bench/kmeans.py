"""The other ways to a sweep of k that bench/cluster.py compares, each k of each in a process of its own; their tables.

python bench/kmeans.py WAY K ROWS.npy     one of them, once: seconds of the fit, of the silhouette, and the inertia
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from extract import FailedError, launched

from tsclust.arrays import Grid
from tsclust.stages.clusters import sweep
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import Models

KS = range(2, 41)
RESTARTS = 4
SAMPLE = 10_000  # rows of the silhouette
FEW = 3_000  # rows for what a library does at its first call
ABSENT = "not installed: pip install tsclust[bench]"

Rows = npt.NDArray[np.float32]
Fitted = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]  # centers (k, d), labels (n,)


def by_scikit_learn(x: Rows, k: int) -> Fitted:
    from sklearn.cluster import KMeans

    model = KMeans(k, n_init=RESTARTS, random_state=1).fit(x)
    return model.cluster_centers_, model.labels_


def by_mini_batches(x: Rows, k: int) -> Fitted:
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(k, n_init=RESTARTS, random_state=1).fit(x)
    return model.cluster_centers_, model.labels_


def by_faiss(x: Rows, k: int, **more: int) -> Fitted:
    model = import_module("faiss").Kmeans(x.shape[1], k, niter=25, nredo=RESTARTS, seed=1, **more)
    model.train(x)
    return model.centroids, model.index.search(x, 1)[1][:, 0]


def by_faiss_of_all(x: Rows, k: int) -> Fitted:
    return by_faiss(x, k, max_points_per_centroid=len(x))


@dataclass(frozen=True)
class Way:
    package: str
    module: str
    fit: Callable[[Rows, int], Fitted]
    note: str


WAYS = {
    "KMeans": Way("scikit-learn", "sklearn", by_scikit_learn, "`n_init=4`, else as it comes"),
    "MiniBatchKMeans": Way("scikit-learn", "sklearn", by_mini_batches, "`n_init=4`, else as it comes"),
    "faiss": Way("faiss-cpu", "faiss", by_faiss, "`niter=25, nredo=4`: of a sample of 256 rows a cluster"),
    "faiss, all rows": Way("faiss-cpu", "faiss", by_faiss_of_all, "`niter=25, nredo=4`, no sampling"),
}


def time_peer(name: str, k: str, file: str) -> None:
    """In a process of its own: print [seconds of the fit, of the silhouette, inertia]."""
    from sklearn.metrics import silhouette_score

    grid = np.load(file)
    x, fit = np.divide(grid, GRID, dtype=np.float32), WAYS[name].fit
    fit(x[:FEW], 2)  # what a library imports or makes at its first call is no part of it
    began = time.perf_counter()
    centers, labels = fit(x, int(k))
    fitted = time.perf_counter()
    with suppress(ValueError):  # all of its sample in one cluster: then there is none
        silhouette_score(x, labels, sample_size=SAMPLE, random_state=1)
    print(json.dumps([fitted - began, time.perf_counter() - fitted, inertia(grid, centers)]))


def inertia(grid: Grid, centers: npt.NDArray[np.float64]) -> float:
    """Of all rows, as sweep.parquet has it of ours."""
    models = Models.of([len(centers)], [np.asarray(centers, float)])
    rows = Distinct.of(grid)
    return float(sweep.accumulate(rows, sweep.assign(rows.rows, models), models).inertia.sum())


@dataclass
class Timed:
    """What was measured of a peer: a row per k, (seconds of the fit, of the silhouette, inertia, peak MB)."""

    way: str
    trouble: str
    of_k: dict[int, tuple[float, float, float, float]]

    def measure(self, k: int, file: Path) -> None:
        """A peer that fails is a finding."""
        command = [sys.executable, __file__, self.way, str(k), str(file)]
        try:
            _, peak, told = launched(command, file.parent)
        except FailedError as error:
            self.trouble = f"fails at k = {k}: {error}".replace("|", "/")
            return
        fit, silhouette, inertia = json.loads(told.splitlines()[-1])
        self.of_k[k] = (fit, silhouette, inertia, peak)
        print(f"{self.way}, k = {k}: {fit:.2f} + {silhouette:.2f} s", file=sys.stderr)

    def total(self, column: int) -> float:
        """Seconds of all k: those not measured lie on the line between their neighbours."""
        return float(np.interp(KS, [*self.of_k], [row[column] for row in self.of_k.values()]).sum())

    def row(self, ours: float, own: dict[int, float]) -> str:
        way = WAYS[self.way]
        if self.trouble:
            return f"| {self.way} | | | | | | | {self.trouble} |"
        fit, silhouette = self.total(0), self.total(1)
        ratio = {k: own[k] / row[2] for k, row in self.of_k.items()}
        worst = max(ratio, key=lambda k: ratio[k])
        costs = f"{fit + silhouette:.0f} | {silhouette:.0f} | {(fit + silhouette) / ours:.1f}"
        inertias = f"{np.mean([*ratio.values()]):.4f} | {ratio[worst]:.4f} (k = {worst})"
        peak = max(row[3] for row in self.of_k.values())
        return f"| {self.way} | {costs} | {peak:.0f} | {inertias} | {way.package} {version(way.package)}: {way.note} |"


def measured(file: Path, ks: Sequence[int]) -> list[Timed]:
    """Every way on the rows (n, d) of the grid in `file`."""
    ways = [Timed(name, "" if find_spec(way.module) else ABSENT, {}) for name, way in WAYS.items()]
    for k in ks:
        for way in (way for way in ways if not way.trouble):
            way.measure(k, file)
    return ways


def tell(ways: list[Timed], about: str, ours: tuple[float, float], own: dict[int, float]) -> None:
    """Two tables: of the whole sweep, and of each k. `ours`: seconds and peak MB; `own`: inertia of each k."""
    there = [way for way in ways if not way.trouble]
    ks = [*there[0].of_k] if there else []
    which = "each k measured" if ks == [*KS] else f"k = {', '.join(map(str, ks))} measured, the rest between"
    print(f"\n{about} of tsclust, one of the others; k = 2..40, of the others {which}\n")
    print("| way | seconds | of them silhouette | times tsclust | peak MB | inertia, ours / its | at worst | note |")
    print("| --- |" + " ---: |" * 6 + " --- |")
    print(
        f"| tsclust | {ours[0]:.1f} | | 1.0 | {ours[1]:.0f} | 1 | | the whole process, more diagnostics, the groups |"
    )
    for way in ways:
        print(way.row(ours[0], own))
    print("\nSeconds of fit + silhouette, inertia of ours / its\n")
    print(f"| k | {' | '.join(way.way for way in there)} |\n| ---: |{' ---: |' * len(there)}")
    for k in ks:
        cells = (f"{fit:.1f} + {of:.1f} s, {own[k] / its:.4f}" for fit, of, its, _ in (way.of_k[k] for way in there))
        print(f"| {k} | {' | '.join(cells)} |")


if __name__ == "__main__":
    time_peer(*sys.argv[1:])
