"""Rows in any order -> series, against a dict of lists."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tsclust.errors import BadSeriesError
from tsclust.source.long_rows import grouped
from tsclust.source.spill import Spill, spilling

Row = tuple[Any, ...]  # id, order, carried, value
LONG = pa.schema(
    [("series_id", pa.int64()), ("tsclust order", pa.int32()), ("kind", pa.string()), ("values", pa.float64())]
)
SHORT = pa.schema([("series_id", pa.int64()), ("kind", pa.string()), ("values", pa.list_(pa.float64()))])


def of_text(schema: pa.Schema) -> pa.Schema:
    return schema.set(0, pa.field("series_id", pa.string()))


def table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def long_rows(seed: int, ids: list[Any]) -> list[Row]:
    of = random.Random(seed)
    pool = [0.5, -1.0, None, math.nan, math.inf]
    rows = [(id_, i, f"k{n % 5}", of.choice(pool)) for n, id_ in enumerate(ids) for i in range(of.randint(1, 30))]
    of.shuffle(rows)
    return rows


def oracle(rows: list[Row]) -> dict[Any, tuple[str, list[float | None]]]:
    series: dict[Any, list[Row]] = {}
    for row in rows:
        series.setdefault(row[0], []).append(row)
    return {id_: (its[0][2], [r[3] for r in sorted(its, key=lambda r: r[1])]) for id_, its in series.items()}


def by_id(got: pa.Table) -> dict[Any, tuple[str, list[float | None]]]:
    rows = got.to_pylist()
    found = {row["series_id"]: (row["kind"], row["values"]) for row in rows}
    assert len(found) == len(rows)
    return found


def same(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    return repr(sorted(one.items())) == repr(sorted(other.items()))


@contextmanager
def spilled(folder: Path, rows: list[Row], schema: pa.Schema, long: bool, batch: int = 100) -> Iterator[Spill]:
    with spilling(folder, schema, long) as spill:
        for at in range(0, len(rows), batch):
            for piece in table(rows[at : at + batch], schema).to_batches():
                spill.add(piece)
        yield spill


def parts(folder: Path, rows: list[Row], schema: pa.Schema, long: bool, part_rows: int = 50) -> list[pa.Table]:
    with spilled(folder, rows, schema, long) as spill:
        return list(spill.series(part_rows))


INTEGERS = [*range(-50, 300), 2**63 - 1, -(2**63)]
TEXTS = ["0", "стрелка", *(str(uuid.UUID(int=i)) for i in range(300))]


# Grouped


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("ids", "schema"), [(INTEGERS, LONG), (TEXTS, of_text(LONG))], ids=["integers", "texts"])
def test_grouped_rows_are_series_in_their_order(seed: int, ids: list[Any], schema: pa.Schema) -> None:
    rows = long_rows(seed, ids)
    got = grouped(table(rows, schema))
    assert got.schema.names == ["series_id", "kind", "values"]
    assert got["series_id"].to_pylist() == sorted(ids)
    assert same(by_id(got), oracle(rows))


def test_rows_of_one_order_stay_as_they_came() -> None:
    rows = [(1, 5, "a", float(i)) for i in range(100)]
    assert grouped(table(rows, LONG))["values"].to_pylist() == [[float(i) for i in range(100)]]


def test_a_carried_column_gives_what_the_first_row_has() -> None:
    rows = [(1, 2, "second", 2.0), (1, 1, "first", 1.0), (2, 1, None, 3.0)]
    assert grouped(table(rows, LONG))["kind"].to_pylist() == ["first", None]


def test_an_order_that_is_null_comes_last() -> None:
    rows = [(1, None, "a", 3.0), (1, 2, "a", 2.0), (1, -1, "a", 1.0)]
    assert grouped(table(rows, LONG))["values"].to_pylist() == [[1.0, 2.0, 3.0]]


def test_no_rows_are_no_series() -> None:
    assert grouped(table([], LONG)).num_rows == 0
    assert grouped(LONG.empty_table()).schema.names == ["series_id", "kind", "values"]


# By way of the file


@pytest.mark.parametrize("part_rows", [1, 50, 10_000])
@pytest.mark.parametrize(("ids", "schema"), [(INTEGERS, LONG), (TEXTS, of_text(LONG))], ids=["integers", "texts"])
def test_long_rows_become_whole_series(tmp_path: Path, ids: list[Any], schema: pa.Schema, part_rows: int) -> None:
    rows = long_rows(part_rows, ids)
    got = parts(tmp_path, rows, schema, True, part_rows)
    assert same(by_id(pa.concat_tables(got)), oracle(rows))
    assert all(p["series_id"].to_pylist() == sorted(p["series_id"].to_pylist()) for p in got)


@pytest.mark.parametrize(("ids", "schema"), [(INTEGERS, SHORT), (TEXTS, of_text(SHORT))], ids=["integers", "texts"])
def test_rows_of_whole_series_stay_as_they_are(tmp_path: Path, ids: list[Any], schema: pa.Schema) -> None:
    of = random.Random(1)
    rows: list[Row] = [(id_, "k", None if i % 9 == 0 else [0.5, None] * (i % 4)) for i, id_ in enumerate(ids)]
    of.shuffle(rows)
    got = by_id(pa.concat_tables(parts(tmp_path, rows, schema, False)))
    assert got == {id_: ("k", values) for id_, _, values in rows}


@pytest.mark.slow
@pytest.mark.parametrize("long", [True, False])
def test_parts_hang_on_the_ids_and_not_on_the_order_of_the_rows(tmp_path: Path, long: bool) -> None:
    rows = long_rows(3, list(range(2_000))) if long else [(i, "k", [float(i)]) for i in range(2_000)]
    again = rows.copy()
    random.Random(4).shuffle(again)
    schema = LONG if long else SHORT
    one, two = parts(tmp_path, rows, schema, long), parts(tmp_path, again, schema, long)
    assert len(one) > 10
    assert repr([p.to_pylist() for p in one]) == repr([p.to_pylist() for p in two])


def test_a_part_has_about_as_many_series_as_asked(tmp_path: Path) -> None:
    rows: list[Row] = [(i, "k", [1.0]) for i in range(20_000)]
    sizes = [p.num_rows for p in parts(tmp_path, rows, SHORT, False, 1_000)]
    assert sum(sizes) == 20_000
    assert min(sizes[:-1]) >= 1_000
    assert max(sizes) <= 1_000 + 2 * 20_000 / 256


def test_rows_are_counted(tmp_path: Path) -> None:
    with spilled(tmp_path, long_rows(1, [1, 2, 3]), LONG, True, 7) as spill:
        assert spill.rows == len(long_rows(1, [1, 2, 3]))


@pytest.mark.parametrize("long", [True, False])
def test_nothing_added_gives_no_parts(tmp_path: Path, long: bool) -> None:
    assert parts(tmp_path, [], LONG if long else SHORT, long) == []


def test_empty_batches_give_no_parts(tmp_path: Path) -> None:
    with spilling(tmp_path, LONG, True) as spill:
        spill.add(pa.record_batch([pa.array([], f.type) for f in LONG], schema=LONG))
        assert list(spill.series(10)) == []


def test_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    with spilled(tmp_path, long_rows(1, [1, 2]), LONG, True) as spill:
        assert list(tmp_path.iterdir())
        next(spill.series(1))
    assert not list(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="no"), spilled(tmp_path, long_rows(1, [1]), LONG, True):
        raise RuntimeError("no")
    assert not list(tmp_path.iterdir())


# Ids that cannot be


@pytest.mark.parametrize("schema", [SHORT, of_text(SHORT)], ids=["integers", "texts"])
def test_an_id_twice_is_refused_wherever_its_rows_lie(tmp_path: Path, schema: pa.Schema) -> None:
    ids = [*(INTEGERS if schema is SHORT else TEXTS), 7 if schema is SHORT else "стрелка"]
    rows: list[Row] = [(id_, "k", [float(i)]) for i, id_ in enumerate(ids)]
    with pytest.raises(BadSeriesError, match=rf"series_id {ids[-1]} occurs more than once"):
        parts(tmp_path, rows, schema, False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("long", [True, False])
def test_an_id_that_is_null_is_refused_with_its_row(tmp_path: Path, long: bool) -> None:
    rows: list[Row] = [(None if i == 230 else i, *((0, "k", 1.0) if long else ("k", [1.0]))) for i in range(400)]
    with pytest.raises(BadSeriesError, match=r"^1 of 100 rows have no id \(NULL\), the first is row 231"):
        parts(tmp_path, rows, LONG if long else SHORT, long)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("longest", [99, 100])
def test_a_series_of_too_many_values_is_refused(tmp_path: Path, longest: int) -> None:
    rows: list[Row] = [(1, 0, "k", 1.0), *((7, i, "k", 1.0) for i in range(100))]
    refused = pytest.raises(BadSeriesError, match="series 7 has 100 values: expected at most 99 in one series")
    with refused if longest == 99 else nullcontext(), spilling(tmp_path, LONG, True, None, longest) as spill:
        spill.add(table(rows, LONG).to_batches()[0])
        assert sum(part.num_rows for part in spill.series(10)) == 2
