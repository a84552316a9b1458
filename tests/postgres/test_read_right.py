"""Carried texts that are times, rows there twice, ids that start again, and collations: on servers as in files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from tests.support.hints import extract, flags, refused
from tests.support.hints import series as extracted
from tests.support.reading import admin, both_ways, read, run, series
from tests.support.reading import refused as refused_by
from tsclust.config import Source
from tsclust.errors import BadSeriesError

AT = [datetime(2024, 1, 31, 13, 5), datetime(2024, 2, 1, 0, 0)]
STAMPED = """CREATE TABLE t AS SELECT g AS id, ARRAY[g, 1]::float8[] AS values,
    CASE WHEN g % 2 = 1 THEN '31.01.2024 13:05' ELSE '01.02.2024 00:00' END AS stamped, '12:05' AS code
    FROM generate_series(1, 20) g"""
LONG = """CREATE TABLE t (id int, at timestamp, value float8, stamped text);
    INSERT INTO t SELECT d, '2024-01-01'::timestamp + (d * 1000 + g) * interval '1 s', g,
        CASE WHEN d % 2 = 1 THEN '31.01.2024 13:05' ELSE '01.02.2024 00:00' END
    FROM generate_series(1, 30) d, generate_series(1, 20) g"""
AGAIN = "INSERT INTO t SELECT id, at + interval '30 days', value, stamped FROM t WHERE id <= {}"


@pytest.fixture
def root(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that reads from the database."""
    monkeypatch.setenv("TSCLUST_DSN", database)
    return tmp_path / "ws"


def test_texts_that_are_dates_are_times(database: str, root: Path) -> None:
    run(database, STAMPED)
    one, other = both_ways(database, Source(table="t"), 5, 9)
    assert one.equals(other)
    assert one["stamped"].to_pylist() == AT * 10
    assert set(one["code"].to_pylist()) == {"12:05"}
    assert "stamped read as times (%d.%m.%Y" in extract(root, "--table", "t")[1]
    kept = read(database, Source(table="t", times=()))
    assert kept["stamped"].to_pylist()[0] == "31.01.2024 13:05"


def test_texts_behind_ten_thousand_rows(database: str, root: Path) -> None:
    run(
        database,
        "CREATE TABLE t AS SELECT g AS id, ARRAY[g, 1.0] AS values,"
        " CASE WHEN g > 12000 THEN '31.01.2024 13:05' END AS late, '1/2/2024' AS unclear"
        " FROM generate_series(1, 12100) g",
    )
    said = extract(root, "--table", "t")[1]
    assert 'late stays text, as it is empty in the first 10,000 rows: times = ["late"] under [source]' in said
    assert "reads times, by the first 10,000 rows" in said
    assert read(database, Source(table="t", times=("late",)))["late"].null_count == 12_000


@pytest.mark.parametrize("index", [True, False])
def test_texts_of_long_rows_are_times(database: str, index: bool) -> None:
    run(database, LONG, *(["CREATE INDEX ON t (id, at)", "ANALYZE t"] if index else []))
    for got in both_ways(database, Source(table="t"), 9, 20):
        assert got["stamped"].to_pylist() == AT * 15


def test_a_text_that_is_none_behind_the_first_rows(database: str, root: Path) -> None:
    run(database, STAMPED.replace("20) g", "20000) g"), "UPDATE t SET stamped = 'soon' WHERE id = 15000",
        "CREATE TABLE s AS SELECT * FROM t ORDER BY id")  # fmt: skip
    said = refused(root, 10, "s: column stamped has 'soon' in series 15000: expected a time", "--table", "s")
    assert extracted(root, "--table", "s", *flags(said)[0])[15000][0] is None


@pytest.mark.parametrize("index", [True, False])
def test_array_rows_that_are_there_twice(database: str, root: Path, index: bool) -> None:
    run(database, STAMPED, "INSERT INTO t SELECT * FROM t WHERE id > 15", *["CREATE INDEX ON t (id)"] * index)
    for got in both_ways(database, Source(table="t"), 5, 18):
        assert series(got)[20] == [20.0, 1.0]
    assert "5 rows repeated another" in extract(root, "--table", "t")[1]
    run(database, "UPDATE t SET code = 'x' WHERE ctid = (SELECT max(ctid) FROM t)")
    refused_by(database, BadSeriesError, "series_id 20 occurs more than once", Source(table="t"))


def test_two_values_at_one_place_are_named(database: str) -> None:
    run(database, LONG, "INSERT INTO t SELECT id, at, 99, stamped FROM t WHERE id = 7 AND value = 3",
        "CREATE INDEX ON t (id, at)", "ANALYZE t")  # fmt: skip
    told = "series 7 has two values at at 2024-01-01 01:56:43: 3 and 99, expected one"
    refused_by(database, BadSeriesError, told, Source(table="t"))


@pytest.mark.parametrize("index", [True, False])
def test_ids_that_start_again(database: str, root: Path, index: bool) -> None:
    run(database, LONG, AGAIN.format(30), *(["CREATE INDEX ON t (id, at)", "ANALYZE t"] if index else []))
    line = refused(root, 10, "pause for more than 1,000 times their usual step in at (series ", "--table", "t")
    assert "--id COLUMN,COLUMN" in line
    assert len(extracted(root, "--table", "t", "--merge")[7][-1]) == 40


def test_a_few_series_that_pause_are_counted(database: str, root: Path) -> None:
    run(database, LONG, AGAIN.format(3))
    assert "3 that pause for more than 1,000 times" in extract(root, "--table", "t")[1]


def test_ids_that_a_collation_takes_for_equal(database: str) -> None:
    with admin(database) as connection:
        if connection.info.server_version < 130000:
            pytest.skip("older servers do not say which collation a column has")
        try:
            connection.execute(
                "CREATE COLLATION ci (provider = icu, deterministic = false, locale = 'und-u-ks-level2')"
            )
        except psycopg.Error:
            pytest.skip("this server has no ICU")
    run(database, "CREATE TABLE c (id text COLLATE ci, idx int, value float8)",
        "INSERT INTO c VALUES ('abc', 1, 1), ('ABC', 2, 2)")  # fmt: skip
    refused_by(database, BadSeriesError, "ids ABC and abc are equal to the server .collation ci.", Source(table="c"))
    for cast, found in (
        ('lower(id COLLATE "C")', {"abc": [1.0, 2.0]}),
        ('id COLLATE "C"', {"abc": [1.0], "ABC": [2.0]}),
    ):
        assert series(read(database, Source(query=f"SELECT {cast} AS id, idx, value FROM c", id="id"))) == found
    run(database, "UPDATE c SET id = 'abd' WHERE idx = 2")
    assert len(series(read(database, Source(table="c")))) == 2


def test_numbers_with_something_between_thousands(database: str, root: Path) -> None:
    run(database, "CREATE TABLE t (series_id int, idx int, value text)",
        "INSERT INTO t VALUES (1, 1, '1.234,5'), (1, 2, '0,5')")  # fmt: skip
    line = refused(root, 10, "column value has '1.234,5'", "--table", "t")
    assert extracted(root, *flags(line)[0]) == {1: ([1234.5, 0.5],)}
