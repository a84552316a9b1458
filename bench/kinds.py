"""The measure that decides: kinds of malfunction found per group looked at, by tsclust and by the textbook way.

python bench/kinds.py [--series N] [--seed N]                               synthetic cycles, 12 rare kinds planted
python bench/kinds.py --machine press|valve [--series N]                    others, made as bench/machines.py says
python bench/kinds.py --file SERIES.parquet --truth COLUMN --normal VALUE   real ones; VALUE names what is normal

A kind is FOUND when the groups made of it for the most part (at least half of their members), among the first 40 in
their order, hold at least half of its series; SURFACED when they hold at least max(5, 10 %). Series that cannot be real
are no kind, and what the rules reject of a kind counts as not found. The textbook way: catch22 or raw values (resampled
to one length), standard scaling, scikit-learn's K-means with k by silhouette, by elbow and k = 30, and HDBSCAN; its
clusters are looked at from the smallest on. It gets a sample of --textbook series, as it would not end on a million.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq
from machines import MACHINES

import tsclust
from tsclust.simulation import machines
from tsclust.simulation.recall import Score, assigned, count_members, score
from tsclust.stages.clusters import parts

LOOKS = 40
Matrix = npt.NDArray[np.float64]


def main() -> None:
    said = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        series, truth, malfunctions = made(said, root) if not said.file else real(said)
        kinds = dict(truth.filter(pl.col("kind").is_in(malfunctions))["kind"].value_counts().iter_rows())
        print(f"{len(truth):,} series, {len(kinds)} kinds of malfunction: {', '.join(kinds)}\n")
        print("| way | seconds | looks | found in 10 | in 20 | in 40 | surfaced | missing |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
        began = time.perf_counter()
        ours = by_tsclust(root, series, truth, kinds, said)
        print(line("tsclust", time.perf_counter() - began, ours), flush=True)
        for way, seconds, found in by_the_textbook(series, truth, kinds, said):
            print(line(way, seconds, found), flush=True)


def arguments(description: str | None, given: Sequence[str] | None = None) -> argparse.Namespace:
    """`given`, or what the command line says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=170_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machine", choices=MACHINES, help="in place of the demo's")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--truth", default="label")
    parser.add_argument("--normal", action="append", default=[])
    parser.add_argument("--baseline", action="append", default=[])
    parser.add_argument("--textbook", type=int, default=20_000, help="series for the textbook way; 0 leaves it out")
    parser.add_argument("--skip", action="append", default=[], help="a feature that series are not compared by")
    return parser.parse_args(given)


def made(said: argparse.Namespace, root: Path) -> tuple[Path, pl.DataFrame, list[str]]:
    """(series file without the truth, truth, the kinds of malfunction) of synthetic cycles."""
    if said.machine:
        return of_machine(said, root)
    path, truths = root / "cycles.parquet", []
    with pq.ParquetWriter(path, machines.SCHEMA) as writer:
        for batch, truth in machines.make(said.series, said.seed):
            writer.write_batch(batch)
            truths.append(pl.DataFrame(truth))
    said.baseline = ["machine_id", "direction"]
    return path, pl.concat(truths), [*machines.KINDS]


def of_machine(said: argparse.Namespace, root: Path) -> tuple[Path, pl.DataFrame, list[str]]:
    frame, malfunctions, said.baseline = MACHINES[said.machine](said.series, said.seed)
    path = root / f"{said.machine}.parquet"
    frame.drop("label").write_parquet(path)
    return path, frame.select("series_id", kind="label"), [*malfunctions]


def real(said: argparse.Namespace) -> tuple[Path, pl.DataFrame, list[str]]:
    truth = pl.read_parquet(said.file, columns=["series_id", said.truth]).rename({said.truth: "kind"})
    truth = truth.with_columns(pl.col("kind").cast(pl.String))
    return said.file, truth, sorted(set(truth["kind"]) - set(said.normal))


def by_tsclust(root: Path, series: Path, truth: pl.DataFrame, kinds: dict[str, int], said: argparse.Namespace) -> Score:
    """extract, features, rules, cluster; the truth is no column that any of them sees."""
    workspace = described(root, series, said)
    tsclust.cluster(workspace, {"cluster": {"baseline": said.baseline}})
    return by_groups(workspace, truth, kinds)


def described(root: Path, series: Path, said: argparse.Namespace) -> Path:
    """A workspace with all but the clusters."""
    workspace = root / "ws"
    tsclust.init(workspace)
    carried = [name for name in pq.read_schema(series).names if name not in (said.truth, "series_id", "values")]
    source = {"files": str(series), "carry": carried if said.file is None or said.baseline else []}
    flags: dict[str, Any] = {"source": source, "features": {"skip": said.skip}, "cluster": {"baseline": said.baseline}}
    for command in (tsclust.extract, tsclust.features, tsclust.filter):
        command(workspace, flags)
    return workspace


