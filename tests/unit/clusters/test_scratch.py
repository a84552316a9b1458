"""Scaled rows on disk: what was laid down is read again, and a part travels as path and shape."""

from __future__ import annotations

from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from tsclust.stages.clusters.distinct import Distinct
from tsclust.stages.clusters.scratch import ScaledPart


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_rows_are_read_as_they_were_laid_down(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(count)
    rows = rng.integers(-1, 1, (count, 7)).astype(np.int16)[:, ::-1] * 2_000  # whatever its order in memory
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    part = ScaledPart.write(tmp_path / "part-00000", rows, hashes)
    message = cloudpickle.dumps(part)
    assert len(message) < 2_000
    there = cloudpickle.loads(message)
    found = there.distinct
    np.testing.assert_array_equal(found.rows[found.at], rows)
    np.testing.assert_array_equal(there.hashes, hashes)
    assert not found.rows.flags.writeable or not count


def test_equal_rows_are_there_once_with_their_count() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(-1, 2, (5_000, 6)).astype(np.int16) * rng.choice([1, 2, 31 * 1024], (5_000, 6)).astype(np.int16)
    found = Distinct.of(rows)
    expected, times = np.unique(rows, axis=0, return_counts=True)
    order = np.lexsort(found.rows.T[::-1])
    np.testing.assert_array_equal(found.rows[order], expected)
    np.testing.assert_array_equal(found.times[order], times)
    np.testing.assert_array_equal(found.rows[found.at], rows)


def test_a_part_that_is_done_twice_is_there_once(tmp_path: Path) -> None:
    for _ in range(2):
        ScaledPart.write(tmp_path / "part-00000", np.ones((3, 2), np.int16), np.arange(3, dtype=np.uint64))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"part-00000.{what}" for what in ("at", "hashes", "rows", "times")
    ]
