"""What a server refuses, series that cannot be and connections that break: the right error, and a next step."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from tests.reading import ONE, ROOT, admin, read, refused, run
from tsclust.config import Source
from tsclust.errors import BadSeriesError, NoSeriesError, QueryError, SettingsError, SourceLostError, TsclustError
from tsclust.source.postgres import opened

SLOW = """
    CREATE FUNCTION slow(x float8) RETURNS float8[] STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.2); RETURN ARRAY[x]; END'"""
RAISES = """
    CREATE FUNCTION raises(x int, state text) RETURNS float8[] STABLE LANGUAGE plpgsql AS
    'BEGIN IF x > 50000 THEN RAISE EXCEPTION ''no'' USING ERRCODE = state; END IF; RETURN ARRAY[x]; END'"""


def selected(query: str, **more: Any) -> Source:
    return Source(query=query, **more)


# Refused by the server


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1\n  FORM cycles, x", r'syntax error at or near "cycles" \(in: FORM cycles, x\)'),
        ("SELECT 1) AS q; DROP TABLE cycles; SELECT * FROM (SELECT 1", "multiple commands"),
        ("SELECT 1; SELECT 2", 'syntax error at or near ";"'),
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
        ("SELECT 1 / 0 AS series_id, '{1}'::real[] AS values", "division by zero"),
        ("SELECT 1 AS series_id, ARRAY[1 / (series_id - 1)] AS values FROM cycles", "division by zero"),
        ("SELECT '{}'::json AS series_id, '{1}'::real[] AS values", "ordering operator for type json"),
        ("SELECT a.*, b.* FROM cycles a, cycles b", "gives column series_id twice"),
        ("SELECT 1 AS series_id, '[1]'::jsonb AS values", r"type jsonb: expected an array.*sql/jsonb_arrays\.sql"),
        ("SELECT 1 AS series_id, 1.5 AS values", r"type numeric: .*sql/long_rows\.sql"),
        ("SELECT 1 AS series_id, '{a}'::text[] AS values", r"type text\[\]"),
        ("SELECT 1 AS series_id", r"source\.values: source\.query has no column values \(it has series_id\)"),
    ],
)
def test_queries_a_server_refuses(database: str, query: str, told: str) -> None:
    run(database, "CREATE SEQUENCE numbers", "CREATE TABLE cycles AS SELECT 1 AS series_id, '{1}'::real[] AS values")
    refused(database, QueryError, told, selected(query))
    assert read(database, Source(table="cycles")).num_rows == 1


def test_no_such_table(database: str) -> None:
    run(database, "CREATE SCHEMA machine", 'CREATE TABLE machine."Cycles" ()', "CREATE TABLE apples ()")
    told = r'relation "machine\.cycles" does not exist \(tables: machine\."Cycles", apples\)'
    refused(database, QueryError, told, Source(table="machine.cycles"))
    refused(database, QueryError, r"\(tables: ", Source(table="nowhere.apples"))
    refused(database, SettingsError, "both empty", Source())