def by_groups(workspace: Path, truth: pl.DataFrame, kinds: dict[str, int]) -> Score:
    """The score of the groups, looked at in their order."""
    return score(members_of_groups(workspace, truth), kinds)


def members_of_groups(workspace: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """How many of each kind are in each group, in their order: as `score` wants it."""
    clusters = workspace / "clusters"
    groups = parts.of_sweep(parts.read_groups(clusters)).filter("proposed").head(LOOKS)
    return count_members(assigned(clusters), groups, truth)


def by_the_textbook(
    series: Path, truth: pl.DataFrame, kinds: dict[str, int], said: argparse.Namespace
) -> Iterator[tuple[str, float, Score]]:
    """(way, seconds, score) of each way; on a sample that has every kind in proportion."""
    if not said.textbook:
        return
    frame = pl.read_parquet(series, columns=["series_id", "values"]).join(truth, on="series_id")
    frame = frame.filter(pl.col("values").list.len() > 3)
    if len(frame) > said.textbook:
        frame = frame.sample(said.textbook, seed=said.seed)
    there = dict(frame.filter(pl.col("kind").is_in([*kinds]))["kind"].value_counts().iter_rows())
    for name, describe in (("raw values", resampled), ("catch22", catch22)):
        began = time.perf_counter()
        try:
            matrix = standard(describe(frame["values"].to_list()))
        except ImportError as error:
            print(f"{name}: {error.name} is not installed (pip install tsclust[bench])", file=sys.stderr)
            continue
        described = time.perf_counter() - began
        for way, seconds, labels in clusterings(matrix, said.seed):
            yield f"{name}, {way}", described + seconds, judged(frame, labels, there)


def judged(frame: pl.DataFrame, labels: npt.NDArray[np.int64], kinds: dict[str, int]) -> Score:
    """The score of one clustering, its clusters looked at from the smallest on; HDBSCAN's noise (-1) is none."""
    assignments = frame.select("series_id").with_columns(k00=pl.Series(labels))
    sizes = assignments.filter(pl.col("k00") >= 0).group_by("k00").len().sort("len", "k00").head(LOOKS)
    groups = sizes.select(k=pl.lit(0), cluster="k00")
    if groups.is_empty():
        return Score(tuple(kinds), {}, (), 0)
    return score(count_members(assignments, groups, frame.select("series_id", "kind")), kinds)


def clusterings(matrix: Matrix, seed: int) -> Iterator[tuple[str, float, npt.NDArray[np.int64]]]:
    from kneed import KneeLocator
    from sklearn.cluster import HDBSCAN, KMeans
    from sklearn.metrics import silhouette_score

    models, began = {}, time.perf_counter()
    for k in range(2, 31):
        models[k] = KMeans(k, n_init=4, random_state=seed).fit(matrix)
    silhouettes = {
        k: silhouette_score(matrix, m.labels_, sample_size=10_000, random_state=seed) for k, m in models.items()
    }
    knee = KneeLocator([*models], [m.inertia_ for m in models.values()], curve="convex", direction="decreasing").knee
    seconds = time.perf_counter() - began
    best = max(silhouettes, key=lambda k: silhouettes[k])
    yield f"K-means, k by silhouette ({best})", seconds, models[best].labels_
    yield f"K-means, k by elbow ({knee})", seconds, models[knee or 30].labels_
    yield "K-means, k = 30", seconds, models[30].labels_
    began = time.perf_counter()
    labels = HDBSCAN(min_cluster_size=10, copy=True).fit_predict(matrix)
    yield "HDBSCAN", time.perf_counter() - began, labels


def resampled(values: list[list[float]], width: int = 64) -> Matrix:
    """Every series on `width` equal steps, missing values bridged."""
    return np.array([_resampled(np.array(v, float), width) for v in values])


def _resampled(x: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    there = np.isfinite(x)
    if not there.any():
        return np.zeros(width)
    return np.interp(np.linspace(0, len(x) - 1, width), np.flatnonzero(there), x[there])


def catch22(values: list[list[float]]) -> Matrix:
    import pycatch22

    return np.array([pycatch22.catch22_all(_resampled(np.array(v, float), len(v)).tolist())["values"] for v in values])


def standard(matrix: Matrix) -> Matrix:
    from sklearn.preprocessing import StandardScaler

    return np.asarray(StandardScaler().fit_transform(np.nan_to_num(matrix, posinf=0, neginf=0)))


def within(found: Score) -> list[int]:
    """Kinds found in 10, 20 and 40 looks."""
    return [sum(look <= n for look in found.found.values()) for n in (10, 20, LOOKS)]


def line(way: str, seconds: float, found: Score) -> str:
    cells = (
        way,
        f"{seconds:.0f}",
        found.looks,
        *within(found),
        len(found.surfaced),
        ", ".join(found.missing) or "none",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
