"""The sweep against scikit-learn as the slow, obvious version; exactness for any parts; groups by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_samples

from tests.support.coresets import Parts, blobs, coreset_of, in_parts
from tests.support.endurance import times
from tsclust.arrays import Floats, Int64s
from tsclust.engine import base
from tsclust.hashing import hash_ids
from tsclust.stages.clusters import groups, passes, quality, restarts, sweep
from tsclust.stages.clusters.parts import SAME_SET, GroupRow
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.sweep import ClusterSums, Models

REPOSITORY = Path(__file__).parents[3]


KS = (2, 3, 5, 8)


def swept(
    parts: Parts, ks: tuple[int, ...] = KS
) -> tuple[Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s]:
    coreset = passes.draw_coreset(parts, 1_000, 2)
    models = Models.of(ks, restarts.merge_down(coreset, restarts.best_starts(coreset, ks, 3, 1)))
    models, sums = list(passes.refine(parts, models, coreset, 2))[-1]
    each = [passes.evaluate_part(part, np.zeros((len(part.hashes), 1), np.int64), models, sums) for part in parts]
    silhouettes, shared = each[0].silhouettes, each[0].shared
    for part in each[1:]:
        silhouettes, shared = silhouettes + part.silhouettes, shared + part.shared
    diagnosis = quality.diagnose(models, sums, silhouettes)
    labels = np.concatenate([part.labels for part in each])
    normal = groups.Normal(np.zeros(parts[0].distinct.rows.shape[1]))
    return models, sums, diagnosis, groups.find(models, sums, diagnosis.clusters, shared, 40, normal), labels


@pytest.fixture(scope="module")
def one() -> tuple[Floats, Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s]:
    x = blobs()
    return x, *swept(in_parts(x, []))


@pytest.mark.slow
def test_every_row_has_its_nearest_center(
    one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, object, Int64s],
) -> None:
    x, models, _, _, _, labels = one
    for j in range(len(KS)):
        centers = models.centers[models.offsets[j] : models.offsets[j + 1]]
        away = ((x[:, None] - centers[None]) ** 2).sum(axis=2)
        chosen = np.take_along_axis(away, labels[:, [j]].astype(np.int64), axis=1)[:, 0]
        np.testing.assert_allclose(chosen, away.min(axis=1), atol=1e-3)


def test_diagnostics_equal_scikit_learns(
    one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, object, Int64s],
) -> None:
    x, models, sums, diagnosis, _, labels = one
    for j, k in enumerate(KS):
        own = labels[:, j]
        means = np.array([x[own == c].mean(axis=0) for c in range(k)])
        samples = silhouette_samples(x, own, metric="sqeuclidean")
        assert diagnosis.inertia[j] == pytest.approx(((x - means[own]) ** 2).sum(), rel=1e-9)
        assert diagnosis.silhouette[j] == pytest.approx(samples.mean(), abs=1e-6)
        assert diagnosis.davies_bouldin[j] == pytest.approx(davies_bouldin_score(x, own), rel=1e-5)
        assert diagnosis.calinski_harabasz[j] == pytest.approx(calinski_harabasz_score(x, own), rel=1e-6)
        per_cluster = [samples[own == c].mean() for c in range(k)]
        np.testing.assert_allclose(
            diagnosis.clusters[models.offsets[j] : models.offsets[j + 1]], per_cluster, atol=1e-6
        )
        np.testing.assert_allclose(sums.means[models.offsets[j] : models.offsets[j + 1]], means, atol=1e-9)
        assert diagnosis.smallest[j] == np.bincount(own, minlength=k).min()


def test_inertia_does_not_rise_with_k() -> None:
    _, _, diagnosis, _, _ = swept(in_parts(blobs(), []), tuple(range(2, 20)))
    assert (np.diff(diagnosis.inertia) <= 1e-9).all()


def test_a_model_that_explains_less_than_a_smaller_one_is_made_anew() -> None:
    x = blobs()
    parts = in_parts(x, [1_000])
    coreset = passes.draw_coreset(parts, 1_000, 2)
    good = [centers for _, centers in restarts.best_starts(coreset, (4, 5, 6), 3, 1)]
    far = np.full((6, 4), 25.0) + np.arange(6)[:, None]  # where no row is: all go to one center, and stay there
    for bad in ([good[0], far[:5], far], [good[0], far[:5], good[2]]):
        models, sums = list(passes.refine(parts, Models.of((4, 5, 6), bad), coreset, 2))[-1]
        inertia = [part.sum() for part in np.split(sums.inertia, models.offsets[1:-1])]
        assert inertia[0] > inertia[1] > inertia[2]
        labels = sweep.assign(parts[0].distinct.rows, models)
        assert [len(np.unique(labels[:, j])) for j in range(3)] == [4, 5, 6]


def test_the_largest_k_that_may_be_asked_for_has_as_many_clusters() -> None:
    coreset = coreset_of(np.random.default_rng(0).normal(0, 3, (2_000, 3)))
    for size, start in zip((5, 200), restarts.starts(coreset, (5, 200), 1), strict=True):
        labels = sweep.assign(coreset.grid, Models.of([size], [start]))[:, 0]
        away = ((coreset.rows[:, None] - start[None]) ** 2).sum(axis=2)
        np.testing.assert_allclose(away[np.arange(2_000), labels], away.min(axis=1))
        assert len(np.unique(labels)) == size
        merged, drawn = restarts.fit(coreset, [start, restarts.plus_plus(coreset, size, 1)], 1)
        assert merged[0] < 0.9 * drawn[0]  # what merging is for


def test_what_many_clusters_found_fewer_do_not_miss() -> None:
    coreset = passes.draw_coreset(in_parts(blobs(), []), 1_000, 2)
    true = restarts.fit(coreset, [restarts.plus_plus(coreset, k, 1) for k in (5, 7)])
    near = coreset.rows[np.abs(coreset.rows).sum(axis=1) < 1][:5]  # all starts in the large mass
    bad = restarts.fit(coreset, [near])[0]
    best = restarts.merge_down(coreset, [bad, true[1]])
    assert restarts.fit(coreset, best[:1])[0][0] <= true[0][0] * (1 + 1e-6) < bad[0]
    np.testing.assert_array_equal(best[1], true[1][1])
    assert [len(centers) for centers in best] == [5, 7]


class Restless:
    """An engine that does every part twice, in an order of chance, and hands on the second result."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(
        self, function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object], /
    ) -> Iterator[Any]:
        waiting, done = list(parts), {}
        self.calls += 1
        for i in np.random.default_rng(self.calls).permutation(np.tile(np.arange(len(waiting)), 2)).tolist():
            done[i] = function(waiting[i])
        stop()
        yield from (done[i] for i in range(len(waiting)))


