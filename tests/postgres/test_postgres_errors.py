"""What a server refuses, series that cannot be and connections that break: the right error, and a next step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from tests.support.reading import ONE, ROOT, admin, cut, one_pass, one_range, read, refused, run, series
from tsclust.config import Source
from tsclust.errors import BadSeriesError, QueryError, SettingsError, SourceLostError, TsclustError
from tsclust.source.postgres.copy_rows import DimensionsError
from tsclust.source.postgres.reader import PostgresReader, opened
from tsclust.source.postgres.session import SnapshotGoneError

pytestmark = pytest.mark.both_servers(long=True)

SLOW = """
    CREATE FUNCTION slow(x float8) RETURNS float8[] STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.2); RETURN ARRAY[x]; END'"""
RAISES = """
    CREATE FUNCTION raises(x int, state text) RETURNS float8[] STABLE LANGUAGE plpgsql AS
    'BEGIN IF x > 50000 THEN RAISE EXCEPTION ''no'' USING ERRCODE = state; END IF; RETURN ARRAY[x]; END'"""
HUNDRED = "SELECT i AS series_id, ARRAY[i] AS values FROM generate_series(1, 100) AS i"


def selected(query: str, **more: Any) -> Source:
    return Source(query=query, retries=0, **more)


# Refused by the server


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1\n  FORM cycles, x", r'syntax error at or near "cycles" \(in: FORM cycles, x\)'),
        ("SELECT 1) AS q; DROP TABLE cycles; SELECT * FROM (SELECT 1", "multiple commands"),
        ("SELECT 1; SELECT 2", 'syntax error at or near ";"'),
        ("SELECT 1; DELETE FROM cycles", 'syntax error at or near ";"'),
        ("DELETE FROM cycles RETURNING *", "syntax error"),
        ("WITH gone AS (DELETE FROM cycles RETURNING *) SELECT * FROM gone", "data-modifying statement must be at the"),
        ("SELECT nope FROM cycles", 'column "nope" does not exist'),
        ("SELECT serie_id FROM cycles", 'Perhaps you meant .*"cycles.series_id"'),
        ("SELECT * FROM machine.cycels", r'"machine\.cycels" does not exist \(tables: cycles'),
        ("SELECT nofunction(1)", r"function nofunction\(integer\) does not exist"),
        ("INSERT INTO cycles VALUES (9) RETURNING *", "syntax error"),
        (
            "SELECT nextval('numbers') AS series_id, '{1}'::real[] AS values",
            "read-only transaction. tsclust only reads",
        ),
        ("SELECT 1 AS series_id, ARRAY[nextval('numbers')] AS values", "read-only transaction. tsclust only reads"),
        ("SELECT series_id, emptied() AS values FROM cycles", "read-only transaction. tsclust only reads"),
        ("SELECT 1 / 0 AS series_id, '{1}'::real[] AS values", "division by zero"),
        ("SELECT 1 AS series_id, ARRAY[1 / (series_id - 1)] AS values FROM cycles", "division by zero"),
        ("SELECT a.*, b.* FROM cycles a, cycles b", "returns column series_id twice"),
        ("SELECT 1 AS series_id, 1.5 AS values", r"type numeric: expected an array.*source\.layout = \"long\""),
        ("SELECT 1 AS series_id, '{a}'::text[] AS values", r"type text\[\]"),
        (
            "SELECT 1 AS series_id, '1,2'::text AS values",
            r"type text \('1,2' where .*: .*string_to_array\(values, ','\)::float8",
        ),
        ("SELECT 1 AS series_id", r"no column is clearly the order .*\(series_id integer\)"),
    ],
)
def test_queries_a_server_refuses(database: str, query: str, told: str) -> None:
    run(database, "CREATE SEQUENCE numbers", "CREATE TABLE cycles AS SELECT 1 AS series_id, '{1}'::real[] AS values",
        "CREATE FUNCTION emptied() RETURNS real[] LANGUAGE sql AS 'DELETE FROM cycles RETURNING values'")  # fmt: skip
    refused(database, QueryError, told, selected(query))
    assert series(read(database, Source(table="cycles"))) == {1: [1.0]}


def test_no_such_table(database: str) -> None:
    run(database, "CREATE SCHEMA machine", 'CREATE TABLE machine."Cycles" ()', "CREATE TABLE apples ()")
    told = r'relation "machine\.cycles" does not exist \(tables: machine\."Cycles", apples\)'
    refused(database, QueryError, told, Source(table="machine.cycles"))
    refused(database, QueryError, r"\(tables: ", Source(table="nowhere.apples"))
    refused(database, SettingsError, "all empty", Source())


