"""The nearest reference: most are never looked at, and what is found is what looking at all of them finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsclust.arrays import Floats
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.model.novelty import References


def scaled(rng: np.random.Generator, rows: int, d: int, places: int, spread: float) -> Floats:
    """(rows, d) scaled features around some places, most of them 0 as in a plant, many rows alike."""
    middle = rng.normal(scale=5.0, size=(places, d)) * (rng.random((places, d)) < 0.4)
    x = middle[rng.integers(0, places, rows)] + rng.normal(scale=spread, size=(rows, d)).round(1)
    grid: Floats = np.rint(np.clip(x, -31, 31) * GRID) / GRID
    return grid


def by_comparing_all(x: Floats, points: Floats) -> Floats:
    square = ((x[:, None] - points[None]) ** 2).sum(axis=2).min(axis=1)
    return np.sqrt(square.astype(np.float32)).astype(np.float64)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    references=st.sampled_from([1, 2, 3, 40, 257, 900]),
    d=st.integers(1, 33),
    places=st.integers(1, 12),
    spread=st.sampled_from([0.0, 0.1, 1.0, 20.0]),
)
def test_it_is_to_the_bit_what_comparing_with_all_finds(
    seed: int, references: int, d: int, places: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    points = scaled(rng, references, d, places, spread)
    x = np.concatenate([scaled(rng, 40, d, places, spread), points[:20], np.zeros((1, d))])
    found = References(points.astype(np.float32)).distances(x)
    np.testing.assert_array_equal(found, by_comparing_all(x, points))


def test_a_row_is_as_far_away_alone_as_among_others() -> None:
    rng = np.random.default_rng(1)
    known = References(rng.normal(size=(700, 9)).astype(np.float32))  # on no grid
    x = rng.normal(size=(60, 9))
    together = known.distances(x)
    np.testing.assert_array_equal(together, np.concatenate([known.distances(row[None]) for row in x]))
    np.testing.assert_allclose(together, by_comparing_all(x, known.points.astype(np.float64)), rtol=1e-6)


@pytest.mark.parametrize(("rows", "references"), [(0, 5), (3, 0)])
def test_without_references_all_is_infinitely_far(rows: int, references: int) -> None:
    found = References(np.zeros((references, 4), np.float32)).distances(np.ones((rows, 4)))
    assert found.tolist() == [np.inf] * rows
