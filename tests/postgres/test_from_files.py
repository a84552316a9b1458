"""extract --from: the same series come out of every kind of file and out of the server, whatever is asked of them."""

from __future__ import annotations

import csv
import gzip
import io
import math
import random
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg.conninfo import make_conninfo

import tsclust
from tests.postgres.test_cli import tsclust as cli
from tests.support.workspaces import hashes, made
from tsclust.embedded_postgres.server import Server

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


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[Server]:
    """The tables in a database called filed."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE filed")
    with psycopg.connect(dsn_of(server)) as connection:
        for table in TABLES.values():
            columns = ", ".join(f'"{n}" {t}' for n, (t, _) in table.columns.items())
            connection.execute(f"CREATE TABLE {table.name} ({columns})")
            with connection.cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                for row in table.rows:
                    copy.write_row(tuple(cell(v) if isinstance(v, list) else v for v in row))
    yield server
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE filed WITH (FORCE)")


def dsn_of(server: Server) -> str:
    return make_conninfo(server.dsn, dbname="filed")


def dump(server: Server, path: Path, *options: str) -> Path:
    subprocess.run([server.bin / "pg_dump", "-d", dsn_of(server), *options, "-f", path], check=True)
    return path


KINDS: dict[str, Callable[[Server, Table, Path], Path]] = {
    "csv": lambda _, t, p: as_csv(t, p / "data.csv"),
    "csv.gz": lambda _, t, p: as_csv(t, p / "data.csv.gz"),
    "parquet": lambda _, t, p: as_parquet(t, p / "data.parquet"),
    "plain": lambda s, t, p: dump(s, p / "data.sql", "-t", t.name),
    "custom": lambda s, t, p: dump(s, p / "data.dump", "-Fc", "-t", t.name),
    "directory": lambda s, t, p: dump(s, p / "data", "-Fd", "-t", t.name),
}


def extracted(root: Path, files: Path | str, **source: object) -> Path:
    """A workspace with these series."""
    made(root, "")
    tsclust.extract(root, {"source": {"files": str(files), **source}})
    assert sorted(p.name for p in root.iterdir() if p.name != ".tsclust.lock") == ["series", "tsclust.toml"]
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


# Every kind of file


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_series_that_were_written(
    filled: Server, tmp_path: Path, kind: str, name: str
) -> None:
    table = TABLES[name]
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path))
    assert same(read(root, table.schema(kind)), table.series)


@pytest.mark.parametrize("name", TABLES)
def test_the_server_gives_the_same_series(filled: Server, tmp_path: Path, name: str) -> None:
    root = made(tmp_path / "ws", "")
    tsclust.extract(root, {"dsn": dsn_of(filled), "source": {"table": name}})
    assert same(read(root, TABLES[name].schema()), TABLES[name].series)


@pytest.mark.parametrize("kind", KINDS)
def test_long_rows_are_put_in_the_order_that_is_asked_for(filled: Server, tmp_path: Path, kind: str) -> None:
    table = TABLES["long_rows"]
    asked = {"order": "at_time", "carry": ["machine", "noise", "seldom"]}  # what changes is that of the first row
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path), **asked)
    first = {i: len(its) - 1 for i, (*_, its) in table.series.items()}
    wanted = {
        i: (of[0], first[i] * 10, None if first[i] % 3 else "x", its[::-1]) for i, (*of, its) in table.series.items()
    }
    assert same(read(root), wanted)


def test_a_column_that_is_empty_far_into_a_wide_file_is_one_of_the_values(tmp_path: Path) -> None:
    path, count = tmp_path / "wide.csv", 190_000
    line = ",1.25,1.5,1.75,2.25,,2.5,2.75,3.25,3.5,3.75,4.25,4.5,4.75,5.25,5.5,5.75,6.25,6.5,6.75,7.25\n"
    with path.open("w") as file:
        file.write("id," + ",".join(f"v{j}" for j in range(20)) + "\n")
        file.writelines(f"{i}{line}" for i in range(count))
        file.write(f"{count}{line.replace(',,', ',9,')}")
    assert path.stat().st_size > 1 << 24
    got = read(extracted(tmp_path / "ws", path, where=f"id < 2 OR id = {count}"))
    cells = [None if c == "" else float(c) for c in line.strip().split(",")[1:]]
    assert got == {0: (cells,), 1: (cells,), count: ([*cells[:4], 9.0, *cells[5:]],)}


@pytest.mark.parametrize("asked", [{"layout": "wide"}, {"values": "v*"}])
def test_an_empty_column_of_a_narrow_wide_file(tmp_path: Path, asked: dict[str, str]) -> None:
    (tmp_path / "x.csv").write_text("id,v0,v1,v2,note7\n1,5,,6,\n2,7,,,\n")
    got = read(extracted(tmp_path / "ws", tmp_path / "x.csv", **asked))
    assert got == {1: (None, [5.0, None, 6.0]), 2: (None, [7.0])}


# What is asked for


def test_columns_are_named_and_written_down(tmp_path: Path) -> None:
    as_csv(Table("x", {"a": INT, "b": INT, "c": INT, "d": INT, "e": INT}, [(i % 3, i, -i, i * 2, 9) for i in range(9)],
                 {}), tmp_path / "x.csv")  # fmt: skip
    made(tmp_path / "ws", "# mine\n")
    words = "--layout long --id a --order c --values d --carry e --carry b --where b<8 --part_rows"
    done = cli("extract", "-w", tmp_path / "ws", "--from", tmp_path / "x.csv", "--save", *words.split()[:-1])
    assert (done.returncode, done.stderr) == (0, "")
    wanted = {i: (9, max(b), [2.0 * n for n in sorted(b, reverse=True)]) for i in range(3) if (b := range(i, 8, 3))}
    assert read(tmp_path / "ws") == wanted
    before = hashes(tmp_path / "ws", "series")
    assert cli("extract", "-w", tmp_path / "ws").returncode == 0
    assert hashes(tmp_path / "ws", "series") == before
    assert (tmp_path / "ws" / "tsclust.toml").read_text().startswith("# mine\n")


@pytest.mark.parametrize("name", ["whole_ids", "long_rows", "wide_rows"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "custom"])
def test_a_condition_on_a_column_that_is_not_carried(filled: Server, tmp_path: Path, kind: str, name: str) -> None:
    table = TABLES[name]
    where = "grade >= 2 AND NOT ok AND machine LIKE 'M%' AND day > '2024-01-06'"
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path), where=where, carry=["day"])
    met = {
        i: of
        for i, of in table.series.items()
        if (of[1] or 0) >= 2 and of[2] is False and of[0] and of[3] and of[3] > date(2024, 1, 6)
    }
    assert met
    assert same(read(root), {i: (of[3], of[-1]) for i, of in met.items()})
    on_server = made(tmp_path / "server", "")
    tsclust.extract(on_server, {"dsn": dsn_of(filled), "source": {"table": name, "where": where, "carry": ["day"]}})
    assert same(read(on_server), read(root))


def test_a_limit_counts_whole_series(tmp_path: Path) -> None:
    for table in (long_table(300), array_table("a", INT, range(300))):
        path = as_csv(table, tmp_path / f"{table.name}.csv")
        for limit in (1, 30, 299, 1_000):
            got = read(extracted(tmp_path / f"{table.name}{limit}", path, limit=limit, part_rows=7))
            assert len(got) == min(limit, 300)
            assert same(got, {i: table.series[i] for i in got})


def test_a_sample_is_always_the_same_whole_series(tmp_path: Path) -> None:
    long, array = long_table(2_000), array_table("a", INT, range(2_000))
    got = read(extracted(tmp_path / "1", as_csv(long, tmp_path / "x.csv"), sample="10%"))
    assert 150 < len(got) < 250
    assert same(got, {i: long.series[i] for i in got})
    assert read(extracted(tmp_path / "2", as_parquet(array, tmp_path / "x.parquet"), sample="0.1")).keys() == got.keys()
    assert read(extracted(tmp_path / "3", tmp_path / "x.csv", sample="20%")).keys() > got.keys()