@pytest.mark.parametrize("said", [{"where": "nope > 1"}, {"watermark": "nope"}, {"order": "nope", "layout": "long"}])
def test_settings_that_name_no_column(database: str, said: dict[str, Any]) -> None:
    run(database, "CREATE TABLE cycles AS SELECT 1 AS series_id, '{1}'::real[] AS values")
    refused(database, QueryError, "column .*nope", Source(table="cycles", retries=0, **said))


def test_a_query_that_changes_from_run_to_run_is_run_once(database: str) -> None:
    table = read(database, selected(f"SELECT * FROM ({HUNDRED}) AS x WHERE random() < 0.5", part_rows=5))
    assert 10 < table.num_rows < 90
    assert series(table) == {i: [float(i)] for i in table["series_id"].to_pylist()}


# Series that cannot be: with an index (by ranges) and without (in one pass)


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("ids", [None, (), (3,), (3, 6)], ids=["as found", "one range", "two", "three"])
def test_ids_that_are_null(database: str, ids: tuple[int, ...] | None, index: bool) -> None:
    run(database, "CREATE TABLE t AS SELECT CASE WHEN i % 4 > 0 THEN i END AS series_id, '{1}'::real[] AS values"
        " FROM generate_series(1, 12) AS i")  # fmt: skip
    if index:
        run(database, "CREATE INDEX ON t (series_id)")
    with (
        pytest.raises(BadSeriesError, match=r"^3 (of 12 rows|rows of t) have no (id|series_id) \(NULL\).*IS NOT NULL'"),
        opened(database, Source(table="t"), ROOT, frozen=lambda _: None if ids is None else cut(*ids)) as reader,
    ):
        _all(reader)
    assert read(database, Source(table="t", where="series_id IS NOT NULL")).num_rows == 9


def _all(reader: PostgresReader) -> None:
    if not reader.info.ranges:
        one_pass(reader)
    for range_ in reader.info.ranges:
        one_range(reader, range_)


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("part_rows", [1_000, 65_536])
def test_an_id_that_is_there_twice(database: str, part_rows: int, index: bool) -> None:
    run(database, "CREATE TABLE t AS SELECT 'n' || least(i, 8999) AS series_id, ARRAY[i] AS values"
        " FROM generate_series(0, 9000) AS i")  # fmt: skip
    if index:
        run(database, "CREATE INDEX ON t (series_id)", "ANALYZE t")
    refused(database, BadSeriesError, "series_id n8999 occurs more than once", Source(table="t", part_rows=part_rows))


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("type_", ["real[]", "float8[]", "int[]", "jsonb"])
def test_an_array_of_several_dimensions_is_refused_with_its_id(database: str, type_: str, index: bool) -> None:
    cell = "CASE i WHEN 77 THEN '[[1,2],[3,4]]' ELSE '[5]' END"
    cell = f"({cell})::jsonb" if type_ == "jsonb" else f"translate({cell}, '[]', '{{}}')::{type_}"
    run(database, f"CREATE TABLE t AS SELECT i AS series_id, {cell} AS values FROM generate_series(1, 100) AS i")
    if index:
        run(database, "ALTER TABLE t ADD PRIMARY KEY (series_id)")
    refused(database, DimensionsError, r"^series 77: its values are an array of several dimensions", Source(table="t"))
    assert read(database, Source(table="t", where="series_id <> 77")).num_rows == 99


@pytest.mark.parametrize("json", ['{"a": 1}', '"x"', "5", '["a"]', '[{"a": 1}]', "[true]", "[[1], [2, 3]]"])
@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_json_that_is_no_array_of_numbers(database: str, type_: str, json: str) -> None:
    refused(database, QueryError, r"^source\.query: (malformed|invalid)",
            selected(f"SELECT 1 AS series_id, '{json}'::{type_} AS values"))  # fmt: skip


def test_text_that_is_not_utf8(database: str) -> None:
    run(database, "CREATE DATABASE unchecked ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        source = selected(r"SELECT 1 AS series_id, '{1}'::real[] AS values, E'\xff' AS name")
        refused(make_conninfo(database, dbname="unchecked"), BadSeriesError, r"UTF.?8.*convert_from", source)
    finally:
        run(database, "DROP DATABASE unchecked")


# Lost while reading


@pytest.mark.parametrize("ways", [(), (20_000, 40_000)], ids=["one pass", "ranges"])
@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("40001", SourceLostError, "no. A standby dropped our snapshot"),
        ("53100", SourceLostError, "short of space"),
        ("57014", SourceLostError, "cancelled on the server"),
        ("22003", QueryError, r"source\.query: no\. Correct \[source\]"),
        ("ZZ999", QueryError, r"source\.query: no\. "),
    ],
)
def test_errors_amid_a_part(
    database: str, state: str, error: type[TsclustError], told: str, ways: tuple[int, ...]
) -> None:
    run(database, RAISES)
    source = selected(
        f"SELECT i AS series_id, raises(i, '{state}') AS values FROM generate_series(1, 60000) AS i", part_rows=65_536
    )
    with (
        pytest.raises(error, match=told) as caught,
        opened(database, source, ROOT, frozen=lambda _: cut(*ways) if ways else ()) as reader,
    ):
        _all(reader)
    assert type(caught.value) is error


