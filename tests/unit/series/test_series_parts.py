"""The files of series/ are read by one module: ids, carried columns, keys, times, rows of a part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.report_workspace import lifelike, write
from tsclust.errors import StageMissingError
from tsclust.series import carried, is_in, keys
from tsclust.stages.series import parts
from tsclust.workspace.folder import Workspace

TABLE = pa.table(
    {
        "series_id": pa.array([5, 3, 9, 1]),
        "machine": pa.array(["W1", None, "W2", "W1"]),
        "direction": pa.array([1, 2, None, 1], pa.int8()),
        "at": pa.array([datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)], pa.timestamp("us", "UTC")),
        "values": pa.array([[1.0, None, 2.0], [], None, [4.0]], pa.list_(pa.float64())),
    }
)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "part-00000.parquet"
    pq.write_table(TABLE, path, row_group_size=2)
    return path


def test_all_columns_but_the_id_and_the_values_are_carried_along() -> None:
    assert carried(TABLE.schema.names) == ["machine", "direction", "at"]


def test_a_part_is_read_as_it_was_written(part: Path) -> None:
    assert parts.read_table(part).equals(TABLE)
    assert parts.read_ids(part).equals(TABLE["series_id"].combine_chunks())
    assert parts.read_carried(part, ["at", "machine"]).equals(pl.DataFrame(TABLE.select(["at", "machine"])))
    assert parts.read_carried(part, []).shape == (0, 0)


def test_a_block_of_all_or_of_some_rows(part: Path) -> None:
    block = parts.read_block(part)
    assert block.ids.to_pylist() == [5, 3, 9, 1]
    assert [len(block[i]) for i in range(4)] == [3, 0, 0, 1]
    np.testing.assert_array_equal(block[0], [1.0, np.nan, 2.0])
    for some in (parts.read_block(part, np.array([3, 0])), block.take(np.array([3, 0]))):
        assert some.ids.to_pylist() == [1, 5]
        np.testing.assert_array_equal(some[0], [4.0])
        np.testing.assert_array_equal(some[1], [1.0, np.nan, 2.0])


def test_no_rows_of_a_block(part: Path) -> None:
    block = parts.read_block(part).take(np.empty(0, np.int64))
    assert (len(block), block.offsets.tolist(), len(block.values)) == (0, [0], 0)


def test_a_key_tells_missing_values_and_columns_apart(part: Path) -> None:
    every = np.ones(4, bool)
    assert len(set(parts.read_keys(part, ["machine", "direction"], every))) == 3
    assert parts.read_keys(part, ["machine"], every).tolist() == ["W1", "", "W2", "W1"]
    assert parts.read_keys(part, ["machine"], np.array([False, True, False, True])).tolist() == ["", "W1"]
    assert parts.read_keys(part, [], np.array([False, True, False, True])).tolist() == ["", ""]
    assert keys(pl.DataFrame({"a": ["x", "x1"], "b": ["1y", "y"]})).tolist() != ["x1y", "x1y"]


def test_times_outside_of_the_calendar_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    pq.write_table(pa.table({"series_id": [1, 2], "at": pa.array([0, 2**63 - 1], pa.timestamp("us"))}), path)
    assert parts.read_times(path, "at").to_list() == [datetime(1970, 1, 1), None]


@pytest.mark.parametrize("rows", [[0], [3, 0], [1, 2], [2, 2, 0]])
def test_rows_of_some_row_groups(part: Path, rows: list[int]) -> None:
    found = parts.read_rows(part, np.array(rows))
    assert found.equals(TABLE.take(rows)) or found.to_pylist() == TABLE.take(rows).to_pylist()
    assert parts.read_rows(part, np.array(rows), ["series_id"]).column_names == ["series_id"]


def test_rows_that_are_not_there(part: Path) -> None:
    with pytest.raises(IndexError):
        parts.read_rows(part, np.array([4]))
    with pytest.raises(FileNotFoundError):
        parts.read_rows(part.with_name("part-00001.parquet"), np.array([0]))


def test_which_ids_are_known() -> None:
    ids = pa.array([5, 3, 9])
    assert is_in(ids, pa.array([9, 5])).tolist() == [True, False, True]
    assert is_in(ids, pa.array([], pa.int64())).tolist() == [False] * 3


def test_the_files_of_a_workspace_are_looked_up_once(tmp_path: Path) -> None:
    made = lifelike(20)
    files = parts.SeriesFiles.of(write(tmp_path / "ws", made, 2))
    assert (files.folder, [path.name for path in files.paths]) == (
        tmp_path / "ws" / "series", ["part-00000.parquet", "part-00001.parquet"],
    )  # fmt: skip
    assert (files.manifest.rows, files.carried, files.time_column) == (20, ["machine", "at"], "at")
    assert files.id_type == pl.Int64
    assert (len(files.empty_block()), files.empty_block().ids.type) == (0, pa.int64())
    plain = [replace(one, carried={}, series_id=f"s{one.series_id}") for one in made]
    files = parts.SeriesFiles.of(write(tmp_path / "plain", plain))
    assert (files.carried, files.time_column, files.id_type) == ([], None, pl.String)


def test_no_series(tmp_path: Path) -> None:
    (tmp_path / "tsclust.toml").touch()
    with pytest.raises(StageMissingError, match="tsclust extract"):
        parts.SeriesFiles.of(Workspace.open(tmp_path))
