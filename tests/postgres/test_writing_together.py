"""Writing into PostgreSQL beside others, in bulk, and to the end or not at all."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.support.endurance import times
from tests.support.reading import run
from tests.support.written_tables import rows, table
from tsclust.errors import QueryError, SourceLostError
from tsclust.sink.postgres import table as writing
from tsclust.sink.postgres.table import write_table

KEYS = pytest.mark.parametrize("key", [[], ["id"]], ids=["all", "by key"])
SERVERS = pytest.mark.parametrize("database", ["18", "16"], indirect=True)
ENDS = """
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF new.id = 150 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN new; END $$"""
SLOW = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.5); RETURN new; END $$"""


@pytest.fixture
def slow(database: str) -> str:
    """A database with a table t of the row (1, "a"), in which a row takes half a second to write."""
    write_table(database, "t", table([1], ["a"]))
    run(database, SLOW, "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()")
    return database


def until_one_sleeps(dsn: str) -> None:
    """Returns when a writer is in the middle of its rows."""
    asked = """SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"""
    until = time.monotonic() + 10
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < until and not connection.execute(asked).fetchone():
            time.sleep(0.01)


@pytest.mark.endurance
@pytest.mark.parametrize("database", ["18", "16"][: times(1, 2)], indirect=True)
@KEYS
@pytest.mark.parametrize("second", ["t", "public.t"])
@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_the_second_writer_waits_whatever_it_calls_the_table(
    slow: str, key: list[str], second: str, level: str
) -> None:
    dsn = make_conninfo(slow, options="-c default_transaction_isolation=" + level.replace(" ", "\\ "))
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(write_table, dsn, "t", table([1], ["first"]), key)
        until_one_sleeps(slow)
        two = pool.submit(write_table, dsn, second, table([1], ["second"]), key)
        assert [row[:2] for row in rows(slow, "t")] == [(1, "a")]  # who reads does not wait
        one.result()
        two.result()
    assert [row[:2] for row in rows(slow, "t")] == [(1, "second")]


@KEYS
def test_somebody_else_s_rows_wait_too(slow: str, key: list[str]) -> None:
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(write_table, slow, "t", table([1], ["ours"]), key)
        until_one_sleeps(slow)
        run(slow, "UPDATE t SET text = text || ', seen'")
        one.result()
    assert [row[:2] for row in rows(slow, "t")] == [(1, "ours, seen")]


@SERVERS
@KEYS
def test_many_writers_at_once_take_turns(database: str, key: list[str]) -> None:
    """From the first moment on, when the table is not there yet."""
    start = threading.Barrier(4)

    def write(n: int) -> None:
        start.wait()
        for turn in range(5):
            write_table(database, ["t", "public.t"][n % 2], table(list(range(50)), [f"{n}-{turn}"] * 50), key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = rows(database, "t")
    assert [row[0] for row in found] == list(range(50))
    assert len({row[1] for row in found}) == 1


@KEYS
def test_a_table_that_somebody_holds_is_not_waited_for_forever(
    database: str, monkeypatch: pytest.MonkeyPatch, key: list[str]
) -> None:
    write_table(database, "t", table([1], ["a"]))
    monkeypatch.setattr(writing, "_BEFORE", writing._BEFORE.replace("60s", "200ms"))
    with psycopg.connect(database) as other:
        other.execute("UPDATE t SET text = 'theirs'")
        with pytest.raises(SourceLostError, match=r"lock timeout.*Another session writes to it"):
            write_table(database, "t", table([2], ["b"]), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "theirs")]


# Whole or not at all


@KEYS
def test_a_connection_lost_midway_leaves_what_was_there(
    database: str, monkeypatch: pytest.MonkeyPatch, key: list[str]
) -> None:
    write_table(database, "t", table([1], ["a"]))
    run(database, ENDS, "CREATE TRIGGER die BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION die()")
    monkeypatch.setattr(writing, "BATCH", 10)
    with pytest.raises(SourceLostError, match="Either all rows are written or none: check the server"):
        write_table(database, "t", table(list(range(200)), ["x"] * 200), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


@KEYS
def test_a_last_row_that_does_not_fit_leaves_what_was_there(
    database: str, monkeypatch: pytest.MonkeyPatch, key: list[str]
) -> None:
    run(database, "CREATE TABLE t (id smallint, text text, number float8, yes bool, at timestamptz, none int)")
    write_table(database, "t", table([1], ["a"]), key)
    monkeypatch.setattr(writing, "BATCH", 10)
    with pytest.raises(QueryError, match=r'line 200, column id: "99999"'):
        write_table(database, "t", table([*range(199), 99_999], ["x"] * 200), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


# In bulk


@SERVERS
@pytest.mark.parametrize("key", [["series_id"], ["series_id", "labeller"]])
def test_rows_are_replaced_by_hashing(database: str, key: list[str]) -> None:
    """A nested loop over a million rows takes days."""
    place = sql.Identifier("public", "t")
    made = "AS SELECT i AS series_id, i % 3 || 'who' AS labeller FROM generate_series(1, 300000) AS i"
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE TABLE t {made}")
        connection.execute(f"CREATE TEMP TABLE tsclust_new_rows {made}")
        connection.execute("ANALYZE t, tsclust_new_rows")
        plan = str(connection.execute(sql.SQL("EXPLAIN ") + writing._delete(place, key)).fetchall())
    assert "Hash Join" in plan
    assert "Nested Loop" not in plan


@SERVERS
def test_a_large_table_and_its_slices_arrive(database: str) -> None:
    many = pa.concat_tables([table(list(range(n, n + 70_000)), ["a"] * 70_000) for n in (0, 70_000)])
    write_table(database, "t", many)
    write_table(database, "t", many.slice(60_000, 20_000), ["id"])
    write_table(database, "t", many.slice(0, 0), ["id"])
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT id) FROM t").fetchone() == (140_000, 140_000)


def test_a_table_called_as_the_one_that_rows_are_gathered_in(database: str) -> None:
    for text in ("a", "b"):
        write_table(database, "tsclust_new_rows", table([1], [text]), ["id"])
    assert [row[:2] for row in rows(database, "tsclust_new_rows")] == [(1, "b")]


def test_numbers_of_any_width_are_numbers(database: str) -> None:
    kinds = [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64(), pa.float32()]
    write_table(database, "t", pa.table({str(kind): pa.array([7], kind) for kind in kinds}))
    asked = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"
    with psycopg.connect(database) as connection:
        found = [kind for (kind,) in connection.execute(f"{asked} ORDER BY attnum")]
    assert found == ["bigint"] * 6 + ["numeric", "double precision"]
