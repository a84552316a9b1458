"""Bootstrap stability: sets as the slow, obvious version; blobs that must come back and halves that must not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.coresets import coreset_of, stabilities
from tsclust.stages.clusters import restarts, stability
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.sweep import Models

REPOSITORY = Path(__file__).parents[3]


def blobs(each: int = 300) -> Coreset:
    """Three round blobs, far apart, with unequal weights."""
    rng = np.random.default_rng(0)
    x = np.repeat([[0.0, 0.0, 0.0], [12.0, 0.0, 0.0], [0.0, 12.0, 0.0]], each, axis=0)
    return coreset_of(x + rng.normal(0, 0.5, x.shape), rng.uniform(1, 5, len(x)))


def swept(coreset: Coreset, ks: tuple[int, ...]) -> Models:
    return Models.of(ks, [centers for _, centers in restarts.best_starts(coreset, ks, 3, 1)])


def test_overlaps_are_those_of_sets() -> None:
    rng = np.random.default_rng(3)
    own, other = rng.integers(0, 4, 60).astype(np.uint8), rng.integers(0, 6, 60).astype(np.uint8)
    weights = rng.integers(1, 5, 60)
    copies = np.repeat(np.arange(60), weights)  # a row of weight n is n rows
    sets = [[{(i, n) for n, i in enumerate(copies) if labels[i] == c} for c in range(6)] for labels in (own, other)]
    expected = [max(len(a & b) / len(a | b) for b in sets[1] if a | b) for a in sets[0][:5]]
    np.testing.assert_allclose(stability._jaccard(own, other, weights.astype(float), (5, 6)), expected, rtol=1e-12)
    assert expected[4] == 0


def test_blobs_come_back_and_the_halves_of_one_do_not() -> None:
    coreset = blobs()
    three, four = stabilities(coreset, swept(coreset, (3, 4)), 10)
    np.testing.assert_allclose(three, 1, atol=0.01)
    halves = np.sort(four)[:2]
    assert (halves < stability.STABLE).all()
    assert (np.sort(four)[2:] > 0.75).all()


def test_two_blobs_in_one_cluster_are_less_stable_than_three() -> None:
    coreset = blobs()
    models = swept(coreset, (2, 3, 6))
    means = stability.per_model(models, np.concatenate(stabilities(coreset, models, 10)))
    assert means[1] > max(means[0], means[2])
    assert stability.stable_k(models.ks, means) == 3


def test_a_resample_is_no_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stability, "DRAWN", 100)
    coreset = blobs()
    drawn = stability._drawn(coreset, np.random.default_rng(0))
    assert len(drawn.rows) <= drawn.times.sum() == 100
    assert len(np.unique(drawn.rows, axis=0)) == len(drawn.rows)
    np.testing.assert_allclose(np.concatenate(stabilities(coreset, swept(coreset, (3,)))), 1, atol=0.01)


def test_equal_rows_are_merged_with_all_the_weight_that_was_drawn() -> None:
    coreset = coreset_of(np.repeat([[0.0], [3.0]], [900, 100], axis=0), np.full(1_000, 2.0))
    drawn = stability._drawn(coreset, np.random.default_rng(0))
    assert sorted(drawn.rows[:, 0]) == [0, 3]
    assert drawn.weights.sum() == 2_000
    assert drawn.weights[drawn.rows[:, 0] == 3] == pytest.approx(200, abs=60)


def test_a_cluster_without_rows_gets_0_and_is_left_out_of_the_mean() -> None:
    coreset = blobs()
    three = swept(coreset, (3,)).centers
    models = Models.of((3, 4), [three, np.vstack([three, np.full((1, 3), -30.0)])])
    each = stabilities(coreset, models)
    assert each[1][3] == 0
    means = stability.per_model(models, np.concatenate(each))
    np.testing.assert_allclose(means, [each[0].mean(), each[1][:3].mean()])


@pytest.mark.parametrize("repeats", [[1, 1], [50, 3, 2], [500, 1, 1, 1], [1, 1, 1, 1, 1]])
def test_duplicates_and_hardly_any_rows(repeats: list[int]) -> None:
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 5.0], [7.0, 7.0], [-5.0, 2.0]])[: len(repeats)]
    coreset = coreset_of(np.repeat(places, repeats, axis=0))
    models = swept(coreset, (2, 3, 8))
    each = stabilities(coreset, models, 8)
    assert [len(one) for one in each] == np.diff(models.offsets).tolist()
    assert all(((one >= 0) & (one <= 1)).all() for one in each)
    assert np.isfinite(stability.per_model(models, np.concatenate(each))).all()


def test_one_row_is_one_stable_cluster() -> None:
    coreset = coreset_of(np.ones((1, 3)))
    assert stabilities(coreset, Models.of((2,), [np.ones((1, 3))]))[0].tolist() == [1.0]


@pytest.mark.parametrize(
    ("means", "expected"), [([1.0, 0.75, 0.7], 3), ([0.9, 0.6, 0.8], 5), ([0.7, 0.7, 0.7], None), ([0.8, 0.2, 0.2], 2)]
)
def test_the_largest_stable_k(means: list[float], expected: int | None) -> None:
    assert stability.stable_k((2, 3, 5), np.array(means)) == expected


def test_no_model_no_k() -> None:
    assert stability.stable_k((), np.array([])) is None


RUNS = """
import hashlib, sys
import numpy as np
from tests.support.coresets import coreset_of, stabilities
from tsclust.stages.clusters import restarts
from tsclust.stages.clusters.sweep import Models

rng = np.random.default_rng(0)
coreset = coreset_of(rng.normal(0, 1, (8_000, 4)), rng.uniform(0.1, 3, 8_000))
models = Models.of((5, 9), [coreset.rows[:5], coreset.rows[:9]])
fit, centers = restarts.fit, []  # an overlap forgives a last bit: look at the centers, too

def watched(*asked):
    found = fit(*asked)
    centers.extend(of_one for _, of_one in found)
    return found

restarts.fit = watched
for workers in sys.argv[1:]:
    centers.clear()
    seen = [one.tobytes() for one in stabilities(coreset, models, 5, int(workers))]
    print(hashlib.sha256(b"".join(seen + sorted(one.tobytes() for one in centers))).hexdigest())
"""


@pytest.mark.slow
def test_stability_is_the_same_on_any_number_of_threads() -> None:
    digests: set[str] = set()
    for cores in ("1", "3"):
        environment = os.environ | {"OMP_NUM_THREADS": cores, "OPENBLAS_NUM_THREADS": cores}
        command = [sys.executable, "-c", RUNS, "1", "2", "3"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=REPOSITORY)
        assert len(done.stdout.split()) == 3
        digests |= set(done.stdout.split())
    assert len(digests) == 1
