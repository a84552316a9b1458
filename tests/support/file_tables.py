"""Tables in PostgreSQL and in files of every kind, their series, and what extract --from makes of them."""

from __future__ import annotations

import csv
import gzip
import io
import math
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.commands import invoked
from tests.support.workspaces import hashes, new_workspace

Row = tuple[Any, ...]


Series = dict[Any, Row]  # id -> (carried ..., values)


INT, REAL, TEXT, LIST = ("int8", pa.int64()), ("float8", pa.float64()), ("text", pa.string()), pa.list_(pa.float64())


CARRIED = {"machine": TEXT, "grade": ("int4", pa.int32()), "ok": ("bool", pa.bool_()),
           "day": ("date", pa.date32()), "at": ("timestamp", pa.timestamp("us")),
           "atz": ("timestamptz", pa.timestamp("us", "UTC"))}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows, and the series that are in them."""

    name: str
    columns: dict[str, tuple[str, pa.DataType]]  # name -> its type in SQL and in Arrow
    rows: Sequence[Row]
    series: Series
    carried: tuple[str, ...] = ()

    def schema(self, kind: str = "server") -> pa.Schema:
        """That of the series; a CSV does not know how many bits a whole number has."""
        ids = pa.int64() if isinstance(next(iter(self.series)), int) else pa.string()
        types = [(name, self.columns[name][1]) for name in self.carried]
        types = [(n, pa.int64() if pa.types.is_int32(t) and "csv" in kind else t) for n, t in types]
        return pa.schema([("series_id", ids), *types, ("values", LIST)])


def described(i: int) -> Row:
    """The carried columns of series i: each one is NULL in some series."""
    noon = datetime(2024, 1, 5, 12, 0, 0, 250_000) + timedelta(hours=i)
    row = (
        f'M{i % 3}, "left" é',
        i % 5,
        i % 2 == 0,
        date(2024, 1, 1) + timedelta(i),
        noon,
        noon.replace(tzinfo=ZoneInfo("UTC")),
    )
    return tuple(None if (i + j) % 7 == 0 else cell for j, cell in enumerate(row))


def values(i: int) -> list[float]:
    return [round(math.sin(i + j / 3), 6) for j in range(1 + i * 7 % 40)]


def array_table(name: str, type_: tuple[str, pa.DataType], ids: Sequence[Any]) -> Table:
    odd = {3: [], 4: None, 5: [1.5, None, math.nan, math.inf, -math.inf, None], 6: [None], 7: [5e-324, 1e300, -0.0]}
    series = {id_: (*described(i), odd.get(i, values(i))) for i, id_ in enumerate(ids)}
    columns = {"series_id": type_, **CARRIED, "values": ("float8[]", LIST)}
    rows = random.Random(1).sample([(id_, *of) for id_, of in series.items()], len(series))
    return Table(name, columns, rows, series, tuple(CARRIED))


def long_table(count: int = 40) -> Table:
    """idx runs one way, at_time the other; `noise` changes within a series, `seldom` is NULL in some of its rows."""
    columns = {"cycle_id": INT, "idx": ("int4", pa.int32()), "at_time": ("timestamp", pa.timestamp("us")), **CARRIED,
               "noise": INT, "seldom": TEXT, "value": REAL}  # fmt: skip
    rows = [
        (i, j, datetime(2024, 1, 1) - timedelta(milliseconds=j), *described(i), j * 10, None if j % 3 else "x", v)
        for i in range(count) for j, v in enumerate(values(i))
    ]  # fmt: skip
    series = {i: (*described(i), values(i)) for i in range(count)}
    return Table("long_rows", columns, random.Random(1).sample(rows, len(rows)), series, tuple(CARRIED))


def wide_table() -> Table:
    """v4 is empty in all rows, a shorter series ends in empty cells."""
    series: Series = {}
    for i in range(40):
        cells = [*values(i)[: 1 + i % 11], *[None] * 11][:11]
        cells[4] = None
        whole = cells[: max((j + 1 for j, v in enumerate(cells) if v is not None), default=0)]
        series[i] = (*described(i), whole)
    columns = {"cycle_id": INT, **CARRIED, **{f"v{j}": REAL for j in range(11)}}
    rows = [(i, *of, *its, *[None] * (11 - len(its))) for i, (*of, its) in series.items()]
    return Table("wide_rows", columns, random.Random(1).sample(rows, len(rows)), series, tuple(CARRIED))


TABLES = {t.name: t for t in (
    array_table("whole_ids", INT, range(-5, 35)), array_table("text_ids", TEXT, [f"{i:03}" for i in range(40)]),
    array_table("uuids", ("uuid", pa.string()), [str(uuid.UUID(int=i * 7**40)) for i in range(40)]),
    long_table(), wide_table(),
)}  # fmt: skip


def cell(value: Any) -> str:
    """As PostgreSQL writes it."""
    if isinstance(value, list):
        return "{" + ",".join("NULL" if v is None else repr(v) for v in value) + "}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_csv(table: Table, path: Path, rows: Sequence[Row] | None = None) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([table.columns, *(map(cell, row) for row in (table.rows if rows is None else rows))])
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def as_parquet(table: Table, path: Path) -> Path:
    columns = zip(table.columns.items(), zip(*table.rows, strict=True), strict=True)
    pq.write_table(pa.table({n: pa.array(cells, type_) for (n, (_, type_)), cells in columns}), path)
    return path


def extracted(root: Path, files: Path | str, **source: object) -> Path:
    """A workspace with these series."""
    new_workspace(root, "")
    tsclust.extract(root, {"source": {"files": str(files), **source}})
    made = {p.name for p in root.iterdir()}
    assert made - {".tsclust.lock"} == {"series", "tsclust.toml", "history"}
    return root


def read(root: Path, schema: pa.Schema | None = None) -> Series:
    """What is in series/, each id once; its columns are those of `schema`."""
    tables = [pq.read_table(p) for p in sorted((root / "series").glob("*.parquet"))]
    assert schema is None or all(t.schema.equals(schema) for t in tables), tables[0].schema
    rows = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def same(one: Series, other: Series) -> bool:
    """Equal in value and type, NaN equal to NaN."""
    return repr(sorted(one.items())) == repr(sorted(other.items()))


ARRAYS = {"id": INT, "values": ("float8[]", LIST)}


@pytest.fixture
def extracted_before(tmp_path: Path) -> Path:
    """A workspace with an earlier extraction."""
    return extracted(tmp_path / "ws", as_csv(Table("x", ARRAYS, [(1, [1.5]), (2, [])], {}), tmp_path / "0.csv"))


def refused(root: Path, code: int, told: str, *words: object) -> None:
    """The command line ends with this code and one line; the workspace stays as it was."""
    before, names = hashes(root, "series"), sorted(p.name for p in root.iterdir())
    done = invoked("extract", "-w", root, *words)
    assert done.exit_code == code, (done.output, done.exception)
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.output
    assert done.stdout == ""
    assert hashes(root, "series") == before
    assert sorted(p.name for p in root.iterdir()) == names
