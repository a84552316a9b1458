"""Parquet files as rows, against what pyarrow and polars wrote."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.file_rows import BOOL, DAY, F32, F64, I64, LIST, TEXT, US, UTC_US, read, refusal, table, types_of
from tsclust.errors import BadSeriesError, SourceFileError
from tsclust.source.files.discovery import opened


def test_parquet_types(tmp_path: Path) -> None:
    at, ids = datetime(2024, 1, 2, 3, 4, 5, 678901), [uuid.UUID(int=1), uuid.UUID(int=2**127)]
    t = pa.table({
        "i8": pa.array([1, None], pa.int8()),
        "u32": pa.array([1, 2**32 - 1], pa.uint32()),
        "f16": pa.array([np.float16(1.5), None], pa.float16()),
        "f32": pa.array([0.5, None], F32),
        "whole": pa.array([Decimal(10**17), None], pa.decimal128(18, 0)),
        "dec": pa.array([Decimal("1.25"), None], pa.decimal128(38, 2)),
        "ok": [True, None],
        "d64": pa.array([date(2024, 1, 2), None], pa.date64()),
        "ns": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns")),
        "zone": pa.array([at, None], pa.timestamp("ms", "Europe/Berlin")),
        "dict": pa.array(["a", None]).dictionary_encode(),
        "large": pa.array(["a", None], pa.large_string()),
        "view": pa.array(["a", None], pa.string_view()),
        "bytes": pa.array(["Ж".encode(), None]),
        "uuid": pa.array([i.bytes for i in ids], pa.uuid()),
        "raw16": pa.array([i.bytes for i in ids], pa.binary(16)),
        "time": pa.array([time(1, 2, 3), None], pa.time64("us")),
        "nothing": pa.nulls(2),
        "{array}": ["{1,2,NULL}", None],
        "a.b": ["[1]", "x"],
    })  # fmt: skip
    pq.write_table(t, tmp_path / "a.parquet")
    assert types_of(tmp_path / "a.parquet") == {
        "i8": pa.int8(), "u32": pa.uint32(), "f16": F32, "f32": F32, "whole": I64, "dec": F64, "ok": BOOL, "d64": DAY,
        "ns": US, "zone": UTC_US, "dict": TEXT, "large": TEXT, "view": TEXT, "bytes": TEXT, "uuid": TEXT, "raw16": TEXT,
        "time": TEXT, "nothing": TEXT, "{array}": LIST, "a.b": TEXT,
    }  # fmt: skip
    texts = [str(i) for i in ids]
    assert read(tmp_path / "a.parquet") == {
        "i8": [1, None], "u32": [1, 2**32 - 1], "f16": [1.5, None], "f32": [0.5, None], "whole": [10**17, None],
        "dec": [1.25, None], "ok": [True, None], "d64": [date(2024, 1, 2), None],
        "ns": [datetime(2023, 11, 14, 22, 13, 20, 123456), None],
        "zone": [at.replace(microsecond=678000, tzinfo=UTC), None],
        "dict": ["a", None], "large": ["a", None], "view": ["a", None], "bytes": ["Ж", None], "uuid": texts,
        "raw16": texts, "time": ["01:02:03.000000", None], "nothing": [None, None], "{array}": [[1.0, 2.0, None], None],
        "a.b": ["[1]", "x"],
    }  # fmt: skip
    asked = {"dec": TEXT, "i8": F64, "whole": TEXT, "nothing": LIST}
    assert read(tmp_path / "a.parquet", asked) == {
        "dec": ["1.25", None], "i8": [1.0, None], "whole": [str(10**17), None], "nothing": [None, None],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (pa.list_(F64), LIST),
        (pa.list_(F32), pa.list_(F32)),
        (pa.large_list(F32), pa.list_(F32)),
        (pa.list_(pa.int16()), LIST),
        (pa.list_(I64), LIST),
        (pa.list_(pa.decimal128(9, 2)), LIST),
        (pa.large_list(F64), LIST),
        (pa.list_(F64, 2), LIST),
    ],
)
def test_parquet_lists(tmp_path: Path, given_: pa.DataType, shown: pa.DataType) -> None:
    values = [[1, 2], None, [3, None]] if pa.types.is_fixed_size_list(given_) else [[1], None, [], [3, None]]
    if pa.types.is_decimal(given_.value_type):
        values = [[Decimal(1)], None, [], [Decimal(3), None]]
    pq.write_table(pa.table({"id": range(len(values)), "v": pa.array(values, given_)}), tmp_path / "a.parquet")
    assert types_of(tmp_path / "a.parquet") == {"id": I64, "v": shown}
    assert read(tmp_path / "a.parquet")["v"] == values


def test_columns_that_nobody_can_use(tmp_path: Path) -> None:
    t = pa.table({
        "id": [1],
        "grid": [[[1.0], [2.0]]],
        "point": [{"x": 1}],
        "names": [["a"]],
        "took": pa.array([1], pa.duration("us")),
        "raw": [b"\xff\xfe"],
    })  # fmt: skip
    pq.write_table(t, tmp_path / "a.parquet")
    rows = opened("a.parquet", "", tmp_path)
    assert rows.schema.names == ["id", "raw"]
    assert table(rows, {"id": I64}).to_pydict() == {"id": [1]}
    for name, said in [("grid", "is a list of lists"), ("point", "is of type struct"), ("names", "is of type list")]:
        with pytest.raises(BadSeriesError, match=f"a.parquet: column {name} {said}.* Name another column"):
            table(rows, {name: LIST})
    with pytest.raises(BadSeriesError, match=r"column raw \(binary\) cannot be read as string"):
        table(rows, {"raw": TEXT})


def test_a_parquet_value_that_does_not_fit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"name": ["1", "x"], "v": [1.5, 2.0]}), tmp_path / "a.parquet")
    rows = opened("a.parquet", "", tmp_path)
    with pytest.raises(BadSeriesError, match=r"column name has 'x' in row 2: expected a number.*--missing=x"):
        table(rows, {"name": F64})
    with pytest.raises(BadSeriesError, match=r"column v \(double\) cannot be read as int64"):
        table(rows, {"v": I64})
    with pytest.raises(BadSeriesError, match="column name, row 1: '1' is not an array"):
        table(rows, {"name": LIST})


def test_one_giant_row_group_comes_in_parts(tmp_path: Path) -> None:
    values = np.arange(40_000 * 100, dtype="f8")
    lists = pa.FixedSizeListArray.from_arrays(values, 100)
    t = pa.table({"id": np.arange(40_000), "v": lists.cast(LIST), "text": ["a" * 1000] * 40_000})
    pq.write_table(t, tmp_path / "a.parquet", row_group_size=40_000)
    rows = opened("a.parquet", "", tmp_path)
    batches = list(rows.read({"v": LIST, "id": I64}, lambda n: None))
    assert max(b.nbytes for b in batches) < 20_000_000
    assert len(batches) > 1
    assert pa.Table.from_batches(batches) == t.select(["v", "id"])


def test_polars_writes_and_many_row_groups(tmp_path: Path) -> None:
    frame = pl.DataFrame({
        "id": range(1000), "v": [[float(i), None] for i in range(1000)], "day": [date(2024, 1, 2)] * 1000,
        "kind": pl.Series(["a", "b"] * 500, dtype=pl.Categorical), "x": pl.Series([0.5] * 1000, dtype=pl.Float32),
        "grid": pl.Series([[1.0, 2.0]] * 1000, dtype=pl.Array(pl.Float64, 2)),
    })  # fmt: skip
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=64)
    expected = frame.with_columns(pl.col("kind").cast(str)).to_dict(as_series=False)
    assert types_of(tmp_path / "a.parquet") == dict(zip(frame.columns, [I64, LIST, DAY, TEXT, F32, LIST], strict=True))
    assert {n: [list(v) if n == "grid" else v for v in c] for n, c in read(tmp_path / "a.parquet").items()} == expected


def test_parquet_without_rows(tmp_path: Path) -> None:
    for groups in ([], [pa.table({"id": pa.array([], I64), "v": pa.array([], LIST)})]):
        with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("id", I64), ("v", LIST)])) as writer:
            for group in groups:
                writer.write_table(group)
        assert read(tmp_path / "a.parquet") == {"id": [], "v": []}


def test_a_parquet_that_is_damaged_inside(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": np.random.default_rng(1).integers(0, 2**60, 9999)}), tmp_path / "a.parquet")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:600] = b"\xff" * 596
    (tmp_path / "a.parquet").write_bytes(content)
    assert "a.parquet is damaged" in refusal(SourceFileError, "a.parquet", tmp_path)


def test_a_column_twice_in_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"]), tmp_path / "a.parquet")
    assert "column id occurs twice" in refusal(BadSeriesError, "a.parquet", tmp_path)


def test_a_column_whose_name_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "name": [1.0]}), tmp_path / "a.parquet", store_schema=False)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content.replace(b"name", b"n\xffme"))
    with pytest.raises(SourceFileError, match="damaged: expected a Parquet file"):
        opened("a.parquet", "", tmp_path)


def test_a_page_that_claims_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random(3_000)
    pq.write_table(pa.table({"id": values}), tmp_path / "a.parquet", use_dictionary=False, compression="zstd")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    page = pq.read_metadata(tmp_path / "a.parquet").row_group(0).column(0).data_page_offset
    assert content[page + 2] == 0x15  # the size that the page has when it is unpacked, in three bytes
    content[page + 3 : page + 6] = b"\xff\xff\x7e"
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(SourceFileError, match="damaged: expected a Parquet file"):
        read(tmp_path / "a.parquet")
