"""Reading from a real server: types, layouts, ranges, one snapshot."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.reading import ROOT, read, run, tables
from tsclust.config import Source
from tsclust.engine import map_parts
from tsclust.series import SeriesBlock
from tsclust.source.postgres import opened

MANY = """
    CREATE TABLE cycles AS SELECT i AS series_id, 's' || i % 7 AS switch_id, ARRAY[i, i + 0.5]::float8[] AS values
    FROM generate_series(1, 1000) AS i ORDER BY i * 7919 % 1009"""


def one(dsn: str, expression: str) -> tuple[str, Any]:
    """The Arrow type and the value of a carried column."""
    column = read(dsn, Source(query=f"SELECT 1 AS series_id, ARRAY[1.0] AS values, {expression} AS c"))["c"]
    return str(column.type), column[0].as_py()


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("true", "bool", True),
        ("7::int2", "int16", 7),
        ("7::int4", "int32", 7),
        ("9000000000::int8", "int64", 9_000_000_000),
        ("0.5::real", "float", 0.5),
        ("0.1::float8", "double", 0.1),
        ("1.25::numeric(10,2)", "double", 1.25),
        ("'стрелка'::text", "string", "стрелка"),
        ("'abc'::varchar(5)", "string", "abc"),
        ("'abc'::char(5)", "string", "abc"),
        ("'2020-02-29'::date", "date32[day]", dt.date(2020, 2, 29)),
        ("'2020-02-29 12:00:00.5'::timestamp", "timestamp[us]", dt.datetime(2020, 2, 29, 12, 0, 0, 500_000)),
        ("'2020-02-29 12:00+03'::timestamptz", "timestamp[us, tz=UTC]", dt.datetime(2020, 2, 29, 9, tzinfo=dt.UTC)),
        ("'infinity'::date", "date32[day]", None),
        ("'-infinity'::timestamp", "timestamp[us]", None),
        ("'infinity'::timestamptz", "timestamp[us, tz=UTC]", None),
        ("'11111111-2222-3333-4444-555555555555'::uuid", "string", "11111111-2222-3333-4444-555555555555"),
        ("""'{"a": [1]}'::jsonb""", "string", '{"a": [1]}'),
        ("ARRAY[1, NULL]", "string", "{1,NULL}"),
        (r"'\x00ff'::bytea", "string", r"\x00ff"),
        ("'1 day'::interval", "string", "1 day"),
        ("'10:00'::time", "string", "10:00:00"),
        ("4000000000::oid", "string", "4000000000"),
        ("'mood'::name", "string", "mood"),
        ("NULL", "string", None),
        ("'{brace} %s $1 \\'", "string", "{brace} %s $1 \\"),
    ],
)
def test_carried_types(dsn: str, expression: str, type_: str, value: Any) -> None:
    assert one(dsn, expression) == (type_, value)


def test_carried_enum_and_domain(database: str) -> None:
    run(database, "CREATE TYPE way AS ENUM ('plus', 'minus')", "CREATE DOMAIN kg AS numeric CHECK (VALUE > 0)")
    assert one(database, "'minus'::way") == ("string", "minus")
    assert one(database, "1.5::kg") == ("double", 1.5)


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("'{1,NULL,NaN,Infinity}'::float8[]", "double", [1.0, None, math.nan, math.inf]),
        ("'{0.1,2}'::real[]", "float", [pa.scalar(0.1, pa.float32()).as_py(), 2.0]),
        ("'{0.1,NULL}'::numeric[]", "double", [0.1, None]),
        ("'{1,-2}'::int2[]", "double", [1.0, -2.0]),
        ("'{1,-2}'::int4[]", "double", [1.0, -2.0]),
        ("'{1,-2}'::int8[]", "double", [1.0, -2.0]),
        ("'{}'::float8[]", "double", []),
        ("NULL::float8[]", "double", None),
    ],
)
def test_values_types(dsn: str, expression: str, type_: str, value: Any) -> None:
    column = read(dsn, Source(query=f"SELECT 1 AS series_id, {expression} AS values"))["values"]
    assert str(column.type) == f"list<item: {type_}>"
    assert str(column[0].as_py()) == str(value)  # as text, where NaN equals NaN


def test_arrays_of_a_domain(database: str) -> None:
    run(database, "CREATE DOMAIN amp AS numeric CHECK (VALUE >= 0)")
    table = read(database, Source(query="SELECT 1 AS series_id, '{1.5,2}'::amp[] AS values"))
    assert table["values"].to_pylist() == [[1.5, 2.0]]


def test_null_arrays_are_empty_series(database: str) -> None:
    run(database, "CREATE TABLE t (series_id int, values float8[])", "INSERT INTO t VALUES (2, NULL), (1, '{1,2}')")
    block = SeriesBlock.from_arrow(read(database, Source(table="t")))
    assert block.offsets.tolist() == [0, 2, 2]


def test_quoted_names(database: str) -> None:
    run(
        database,
        'CREATE SCHEMA "My Schema"',
        'CREATE TABLE "My Schema"."T ""1"" x" ("The Id" int, "a.b" text, "Series" float8[], series_id text)',
        """INSERT INTO "My Schema"."T ""1"" x" VALUES (1, 'x', '{1}', 'old')""",
    )
    table = read(database, Source(table='"My Schema"."T ""1"" x"', id="The Id", values="Series"))
    assert table.to_pylist() == [{"series_id": 1, "a.b": "x", "carried_series_id": "old", "values": [1.0]}]


def test_view_and_partitioned_table(database: str) -> None:
    run(
        database,
        "CREATE TABLE parts (series_id int, values real[]) PARTITION BY RANGE (series_id)",
        "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (50)",
        "CREATE TABLE high PARTITION OF parts DEFAULT",
        "INSERT INTO parts SELECT i, ARRAY[i] FROM generate_series(1, 100) AS i",
        "CREATE VIEW seen AS SELECT * FROM parts WHERE series_id > 10",
    )
    assert read(database, Source(table="parts", part_rows=33))["series_id"].to_pylist() == list(range(1, 101))
    assert read(database, Source(table="seen", part_rows=33))["series_id"].to_pylist() == list(range(11, 101))


@pytest.mark.parametrize("part_rows", [1, 7, 250, 999, 1000, 1001, 65_536])
def test_every_series_is_in_one_range(database: str, part_rows: int) -> None:
    run(database, MANY)
    with opened(database, Source(table="cycles", part_rows=part_rows), ROOT) as reader:
        ranges, parts = reader.found.ranges, tables(reader, 2)
    assert reader.found.rows == 1000
    assert [p.num_rows for p in parts] == [r.rows for r in ranges]
    assert max(r.rows for r in ranges) <= part_rows
    assert (ranges[0].low, ranges[-1].high) == (None, None)
    assert pa.concat_tables(parts)["series_id"].to_pylist() == list(range(1, 1001))


@pytest.mark.parametrize(
    "id_", ["'n' || i", "md5(i::text)::uuid", "i + 0.5", "timestamptz 'epoch' + i * interval '1h'"]
)
def test_ids_of_any_type_that_has_an_order(dsn: str, id_: str) -> None:
    query = f"SELECT {id_} AS series_id, ARRAY[i] AS values FROM generate_series(1, 100) AS i"
    table = read(dsn, Source(query=query, part_rows=9))
    assert table["series_id"].type == pa.string()
    assert sorted(v for (v,) in table["values"].to_pylist()) == [float(i) for i in range(1, 101)]


def test_workers_and_physical_order_do_not_show(database: str) -> None:
    run(database, MANY, "CREATE TABLE again AS SELECT * FROM cycles ORDER BY md5(series_id::text)")
    got = []
    for table, workers in (("cycles", 1), ("cycles", 3), ("again", 3)):
        with opened(database, Source(table=table, part_rows=70), ROOT) as reader:
            got.append(tables(reader, workers))
    assert got[0] == got[1] == got[2]
    assert _written(got[0]) == _written(got[2])
    assert got[0][0].schema.equals(got[1][0].schema, check_metadata=True)
    assert got[0][0].schema.metadata is None


def _written(parts: list[pa.Table]) -> list[bytes]:
    files = [io.BytesIO() for _ in parts]
    for part, file in zip(parts, files, strict=True):
        pq.write_table(part, file)
    return [file.getvalue() for file in files]


def test_a_part_can_be_read_again(database: str) -> None:
    run(database, MANY)
    with opened(database, Source(table="cycles", part_rows=300), ROOT) as reader:
        second = reader.found.ranges[1]
        assert reader.read(second) == reader.read(second)


def test_changes_after_opening_are_not_seen(database: str) -> None:
    run(database, MANY)
    before = read(database, Source(table="cycles"))
    with opened(database, Source(table="cycles", part_rows=100), ROOT) as reader:
        first = reader.read(reader.found.ranges[0])
        run(
            database,
            "UPDATE cycles SET values = '{0}', series_id = series_id + 10000 WHERE series_id % 3 = 0",
            "DELETE FROM cycles WHERE series_id % 3 = 1",
            "INSERT INTO cycles SELECT i, 'new', '{9}' FROM generate_series(-500, 0) AS i",
        )
        rest = list(map_parts(reader.read, reader.found.ranges[1:], 3))
    assert pa.concat_tables([first, *rest]).equals(before)


def test_what_was_found(database: str) -> None:
    run(database, "CREATE SCHEMA machine", MANY, "ALTER TABLE cycles SET SCHEMA machine")
    with opened(database, Source(table="machine.cycles"), ROOT) as reader:
        name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        assert re.fullmatch(rf"machine\.cycles on PostgreSQL \d+\.\d+, database {name}", reader.found.origin)
        assert reader.found.query.endswith('q."values" AS "values" FROM "machine"."cycles" AS q')
        names_types = (("series_id", "int64"), ("switch_id", "string"), ("values", "list<item: double>"))
        assert reader.found.columns == names_types


def test_the_session(database: str) -> None:
    """Timeouts of the database do not count for us, our name is on the connection, and nothing can be written."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    timeouts = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
    with psycopg.connect(database, autocommit=True) as connection:
        known = [t for (t,) in connection.execute("SELECT name FROM pg_settings WHERE name = ANY(%s)", [timeouts])]
    run(
        database,
        "CREATE FUNCTION slow(x float8) RETURNS float8[] STABLE LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(0.1); RETURN ARRAY[x]; END'",
        *(f"ALTER DATABASE {name} SET {t} = '300ms'" for t in known),
    )
    query = "SELECT i AS series_id, slow(i) AS values, current_setting('application_name') AS me"
    with opened(database, Source(query=f"{query} FROM generate_series(1, 8) i", part_rows=4), ROOT) as reader:
        got = pa.concat_tables(tables(reader, 2))
    assert got["me"].to_pylist() == ["tsclust"] * 8


def test_text_of_other_encodings(database: str) -> None:
    run(
        database,
        "DROP DATABASE IF EXISTS in_cyrillic",
        "CREATE DATABASE in_cyrillic ENCODING 'WIN1251' LOCALE 'C' TEMPLATE template0",
    )
    dsn = psycopg.conninfo.make_conninfo(database, dbname="in_cyrillic")
    try:
        run(dsn, "CREATE TABLE \"Циклы\" AS SELECT 1 AS series_id, '{1}'::real[] AS values, 'стрелка' AS \"имя\"")
        assert read(dsn, Source(table="Циклы"))["имя"].to_pylist() == ["стрелка"]
    finally:
        run(database, "DROP DATABASE in_cyrillic")