def test_no_permission(database: str) -> None:
    run(database, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN", "CREATE TABLE cycles (series_id int)")
    try:
        dsn = make_conninfo(database, user="guest")
        refused(dsn, QueryError, "permission denied for table cycles.*GRANT SELECT", Source(table="cycles"))
    finally:
        run(database, "DROP ROLE guest")


def test_a_query_that_changes_from_run_to_run(database: str) -> None:
    query = "SELECT i AS series_id, ARRAY[i] AS values FROM generate_series(1, 1000) AS i WHERE random() < 0.5"
    refused(database, QueryError, r"series \(from id the first\), then \d+.*random\(\)", selected(query))


# Series that cannot be


def test_no_series(database: str) -> None:
    run(database, "CREATE TABLE cycles (series_id int, values real[])")
    refused(database, NoSeriesError, "cycles holds no rows", Source(table="cycles"))


def test_ids_that_are_null(database: str) -> None:
    query = "SELECT nullif(i % 4, 0) + i AS series_id, '{1}'::real[] AS values FROM generate_series(1, 12) AS i"
    refused(database, BadSeriesError, r"^3 of 12 rows of source\.query have no series_id", selected(query))


@pytest.mark.parametrize("part_rows", [1, 5, 100])
def test_an_id_that_is_there_twice(database: str, part_rows: int) -> None:
    query = "SELECT 'n' || i % 9 AS series_id, '{1}'::real[] AS values FROM generate_series(0, 9) AS i"
    refused(database, BadSeriesError, r"series_id n0 is there more than once", selected(query, part_rows=part_rows))


def test_text_that_is_not_utf8(database: str) -> None:
    run(database, "CREATE DATABASE unchecked ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        source = selected(r"SELECT 1 AS series_id, '{1}'::real[] AS values, E'\xff' AS name")
        refused(
            make_conninfo(database, dbname="unchecked"), BadSeriesError, "invalid byte sequence .*convert_from", source
        )
    finally:
        run(database, "DROP DATABASE unchecked")


# Lost while reading


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("40001", SourceLostError, "no. A standby dropped our snapshot"),
        ("53100", SourceLostError, "short of room"),
        ("57014", SourceLostError, "cancelled on the server"),
        ("22003", QueryError, r"source\.query: no\. Correct \[source\]"),
        ("ZZ999", QueryError, r"source\.query: no\. "),
    ],
)
def test_errors_amid_a_part(database: str, state: str, error: type[TsclustError], told: str) -> None:
    run(database, RAISES)
    query = f"SELECT i AS series_id, raises(i, '{state}') AS values FROM generate_series(1, 60000) AS i"
    refused(database, error, told, selected(query))


def _terminate(dsn: str, which: str) -> None:
    """End the connections of tsclust that `which` is true of, as soon as there is one."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tsclust' AND "
    with admin(dsn) as connection:
        until = time.monotonic() + 10
        while time.monotonic() < until and not connection.execute(end + which).fetchall():
            time.sleep(0.02)


def test_server_stopped_amid_a_part(database: str) -> None:
    run(database, SLOW)
    killer = threading.Thread(target=_terminate, args=(database, "query LIKE 'COPY%' AND state = 'active'"))
    killer.start()
    query = "SELECT i AS series_id, slow(i) AS values FROM generate_series(1, 40) AS i"
    refused(database, SourceLostError, r"source\.query: .*run tsclust extract again", selected(query, part_rows=10))
    killer.join()


def test_connection_lost_between_parts(database: str) -> None:
    query = "SELECT i AS series_id, ARRAY[i] AS values FROM generate_series(1, 100) AS i"
    with opened(database, selected(query, part_rows=50), ROOT) as reader:
        assert reader.read(reader.found.ranges[0]).num_rows == 50
        _terminate(database, "query LIKE 'COPY%'")
        with pytest.raises(SourceLostError):
            reader.read(reader.found.ranges[1])
        assert reader.read(reader.found.ranges[1]).num_rows == 50  # a new connection, the same snapshot


def test_snapshot_gone_with_its_holder(database: str) -> None:
    with opened(database, ONE, ROOT) as reader:
        _terminate(database, "query NOT LIKE 'COPY%'")
        time.sleep(0.1)
        with pytest.raises(SourceLostError, match=r"the snapshot .* is gone: .*run tsclust extract again"):
            reader.read(reader.found.ranges[0])


def test_nothing_stays_behind(database: str) -> None:
    assert read(database).num_rows == 1
    with admin(database) as connection:
        count = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tsclust' AND datname = current_database()"
        )
        until = time.monotonic() + 5
        while (left := connection.execute(count).fetchone()) != (0,) and time.monotonic() < until:
            time.sleep(0.02)
    assert left == (0,)
