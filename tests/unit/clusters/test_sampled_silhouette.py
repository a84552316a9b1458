"""The silhouette on a stratified sample: scikit-learn on all rows as the oracle; no bit depends on parts or order."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import silhouette_samples, silhouette_score

from tsclust.arrays import Floats, Grid, Int64s, UInt64s
from tsclust.hashing import hash_ids
from tsclust.stages.clusters import sampled_silhouette, sweep
from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.sampled_silhouette import Sample
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import ClusterSums, Models

SHARES = (0.9, 0.05, 0.04, 0.008, 0.002)
ALL = 10**9


def blobs(n: int) -> tuple[Grid, UInt64s, Models]:
    """n rows on the grid: a large mass and four rarer blobs, models that split them in 2, 3, 5 and 7."""
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0, 0], [6, 0, 0], [0, 5, 0], [0, 0, 7], [5, 5, 5]])
    x = middles[rng.choice(5, n, p=SHARES)] + rng.normal(0, 0.8, (n, 3))
    rows = np.rint(x * GRID).astype(np.int16)
    centers = [middles[:2], middles[:3], middles, np.vstack([middles, middles[:2] + 0.5])]
    return rows, hash_ids(pa.array(range(n)), 1), Models.of((2, 3, 5, 7), centers)


def sampled(
    rows: Grid, hashes: UInt64s, models: Models, order: Int64s | None = None, sizes: tuple[int, ...] = ()
) -> tuple[list[Sample], ClusterSums, Labels]:
    order = np.arange(len(rows)) if order is None else order
    rows, hashes = rows[order], hashes[order]
    every = Distinct.of(rows)
    labels = sweep.assign(every.rows, models)
    sums = sweep.accumulate(every, labels, models)
    cuts = np.cumsum([0, *sizes, len(rows) - sum(sizes)])
    parts = [(Distinct.of(rows[a:b]), hashes[a:b]) for a, b in itertools.pairwise(cuts)]
    pieces = [sampled_silhouette.choose(p, h, sweep.assign(p.rows, models), models, sums) for p, h in parts]
    return sampled_silhouette.joined(pieces), sums, labels[every.at]


def test_a_sample_of_everything_gives_scikit_learns_silhouette(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_silhouette, "SAMPLE", ALL)
    rows, hashes, models = blobs(1_500)
    samples, sums, labels = sampled(rows, hashes, models)
    expected = [silhouette_score(rows / GRID, labels[:, j]) for j in range(4)]
    assert [len(s.rows) for s in samples] == [1_500] * 4
    np.testing.assert_allclose(sampled_silhouette.silhouettes(samples, models, sums), expected, rtol=1e-12)


@pytest.mark.slow
def test_a_sample_comes_close_to_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_silhouette, "SAMPLE", 600)
    rows, hashes, models = blobs(6_000)
    samples, sums, labels = sampled(rows, hashes, models)
    expected = [silhouette_score(rows / GRID, labels[:, j]) for j in range(4)]
    np.testing.assert_allclose(sampled_silhouette.silhouettes(samples, models, sums), expected, atol=0.03)


def test_rows_are_taken_by_their_lot_and_the_share_of_their_cluster() -> None:
    rows, hashes, models = blobs(20_000)
    samples, sums, labels = sampled(rows, hashes, models)
    lots = [int(lot) / 2**64 for lot in hash_ids(pa.array(hashes.view(np.int64)), sampled_silhouette.SALT)]
    for j, sample in enumerate(samples):
        size = sums.count[models.offsets[j] + labels[:, j]]
        quota = [max(sampled_silhouette.FLOOR, sampled_silhouette.SAMPLE * n / 20_000) for n in size]
        taken = [i for i in range(20_000) if lots[i] <= quota[i] / size[i]]
        taken.sort(key=lambda i: hashes[i])
        np.testing.assert_array_equal(sample.rows, rows[taken])
        np.testing.assert_array_equal(sample.labels, labels[taken, j])


def test_small_clusters_are_whole_and_large_ones_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_silhouette, "FLOOR", 60)
    rows, hashes, models = blobs(20_000)
    samples, sums, _ = sampled(rows, hashes, models)
    size, taken = sums.count[models.offsets[2] : models.offsets[3]], np.bincount(samples[2].labels)
    assert size[4] < 60 == sampled_silhouette.FLOOR < size[3]
    assert taken[4] == size[4]
    expected = np.maximum(60, sampled_silhouette.SAMPLE * size / 20_000)[:4]
    assert (abs(taken[:4] - expected) < 5 * np.sqrt(expected)).all()


def test_clusters_count_by_their_true_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_silhouette, "SAMPLE", 200)
    rows, hashes, models = blobs(20_000)
    samples, sums, _ = sampled(rows, hashes, models)
    sample, sizes = samples[2], sums.count[models.offsets[2] : models.offsets[3]]
    each = silhouette_samples(sample.rows / GRID, sample.labels)
    expected = sum(n / 20_000 * each[sample.labels == c].mean() for c, n in enumerate(sizes))
    assert sampled_silhouette.silhouettes(samples, models, sums)[2] == pytest.approx(expected, rel=1e-12)


def test_the_hashes_that_drew_the_coreset_say_nothing_of_the_sample() -> None:
    rows, hashes, models = blobs(100_000)
    samples, _, _ = sampled(rows, hashes, models)
    low = samples[0].hashes < np.uint64(2**60)  # a sixteenth of the range
    assert low.mean() == pytest.approx(1 / 16, abs=0.03)


@pytest.mark.parametrize("sizes", [(), (1, 0), (1_000, 2_000), (7,) * 300])
def test_parts_order_and_workers_change_no_bit(sizes: tuple[int, ...]) -> None:
    rows, hashes, models = blobs(4_000)
    samples, sums, _ = sampled(rows, hashes, models)
    again, _, _ = sampled(rows, hashes, models, np.random.default_rng(5).permutation(4_000), sizes)
    for a, b in zip(samples, again, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)
        np.testing.assert_array_equal(a.labels, b.labels)
        np.testing.assert_array_equal(a.hashes, b.hashes)
    one, three = (sampled_silhouette.silhouettes(s, models, sums, n) for s, n in ((samples, 1), (again, 3)))
    np.testing.assert_array_equal(one, three)


def test_rows_on_disk(tmp_path: Path) -> None:
    rows, hashes, models = blobs(2_000)
    for name, array in (("rows", rows), ("hashes", hashes)):
        (tmp_path / name).write_bytes(array.tobytes())
    mapped: Grid = np.memmap(tmp_path / "rows", np.int16, "r", shape=rows.shape)
    samples, _, _ = sampled(mapped, np.memmap(tmp_path / "hashes", np.uint64, "r"), models)
    for a, b in zip(samples, sampled(rows, hashes, models)[0], strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


def silhouettes_of(x: list[list[float]], *centers: list[list[float]]) -> Floats:
    rows = (np.array(x) * GRID).astype(np.int16)
    models = Models.of([len(c) for c in centers], [np.array(c) for c in centers])
    samples, sums, _ = sampled(rows, hash_ids(pa.array(range(len(rows))), 1), models)
    return sampled_silhouette.silhouettes(samples, models, sums)


def test_no_silhouette_is_0() -> None:
    one_cluster, singles, one_full = [[0.0]], [[0.0], [5.0]], [[0.0], [30.0]]
    assert silhouettes_of([[0.0], [5.0]], one_cluster, singles, one_full).tolist() == [0, 0, 0]
    assert silhouettes_of([[1.0]], one_cluster, singles).tolist() == [0, 0]
    assert silhouettes_of([[3.0]] * 9, one_cluster, [[3.0], [3.0]]).tolist() == [0, 0]


def test_a_cluster_of_one_counts_0_and_an_empty_one_nothing() -> None:
    found = silhouettes_of([[0.0], [0.0], [0.0], [8.0]], [[0.0], [8.0]], [[0.0], [8.0], [-20.0]])
    assert found.tolist() == [0.75, 0.75]


def test_duplicates_far_apart_are_1() -> None:
    assert silhouettes_of([[0.0]] * 500 + [[8.0]] * 3, [[0.0], [8.0]]).tolist() == [1.0]
