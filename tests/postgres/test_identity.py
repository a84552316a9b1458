"""Which rows of a server are one series: by keys of several columns, by places and columns that must agree."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.support.reading import admin, both_ways, read, refused, run, series
from tsclust.config import Source
from tsclust.errors import BadSeriesError, QueryError
from tsclust.source.checks import REPEATED
from tsclust.source.long_rows import counts_of

pytestmark = pytest.mark.both_servers(long=True)

KEYS = """
CREATE TABLE key3 (machine_id int, cycle_id int, idx int, value float8, PRIMARY KEY (machine_id, cycle_id, idx));
INSERT INTO key3 SELECT m, c, i, m * 100 + c * 10 + i
    FROM generate_series(1, 2) m, generate_series(1, 3) c, generate_series(1, 4) i;
CREATE TABLE nokey AS SELECT * FROM key3;
CREATE TABLE cond (time timestamptz, device_id int, temperature float8, PRIMARY KEY (time, device_id));
INSERT INTO cond SELECT '2024-01-01'::timestamptz + g * interval '1 s', d, d * 100 + g
    FROM generate_series(1, 5) g, generate_series(1, 3) d;
CREATE TABLE surro (id bigserial PRIMARY KEY, cycle_no int, t int, value float8);
INSERT INTO surro (cycle_no, t, value) SELECT c, i, c * 10 + i FROM generate_series(1, 3) c, generate_series(1, 4) i
"""
ROWS = """
CREATE TABLE rows (id int, idx int, machine text, value float8);
INSERT INTO rows SELECT i, j, 'M' || i % 3, i * 10 + j FROM generate_series(1, 30) i, generate_series(1, 5) j;
CREATE INDEX ON rows (id, idx)
"""


def filled(dsn: str, statements: str) -> None:
    run(dsn, *statements.split(";\n"))


def test_keys_of_several_columns_are_joined(database: str) -> None:
    filled(database, KEYS)
    got = read(database, Source(table="key3"))
    assert got.schema.names == ["series_id", "machine_id", "cycle_id", "values"]
    found = series(got)
    assert list(found) == ["1/1", "1/2", "1/3", "2/1", "2/2", "2/3"]
    assert found["2/3"] == [231.0, 232.0, 233.0, 234.0]


def test_a_key_that_begins_with_the_time(database: str) -> None:
    filled(database, KEYS)
    assert series(read(database, Source(table="cond"))) == {d: [d * 100.0 + g for g in range(1, 6)] for d in (1, 2, 3)}


def test_a_number_for_every_row_is_no_id(database: str) -> None:
    filled(database, KEYS)
    refused(database, QueryError, "no column is clearly the id", Source(table="surro"))
    run(database, "ALTER TABLE surro DROP CONSTRAINT surro_pkey")
    refused(database, QueryError, "no column is clearly the id", Source(table="surro"))


def test_ids_that_start_again_and_the_hint_that_mends_it(database: str) -> None:
    filled(database, KEYS)
    told = r"series \d has two values of machine_id: 1 and 2.*use --id machine_id,cycle_id"
    refused(database, BadSeriesError, told, Source(table="nokey"))
    assert series(read(database, Source(table="nokey", id="machine_id,cycle_id"))) == series(
        read(database, Source(table="key3"))
    )
    run(database, "ALTER TABLE nokey ALTER machine_id TYPE text USING 'a/' || machine_id")
    assert next(iter(series(read(database, Source(table="nokey", id="machine_id,cycle_id"))))) == r"a\/1/1"


def test_rows_loaded_twice_are_kept_once_by_an_index_and_without(database: str) -> None:
    filled(database, ROWS)
    once = read(database, Source(table="rows"))
    run(database, "INSERT INTO rows SELECT * FROM rows WHERE id % 2 = 0")
    for got in both_ways(database, Source(table="rows"), 5, 20):
        assert counts_of(got.schema)[REPEATED] in (0, 75)  # tables that are put together lose it
        assert got.equals(once)
    merged = Source(table="rows", merge=True)
    for got in both_ways(database, merged, 5, 20):
        assert series(got)[2] == [v for v in series(once)[2] or [] for _ in range(2)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("(7, 3, 'M1', 999)", "series 7 has two values at"),
        ("(7, 9, 'M2', 999)", "series 7 has two values of machine"),
        ("(7, 3, 'M1', 'NaN')", "series 7 has two values at"),
        ("(7, 3, 'M1', NULL)", "series 7 has two values at"),
    ],
)
def test_what_contradicts_is_refused_by_an_index_and_without(database: str, row: str, told: str) -> None:
    filled(database, ROWS)
    run(database, "INSERT INTO rows SELECT i, 1, 'M0', 1 FROM generate_series(100, 11000) i", "ANALYZE rows")
    run(database, f"INSERT INTO rows VALUES {row}")
    source = Source(table="rows")
    for drop in ((), ("DROP INDEX rows_id_idx_idx",)):
        run(database, *drop)
        refused(database, BadSeriesError, told, source)
    assert len(series(read(database, Source(table="rows", merge=True))) or {}) == 30 + 10_901


def test_a_place_that_a_key_holds_once_is_not_looked_at_again(database: str) -> None:
    filled(database, KEYS)
    with admin(database) as connection:
        connection.execute("ALTER TABLE key3 DROP CONSTRAINT key3_pkey")
        connection.execute("ALTER TABLE key3 ADD PRIMARY KEY (cycle_id, idx, machine_id)")
    assert len(series(read(database, Source(table="key3", where="machine_id = 1")))) == 3


@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (id, idx)"])
def test_ids_that_are_equal_and_written_differently(database: str, key: str) -> None:
    run(
        database,
        f"CREATE TABLE numbers (id numeric, idx int, value float8{key})",
        "INSERT INTO numbers VALUES (1.0, 1, 1), (1.00, 2, 2), (2, 1, 3)",
    )
    source = Source(table="numbers", id="id", order="idx")
    refused(database, BadSeriesError, r"ids 1\.0 and 1\.00 are equal.*trim_scale\(\"id\"\) AS \"id\"", source)
    for hint, found in (("trim_scale(id)", {"1": [1.0, 2.0], "2": [3.0]}),
                        ("id::text", {"1.0": [1.0], "1.00": [2.0], "2": [3.0]})):  # fmt: skip
        assert series(read(database, Source(query=f"SELECT {hint} AS id, idx, value FROM numbers", id="id"))) == found


def test_citext_is_refused_by_an_index_and_without(database: str) -> None:
    with admin(database) as connection:
        if not connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'").fetchone():
            pytest.skip("this server has no citext")
    for key in ("", ", PRIMARY KEY (id, idx)"):
        run(database, "CREATE EXTENSION IF NOT EXISTS citext", "DROP TABLE IF EXISTS c",
            f"CREATE TABLE c (id citext, idx int, value float8{key})",
            "INSERT INTO c VALUES ('abc', 1, 1), ('ABC', 2, 2), ('abc', 3, 3)")  # fmt: skip
        refused(database, BadSeriesError, r"ids ABC and abc are equal.*lower\(\"id\"::text\)", Source(table="c"))
        lower = Source(query="SELECT lower(id::text) AS id, idx, value FROM c")
        assert series(read(database, lower)) == {"abc": [1.0, 2.0, 3.0]}


def test_an_id_that_is_nan_is_missing(database: str) -> None:
    run(database, "CREATE TABLE f (id float8, values float8[])", "INSERT INTO f VALUES (1, '{1}'), ('NaN', '{2}')")
    refused(database, BadSeriesError, r"no id \(NULL\)", Source(table="f", id="id"))
    run(database, "DELETE FROM f WHERE id = 'NaN'", "CREATE INDEX ON f (id)")
    got = read(database, Source(table="f", id="id"))
    assert got["series_id"].type == pa.string()
    assert series(got) == {"1": [1.0]}
