"""COPY's binary rows as Arrow, against the rows that psycopg reads itself."""

from __future__ import annotations

import datetime as dt
import math
import random
import struct
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest
from psycopg import sql

from tests.support.endurance import LONG
from tests.support.reading import admin, read, run
from tsclust.config import Source
from tsclust.errors import BadSeriesError
from tsclust.source.postgres import copy
from tsclust.source.postgres.session import open_snapshot

pytestmark = pytest.mark.both_servers

# type of PostgreSQL -> (type of Arrow, a random value)
Make = Callable[[random.Random], Any]
EPOCH = dt.datetime(1, 1, 1)
SPAN = int((dt.datetime(9999, 12, 31) - EPOCH).total_seconds())


def real(of: random.Random) -> float:
    value: float = struct.unpack("<f", of.randbytes(4))[0]
    return value


def double(of: random.Random) -> float:
    value: float = of.choice([0.0, -0.0, 5e-324, math.inf, -math.inf, math.nan, *struct.unpack("<d", of.randbytes(8))])
    return value


def text(of: random.Random) -> str:
    return "".join(of.choices("ab\\\n\t,\"'{}стрелка漢😀\x01", k=of.choice([0, 1, 5, 300])))


def moment(of: random.Random) -> dt.datetime:
    return EPOCH + dt.timedelta(seconds=of.randrange(SPAN), microseconds=of.randrange(10**6))


def listed(make: Make) -> Make:
    return lambda of: [None if of.random() < 0.2 else make(of) for _ in range(of.choice([0, 1, 3, 100]))]


SCALARS: dict[str, tuple[pa.DataType, Make]] = {
    "bool": (pa.bool_(), lambda of: of.random() < 0.5),
    "int2": (pa.int16(), lambda of: of.randint(-(2**15), 2**15 - 1)),
    "int4": (pa.int32(), lambda of: of.randint(-(2**31), 2**31 - 1)),
    "int8": (pa.int64(), lambda of: of.randint(-(2**63), 2**63 - 1)),
    "float4": (pa.float32(), real),
    "float8": (pa.float64(), double),
    "text": (pa.string(), text),
    "varchar": (pa.string(), text),
    "date": (pa.date32(), lambda of: moment(of).date()),
    "timestamp": (pa.timestamp("us"), moment),
    "timestamptz": (pa.timestamp("us", "UTC"), lambda of: moment(of).replace(tzinfo=dt.UTC)),
}
ARRAYS: dict[str, tuple[pa.DataType, Make]] = {
    "float8[]": (pa.list_(pa.float64()), listed(double)),
    "float4[]": (pa.list_(pa.float32()), listed(real)),
}


def copied(dsn: str, query: str, schema: pa.Schema) -> list[pa.RecordBatch]:
    with closing(open_snapshot(dsn)) as connection:
        return list(copy.batches(connection, sql.SQL(query).format(), schema))


def plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) and value.tzinfo else value


def rows_of(batches: list[pa.RecordBatch]) -> str:
    for batch in batches:
        batch.validate(full=True)
    return repr([tuple(plain(v) for v in row.values()) for b in batches for row in b.to_pylist()])


def rows_in_psycopg(dsn: str, query: str) -> str:
    with admin(dsn) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return repr([tuple(map(plain, row)) for row in connection.execute(query, binary=True)])


def fill(dsn: str, array: str, seed: int, rows: int, nulls: float) -> pa.Schema:
    """Table t with a column c0, c1, ... of every type, the array last."""
    of = random.Random(seed)
    kinds = {**SCALARS, array: ARRAYS[array]}
    run(dsn, f"CREATE TABLE t ({', '.join(f'c{i} {name}' for i, name in enumerate(kinds))})")
    with (
        admin(dsn) as connection,
        connection.cursor() as cursor,
        cursor.copy("COPY t FROM STDIN (FORMAT binary)") as to,
    ):
        to.set_types([*kinds])
        for _ in range(rows):
            to.write_row([None if of.random() < nulls else make(of) for _, make in kinds.values()])
    return pa.schema([(f"c{i}", type_) for i, (type_, _) in enumerate(kinds.values())])


NULLS, CHUNKS = (0.0, 0.3, 0.9, 1.0), (1, 97, 5_000, 2**20)
# Each pair of two of the three; all in the long form
COMBINED = [
    (array, chunk, nulls)
    for a, array in enumerate(ARRAYS) for c, chunk in enumerate(CHUNKS) for n, nulls in enumerate(NULLS)
    if LONG or (a + c + n) % 2 == 0
]  # fmt: skip