def _terminate(dsn: str, which: str) -> None:
    """End the connections of tsclust that `which` is true of, as soon as there is one."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tsclust' AND "
    with admin(dsn) as connection:
        until = time.monotonic() + 10
        while time.monotonic() < until and not connection.execute(end + which).fetchall():
            time.sleep(0.02)


@pytest.mark.parametrize(
    "columns", ["i AS series_id, slow(i) AS values", "i / 2 AS series_id, i % 2 AS idx, (slow(i))[1] AS value"]
)
def test_server_stopped_amid_one_pass(database: str, columns: str) -> None:
    run(database, SLOW)
    killer = threading.Thread(target=_terminate, args=(database, "query LIKE 'COPY%slow%' AND state = 'active'"))
    killer.start()
    query = f"SELECT {columns} FROM generate_series(1, 40) AS i"
    refused(database, SourceLostError, r"source\.query: .*run tsclust extract again", selected(query))
    killer.join()


def test_server_stopped_amid_a_range_whose_rest_a_new_connection_reads(database: str) -> None:
    run(database, SLOW)
    query = "SELECT i AS series_id, slow(i) AS values FROM generate_series(1, 20) AS i"
    with opened(database, selected(query), ROOT, frozen=lambda _: cut(19)) as reader:
        killer = threading.Thread(target=_terminate, args=(database, "query LIKE 'COPY%' AND state = 'active'"))
        killer.start()
        with pytest.raises(SourceLostError):
            one_range(reader, reader.info.ranges[0])
        killer.join()
        assert one_range(reader, reader.info.ranges[1])["series_id"].to_pylist() == [19, 20]


def test_connection_lost_between_parts(database: str) -> None:
    with opened(database, selected(HUNDRED), ROOT, frozen=lambda _: cut(51)) as reader:
        assert one_range(reader, reader.info.ranges[0]).num_rows == 50
        _terminate(database, "query LIKE 'COPY%'")
        with pytest.raises(SourceLostError):
            one_range(reader, reader.info.ranges[1])
        assert one_range(reader, reader.info.ranges[1]).num_rows == 50  # a new connection, the same snapshot


@pytest.mark.parametrize(
    "query", [HUNDRED, "SELECT i % 3 AS series_id, i AS idx, 0.5 AS value FROM generate_series(1, 9) AS i"]
)
@pytest.mark.parametrize("way", [lambda r: one_range(r, cut()[0]), one_pass], ids=["range", "one pass"])
def test_snapshot_gone_with_its_holder(database: str, query: str, way: Callable[[PostgresReader], object]) -> None:
    with opened(database, selected(query), ROOT) as reader:
        _terminate(database, "query NOT LIKE 'COPY%'")
        time.sleep(0.1)
        with pytest.raises(SnapshotGoneError, match=r"the snapshot .* is gone: .*run tsclust extract again"):
            way(reader)


@pytest.mark.parametrize("source", [ONE, selected("SELECT 1 AS series_id, 1 AS idx, 0.5 AS value")])
def test_nothing_stays_behind(database: str, source: Source) -> None:
    assert read(database, source).num_rows == 1
    with admin(database) as connection:
        count = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tsclust' AND datname = current_database()"
        )
        until = time.monotonic() + 5
        while (left := connection.execute(count).fetchone()) != (0,) and time.monotonic() < until:
            time.sleep(0.02)
    assert left == (0,)


def test_a_condition_that_writes_is_refused(database: str) -> None:
    run(database, "CREATE TABLE t AS SELECT i AS series_id, ARRAY[i] AS values FROM generate_series(1, 10000) AS i",
        "ALTER TABLE t ADD PRIMARY KEY (series_id)", "CREATE TABLE precious (i int)", "ANALYZE t")  # fmt: skip
    where = 'true); COMMIT; DROP TABLE precious; SELECT 1 AS "series_id" FROM t AS q WHERE (true'
    with pytest.raises(QueryError):
        read(database, Source(table="t", where=where, part_rows=1_000, retries=0))
    run(database, "SELECT * FROM precious")


def test_an_object_without_keys_is_no_series(database: str) -> None:
    refused(database, QueryError, "malformed", selected("SELECT 1 AS series_id, '{}'::jsonb AS values"))


def test_errors_amid_long_rows(database: str) -> None:
    query = "SELECT i % 10 AS series_id, i AS idx, 1.0 / (i - 90000) AS value FROM generate_series(1, 100000) AS i"
    refused(database, QueryError, r"^source\.query: division by zero\. ", selected(query))
