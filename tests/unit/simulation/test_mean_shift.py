"""The peer from rare category detection that bench/rivals.py measures: it finds a rare kind in a few questions."""

from __future__ import annotations

import numpy as np
import pytest

from bench.mean_shift import Cluster, first_bandwidth, hierarchy, queries

NORMAL, RARE = 600, 12


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """A cloud of normal rows, and after them two rare kinds: dense, and apart from it."""
    rng = np.random.default_rng(5)
    kinds = [0.1 * rng.standard_normal((RARE, 6)) + center for center in ([5, 0, 0, 0, 0, 0], [0, 0, 4, -4, 0, 0])]
    return np.vstack([rng.standard_normal((NORMAL, 6)), *kinds])


@pytest.fixture(scope="module")
def clusters(rows: np.ndarray) -> list[Cluster]:
    return hierarchy(rows)


def test_rare_kinds_are_among_the_first_questions(rows: np.ndarray, clusters: list[Cluster]) -> None:
    asked = [row for _, row in zip(range(10), queries(rows, clusters, held(clusters)), strict=False)]
    kinds = {(row - NORMAL) // RARE for row in asked if row >= NORMAL}
    assert kinds == {0, 1}


def test_a_rare_kind_is_a_cluster_of_the_hierarchy(clusters: list[Cluster]) -> None:
    found = {tuple(sorted(cluster.members.tolist())) for cluster in clusters}
    assert {tuple(range(NORMAL, NORMAL + RARE)), tuple(range(NORMAL + RARE, NORMAL + 2 * RARE))} <= found


def test_clusters_merge_into_larger_ones_and_share_nothing_else(clusters: list[Cluster]) -> None:
    sets = sorted((frozenset(cluster.members.tolist()) for cluster in clusters), key=len)
    assert len(set(sets)) == len(sets)
    assert all(not (a & b) or a < b for i, a in enumerate(sets) for b in sets[i + 1 :])
    assert all(cluster.lifetime >= 0 and 0 < cluster.held < 2.000001 for cluster in clusters)


def test_every_row_is_asked_of_once_at_most(rows: np.ndarray, clusters: list[Cluster]) -> None:
    outlying = np.array([cluster.outlierness for cluster in clusters])
    asked = list(queries(rows, clusters, outlying))
    assert len(asked) == len(set(asked)) == len(rows)


def test_the_first_bandwidth_leaves_nearly_all_rows_alone(rows: np.ndarray) -> None:
    near = np.sqrt(((rows[:, None] - rows) ** 2).sum(axis=2))
    np.fill_diagonal(near, np.inf)
    assert np.mean(near.min(axis=1) <= 2 * first_bandwidth(rows)) == pytest.approx(0.05, abs=0.01)


def held(clusters: list[Cluster]) -> np.ndarray:
    return np.array([cluster.held for cluster in clusters])
