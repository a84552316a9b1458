"""Series drawn by the hashes of their ids: how many, and in which order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tsclust.hashing import among, hash_ids, limit, order_of


@pytest.mark.parametrize(("wanted", "of"), [(100, 20_000), (20_000, 20_000), (20_001, 20_000), (0, 20_000), (5, 0)])
def test_about_as_many_are_drawn_as_are_wanted(wanted: int, of: int) -> None:
    drawn = np.count_nonzero(hash_ids(pa.array(range(20_000)), 1) <= limit(wanted, of))
    share = min(1.0, wanted / max(of, 1))
    expected = 20_000 * share
    assert abs(drawn - expected) <= 4 * np.sqrt(20_000 * share * (1 - share))


def test_the_order_is_the_same_for_any_parts() -> None:
    hashes = hash_ids(pa.array(range(1_000)), 1)
    cut = [hashes[:10], hashes[10:10], hashes[10:]]
    order = order_of(cut)
    assert hashes[order].tolist() == sorted(hashes.tolist())
    np.testing.assert_array_equal(order, order_of([hashes]))


def test_hashes_among_known_ones() -> None:
    hashes = hash_ids(pa.array(range(100)), 1)
    known = np.sort(hashes[::3])
    assert among(hashes, known).tolist() == [at % 3 == 0 for at in range(100)]
    assert not among(hashes, known[:0]).any()