def test_any_engine_finds_the_same(
    one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s],
) -> None:
    x, models, sums, _, found, labels = one
    restless = Restless()
    with base.using(restless):
        again = swept(in_parts(x, [500, 500, 1, 900]))
    assert restless.calls >= 4
    np.testing.assert_array_equal(again[0].centers, models.centers)
    np.testing.assert_array_equal(again[1].total, sums.total)
    assert again[3] == found
    np.testing.assert_array_equal(again[4], labels)


@pytest.mark.parametrize("sizes", [[1], [1_000, 1_000], [7] * 300])
def test_parts_and_the_order_of_rows_change_no_bit(
    sizes: list[int], one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s]
) -> None:
    x, models, sums, diagnosis, found, labels = one
    order = np.random.default_rng(5).permutation(len(x))
    again = swept(in_parts(x, sizes, order))
    np.testing.assert_array_equal(again[0].centers, models.centers)
    np.testing.assert_array_equal(again[1].total, sums.total)
    for field in ("inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "clusters"):
        np.testing.assert_array_equal(getattr(again[2], field), getattr(diagnosis, field))
    assert again[3] == found
    np.testing.assert_array_equal(again[4], labels[order])


def test_the_small_blobs_are_groups_and_come_before_the_normal_mass(
    one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s],
) -> None:
    _, _, _, _, found, _ = one
    rare = [group for group in found if not group.normal]
    assert all(group.group < normal.group for group in rare for normal in found if normal.normal)
    sizes = sorted(round(group.share, 2) for group in rare if group.silhouette > 0.9)
    assert {0.01, 0.02, 0.03, 0.04} <= set(sizes)
    assert [group.group for group in found] == list(range(1, len(found) + 1))
    assert len({(group.k, group.cluster) for group in found}) == len(found)


def test_groups_are_distinct_and_hang_together(
    one: tuple[Floats, Models, ClusterSums, quality.Diagnosis, list[GroupRow], Int64s],
) -> None:
    _, models, _, _, found, labels = one
    members = {g.group: set(np.flatnonzero(labels[:, models.ks.index(g.k)] == g.cluster)) for g in found}
    for a in found:
        assert len(members[a.group]) == a.size
        assert a.first_k <= a.k <= a.last_k
        assert a.parent is None or a.parent in members
        for b in found:
            if a.group < b.group:
                overlap = len(members[a.group] & members[b.group]) / len(members[a.group] | members[b.group])
                assert overlap <= SAME_SET


