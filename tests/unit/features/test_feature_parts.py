"""The files of features/ are read and made by one module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tsclust.stages.features import parts

IDS = pa.array(["a", "b", "c"])
FEATURES = pl.DataFrame({"min": [1.0, None, 3.0], "max": [4.0, 5.0, None]})
REJECTED_BY = pl.Series([None, "low", None], dtype=pl.String)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "part-00000.parquet"
    pq.write_table(parts.table_of(IDS, FEATURES, REJECTED_BY), path)
    return path


def test_a_part_has_the_id_every_feature_and_who_rejects_it(part: Path) -> None:
    schema = pq.read_schema(part)
    assert schema.names == ["series_id", "min", "max", "rejected_by"]
    assert schema.types == [pa.string(), pa.float64(), pa.float64(), pa.string()]


def test_features_are_read_in_the_order_asked_for(part: Path) -> None:
    rows = parts.read(part, ["max", "min"])
    assert rows.ids.equals(IDS)
    np.testing.assert_array_equal(rows.x, [[4, 1], [5, np.nan], [np.nan, 3]])
    assert rows.rejected_by.to_pylist() == [None, "low", None]
    assert rows.kept.tolist() == [True, False, True]
    kept = rows.where(rows.kept)
    assert (len(kept), kept.ids.to_pylist(), kept.kept.all()) == (2, ["a", "c"], True)
    np.testing.assert_array_equal(kept.x, [[4, 1], [np.nan, 3]])


def test_without_features_there_are_rows_all_the_same(part: Path) -> None:
    assert parts.read(part).x.shape == (3, 0)


def test_rules_get_null_where_a_feature_is_not_known(part: Path) -> None:
    ids, frame = parts.read_frame(part, ["max"])
    assert ids.equals(IDS)
    assert frame.equals(FEATURES.select("max"))