@pytest.mark.endurance
@pytest.mark.parametrize(("array", "chunk", "nulls"), COMBINED)
def test_rows_of_all_types(
    database: str, monkeypatch: pytest.MonkeyPatch, array: str, chunk: int, nulls: float
) -> None:
    monkeypatch.setattr(copy, "CHUNK", chunk)
    schema = fill(database, array, seed=round(chunk * 10 + nulls * 10), rows=200, nulls=nulls)
    got = copied(database, "SELECT * FROM t", schema)
    assert all(batch.schema.equals(schema) for batch in got)
    assert rows_of(got) == rows_in_psycopg(database, "SELECT * FROM t")
    if chunk <= 97 and nulls < 1:
        assert len(got) > 50


@pytest.mark.parametrize("name", [*SCALARS, *ARRAYS])
def test_one_column_of_each_type(database: str, name: str) -> None:
    type_, make = {**SCALARS, **ARRAYS}[name]
    of = random.Random(5)
    run(database, f"CREATE TABLE t (n int, c {name})")
    values = [None if n % 7 == 3 else make(of) for n in range(1_000)]
    with admin(database) as connection:
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s)", list(enumerate(values)))
    schema = pa.schema([("n", pa.int32()), ("c", type_)])
    query = "SELECT * FROM t ORDER BY n"
    assert rows_of(copied(database, query, schema)) == rows_in_psycopg(database, query)


@pytest.mark.parametrize("rows", [0, 1, 2, 9, 1_000])
def test_chunks_end_anywhere(database: str, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    schema = pa.schema([("i", pa.int64()), ("values", pa.list_(pa.float64()))])
    query = f"SELECT i, ARRAY[i, NULL, -i]::float8[] FROM generate_series(1::int8, {rows}) AS i"
    for chunk in (1, 75, 76, 77, 20_000):
        monkeypatch.setattr(copy, "CHUNK", chunk)
        got = [row for batch in copied(database, query, schema) for row in batch.to_pylist()]
        assert got == [{"i": i, "values": [float(i), None, -float(i)]} for i in range(1, rows + 1)]


def test_a_row_larger_than_a_chunk(database: str) -> None:
    schema = pa.schema([("i", pa.int64()), ("a", pa.string()), ("values", pa.list_(pa.float64()))])
    query = (
        "SELECT i, repeat('ж', (i * 300000)::int), (SELECT array_agg(x::float8) FROM generate_series(1, i * 200000) x)"
        " FROM generate_series(0::int8, 3) i"
    )
    got = [row for batch in copied(database, query, schema) for row in batch.to_pylist()]
    assert [(r["i"], len(r["a"]), len(r["values"] or [])) for r in got] == [
        (i, i * 300_000, i * 200_000) for i in range(4)
    ]
    assert got[0]["values"] is None
    assert got[3]["values"] == [float(x) for x in range(1, 600_001)]


def test_lower_bounds_of_arrays_do_not_matter(database: str) -> None:
    schema = pa.schema([("i", pa.int32()), ("values", pa.list_(pa.float32()))])
    query = "SELECT 1, CAST('[-3:-1]={{1,NULL,3}}' AS real[])"
    assert copied(database, query, schema)[0].to_pylist() == [{"i": 1, "values": [1.0, None, 3.0]}]


@pytest.mark.parametrize("type_", ["float8", "real"])
def test_an_array_of_two_dimensions_is_refused_with_its_id(database: str, type_: str) -> None:
    arrow = pa.float64() if type_ == "float8" else pa.float32()
    schema = pa.schema([("id", pa.string()), ("values", pa.list_(arrow))])
    query = (
        f"SELECT 'n' || i, CASE i WHEN 777 THEN CAST('{{{{{{{{1,2}}}},{{{{3,4}}}}}}}}' AS {type_}[])"
        f" ELSE CAST(ARRAY[i] AS {type_}[]) END FROM generate_series(1, 1000) i"
    )
    with pytest.raises(BadSeriesError, match=r"^series n777: its values are an array of several dimensions"):
        copied(database, query, schema)


def test_the_connection_serves_again(database: str) -> None:
    schema = pa.schema([("i", pa.int32()), ("values", pa.list_(pa.float64()))])
    good = sql.SQL("SELECT 1, ARRAY[2.5]::float8[]")
    with closing(open_snapshot(database)) as connection:
        for _ in range(2):
            assert [b.to_pylist() for b in copy.batches(connection, good.format(), schema)] == [
                [{"i": 1, "values": [2.5]}]
            ]


# As a reading gives them


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