STARTS = """
import hashlib, sys
from tests.support.coresets import blobs, in_parts
from tsclust.stages.clusters import passes, restarts
coreset = passes.draw_coreset(in_parts(blobs(30_000), []), 30_000, 2)
digest = hashlib.sha256()
for centers in restarts.merge_down(coreset, restarts.best_starts(coreset, (5, 8), 4, 1, int(sys.argv[1]))):
    digest.update(centers.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
@pytest.mark.endurance
def test_restarts_are_the_same_on_any_number_of_threads() -> None:
    found = set()
    for workers, cores in ((1, "1"), (2, "3"), (2, "2"))[: times(2, 3)]:
        command = [sys.executable, "-c", STARTS, str(workers)]
        environment = os.environ | {"OMP_NUM_THREADS": cores}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=REPOSITORY)
        found.add(done.stdout)
    assert len(found) == 1


def test_duplicates_and_fewer_distinct_rows_than_clusters() -> None:
    x = np.repeat([[0.0, 0.0], [4.0, 0.0], [0.0, 5.0]], [50, 3, 2], axis=0)
    models, sums, diagnosis, found, _ = swept(in_parts(x, []), (2, 3, 5))
    assert np.diff(models.offsets).tolist() == [2, 3, 3]
    assert sorted(sums.count[models.offsets[2] :].tolist()) == [2, 3, 50]
    assert diagnosis.inertia[-1] == 0
    assert {group.size for group in found} >= {2, 3, 50}


def test_a_coreset_keeps_far_points_and_its_weights_add_up() -> None:
    x = np.zeros((20_000, 3))
    x[:30] = 8.0
    coreset = passes.draw_coreset(in_parts(x, [5_000]), 500, 2)
    far = coreset.rows[:, 0] == 8
    assert coreset.times[far].sum() == 30
    assert coreset.weights[far].sum() == pytest.approx(30)
    assert coreset.weights.sum() == pytest.approx(20_000, rel=0.15)


def test_rows_of_a_coreset_that_are_the_same_are_one_with_the_weight_of_all() -> None:
    x = blobs()
    coreset = passes.draw_coreset(in_parts(np.rint(x), [700]), 1_000, 2)
    each = passes.draw_coreset(in_parts(np.rint(x) + np.arange(len(x))[:, None] / GRID, [700]), 1_000, 2)
    assert len(np.unique(coreset.rows, axis=0)) == len(coreset.rows) < len(each.rows)
    assert each.times.tolist() == [1] * len(each.rows)
    assert coreset.times.sum() == pytest.approx(len(each.rows), rel=0.2)
    assert coreset.weights.sum() == pytest.approx(len(x), rel=0.2)


def test_hashes_belong_to_the_id_and_the_seed() -> None:
    for ids in (pa.array([5, 9, -1]), pa.array(["W1", "Вентиль", ""])):
        hashes = hash_ids(ids, 1)
        assert len(set(hashes.tolist())) == 3
        assert hash_ids(ids.take(pa.array([2, 0])), 1).tolist() == hashes[[2, 0]].tolist()
        assert hash_ids(ids.slice(1), 1).tolist() == hashes[1:].tolist()
        assert set(hash_ids(ids, 2).tolist()).isdisjoint(hashes.tolist())


def test_hashes_are_uniform() -> None:
    hashes = hash_ids(pa.array(range(100_000)), 1)
    counts = np.bincount((hashes >> np.uint64(60)).astype(int), minlength=16)
    assert abs(counts - 6_250).max() < 5 * np.sqrt(6_250)


def test_what_differs_in_the_same_way_as_one_seen_comes_later() -> None:
    away = np.array([[6.0, 0, 0], [9.0, 0.5, 0], [0, 4.0, 0], [-3.0, 0, 0], [0, 0, 0]])
    alike = groups.alike_ways(away)
    assert alike[0, 0] == pytest.approx(1)
    assert alike[0, 1] == pytest.approx(np.cos(np.arctan(0.5 / 9)) ** 8)
    assert (alike[0, 2:] == 0).all()
    size, worth = np.full(5, 40), np.array([8.0, 9.0, 4.0, 3.0, 0.0])
    assert groups.ordered(worth, size, np.zeros((5, 5), np.int64), alike) == [1, 2, 3, 0, 4]
