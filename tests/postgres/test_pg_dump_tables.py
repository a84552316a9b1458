"""Which table of a dump is read, and of what types its columns are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from tests.support.dumps import FORMATS, LIST, dump, dumped_database, read, table, written
from tsclust.embedded_postgres.server import Server
from tsclust.errors import BadSeriesError, SettingsError
from tsclust.source.pgdump import tables


@pytest.fixture(scope="module", params=["server", "server16"])
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with dumped_database(request.getfixturevalue(request.param)) as server:
        yield server


@pytest.mark.parametrize("format_", ["plain", "custom", "directory"])
@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("machine.cycles", [1, 2]),
        ('"My.Schema".cycles', ["007", ""]),
        ('"My.Schema"."T ""q"".x"', ["tab\there"]),
        ('"T ""q"".x"', ["tab\there"]),
        ("parts", list(range(20))),
        ("part_2", list(range(10, 20))),
        ("machine.empty", []),
    ],
)
def test_names(filled: Server, tmp_path: Path, format_: str, name: str, ids: list[Any]) -> None:
    path = FORMATS[format_](filled, tmp_path / "x")
    rows = tables.opened(path, name)
    column = next(c for c in ("id", "a,b") if c in rows.schema.names)
    assert [row[column] for row in read(rows).to_pylist()] == ids
    assert rows.label.endswith(" in x")


@pytest.mark.parametrize("format_", ["plain", "custom piped", "directory"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "rows of more than one table: .*machine.cycles, .*--table"),
        ("cycles", r'more than one table cycles: machine.cycles, "My.Schema".cycles.*--table'),
        ("machine.cycels", r"no rows of a table machine.cycels \(it has machine.cycles,"),
        ("Cycles", r"no rows of a table Cycles \(it has machine.cycles,"),
        ("machine", "no rows of a table machine "),
        ("..", "no rows of a table"),
    ],
)
def test_a_table_that_is_not_meant(filled: Server, tmp_path: Path, format_: str, name: str, told: str) -> None:
    path = FORMATS[format_](filled, tmp_path / "x")
    with pytest.raises(SettingsError, match=told):
        tables.opened(path, name)


@pytest.mark.parametrize(
    "options",
    [
        ("-t", "machine.cycles", "-t", "machine.empty"),
        ("-t", "machine.par*"),
        ("-T", "machine.*", "-T", '"My.Schema"."T"*'),
    ],
)
@pytest.mark.parametrize("format_", ["-Fp", "-Fc", "-Fd"])
def test_the_only_table_with_rows_needs_no_name(
    filled: Server, tmp_path: Path, format_: str, options: tuple[str, ...]
) -> None:
    rows = table(dump(filled, tmp_path / "x", format_, *options), "")
    assert [r["id"] for r in rows] in ([1, 2], list(range(20)), ["007", ""])


def test_the_types_of_columns(filled: Server, tmp_path: Path) -> None:
    schema = tables.opened(dump(filled, tmp_path / "x", "-Fc"), "machine.odd").schema
    assert [str(t) for t in schema.types] == [
        "int64", "string", "list<item: double>", "int16", "int32", "float", "double", "double", "bool",
        "date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]", "list<item: float>", "list<item: double>",
        "list<item: double>", "list<item: double>", "string", "string", "string", "string",
    ]  # fmt: skip


def test_time_zones_of_old_and_dates_without_end(filled: Server, tmp_path: Path) -> None:
    with psycopg.connect(filled.dsn, dbname="dumped", autocommit=True) as connection:
        connection.execute("CREATE TABLE times (id int, at timestamptz, day date, local timestamp)")
        connection.execute("INSERT INTO times VALUES (1, '1900-01-01 UTC', 'infinity', '-infinity')")
        connection.execute("INSERT INTO times VALUES (2, 'infinity', '1900-01-01', '1900-01-01 00:00:00.000001')")
        connection.execute("INSERT INTO times VALUES (3, '2024-07-01 UTC', NULL, NULL)")
        path = dump(filled, tmp_path / "x", "-Fp", "-t", "times")
        connection.execute("DROP TABLE times")
    assert b"+02:30:17" in path.read_bytes()
    old, new = datetime(1900, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
    assert [[*r.values()][1:] for r in table(path, "")] == [
        [old, None, None], [None, date(1900, 1, 1), datetime(1900, 1, 1, 0, 0, 0, 1)], [new, None, None],
    ]  # fmt: skip


def test_empty_lines_are_empty_texts(tmp_path: Path) -> None:
    assert table(written(tmp_path / "x", "\na\n\n", "t"), "t") == [{"t": ""}, {"t": "a"}, {"t": ""}]


@pytest.mark.parametrize(
    ("rows", "types", "told"),
    [
        ("1\t{1}\n2\t{{1},{2}}\n", {"values": LIST}, r"row 2: values is '\{\{1\},\{2\}\}', a 2-D array"),
        ("1\tabc\n", {"values": LIST}, "row 1: values is 'abc', not an array of numbers"),
        ("a\t{1}\n", {"id": pa.int64()}, "column id: .*'a'"),
        ("40000\t{1}\n", {"id": pa.int16()}, "column id: .*'40000'"),
        ("0044-03-15 BC\t{}\n", {"id": pa.date32()}, "column id: .*BC"),
    ],
)
def test_values_that_do_not_fit(tmp_path: Path, rows: str, types: dict[str, pa.DataType], told: str) -> None:
    with pytest.raises(BadSeriesError, match=told):
        table(written(tmp_path / "x", rows), "t", types)
