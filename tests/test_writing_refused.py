"""Writing into PostgreSQL where something is in the way: rights, names, types, other writers, a lost connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

from tests.test_writing import rows, table
from tsclust.errors import BadSeriesError, QueryError, SettingsError, SourceLostError
from tsclust.source.postgres import writing
from tsclust.source.postgres.writing import write_table


def run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def clerk(database: str) -> Iterator[str]:
    """The DSN of a role without any rights."""
    run(database, "CREATE ROLE clerk LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield make_conninfo(database, user="clerk")
    run(database, "DROP OWNED BY clerk", "DROP ROLE clerk")


def test_who_may_not_write_is_told_which_rights_it_takes(database: str, clerk: str) -> None:
    with pytest.raises(QueryError, match=r"permission denied for schema public.*GRANT CREATE on its schema"):
        write_table(clerk, "t", table([1], ["a"]))
    write_table(database, "t", table([1], ["a"]))
    run(database, "GRANT SELECT ON t TO clerk")
    for key in ([], ["id"]):
        with pytest.raises(QueryError, match=r"permission denied for table t.*GRANT SELECT, INSERT, DELETE"):
            write_table(clerk, "t", table([1], ["b"]), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


def test_the_rights_on_one_table_are_enough(database: str, clerk: str) -> None:
    """Whoever may not make tables writes into the one that was made for them."""
    write_table(database, "t", table([1, 2], ["a", "b"]))
    run(database, "GRANT SELECT, INSERT, DELETE ON t TO clerk")
    write_table(clerk, "t", table([2], ["c"]), ["id"])
    assert [row[:2] for row in rows(database, "t")] == [(1, "a"), (2, "c")]
    write_table(clerk, "t", table([5], ["d"]))
    assert [row[:2] for row in rows(database, "t")] == [(5, "d")]


def test_a_schema_that_is_not_there(database: str) -> None:
    with pytest.raises(SettingsError, match=r'plant\.t: schema "plant" does not exist.*CREATE SCHEMA'):
        write_table(database, "plant.t", table([1], ["a"]))


def test_a_server_that_only_reads(database: str) -> None:
    with pytest.raises(QueryError, match=r"read-only transaction.*name one that may write"):
        write_table(make_conninfo(database, options="-c default_transaction_read_only=on"), "t", table([1], ["a"]))


def test_other_types_in_the_table(database: str) -> None:
    same = "text text, number double precision, yes boolean, at timestamptz, none bigint"
    run(database, f"CREATE TABLE t (id date, {same})")
    for key in ([], ["id"]):
        with pytest.raises(QueryError, match=r"The table holds other types|operator does not exist"):
            write_table(database, "t", table([1], ["a"]), key)


def test_a_text_that_postgresql_has_no_place_for(database: str) -> None:
    write_table(database, "t", table([1], ["a"]))
    with pytest.raises(BadSeriesError, match=r"t: text 'a\\x00b' holds U\+0000.*Write to a file instead"):
        write_table(database, "t", table([2, 3], ["ok", "a\0b"]))
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


@pytest.mark.parametrize("name", ['"open', "", "a..b", ".t"])
def test_what_is_no_name(database: str, name: str) -> None:
    with pytest.raises(SettingsError, match=r"--to-table = .*is not a table's name"):
        write_table(database, name, table([1], ["a"]))


def test_a_name_that_would_be_cut(database: str) -> None:
    """63 bytes, not letters; of a name that is longer PostgreSQL makes another one."""
    write_table(database, f'"{"ы" * 31}"', table([1], ["a"]))
    with pytest.raises(SettingsError, match="at most 63 bytes, this has 64"):
        write_table(database, f'"{"ы" * 32}"', table([1], ["a"]))


def test_hostile_names_are_names(database: str) -> None:
    run(database, 'CREATE SCHEMA "a"";--"')
    name = '"a"";--"."x\'; DROP TABLE t; --"'
    write_table(database, name, table([1], ["a"]))
    write_table(database, name, table([2], ["b"]), ["id"])
    assert [row[:2] for row in rows(database, name)] == [(1, "a"), (2, "b")]


def test_a_connection_lost_midway_leaves_what_was_there(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(database, "t", table([1], ["a"]))
    run(
        database,
        """CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF new.id = 150 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN new; END $$""",
        "CREATE TRIGGER die BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION die()",
    )
    monkeypatch.setattr(writing, "BATCH", 10)
    for key in ([], ["id"]):
        with pytest.raises(SourceLostError, match="Nothing was written"):
            write_table(database, "t", table(list(range(200)), ["x"] * 200), key)
        assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


def test_many_writers_at_once_take_turns(database: str) -> None:
    """From the first moment on, when the table is not there yet."""
    start = threading.Barrier(4)

    def write(n: int) -> None:
        start.wait()
        for turn in range(5):
            write_table(database, "t", table(list(range(50)), [f"{n}-{turn}"] * 50), ["id"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = rows(database, "t")
    assert [row[0] for row in found] == list(range(50))
    assert len({row[1] for row in found}) == 1


def test_a_table_that_somebody_holds_is_not_waited_for_forever(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(database, "t", table([1], ["a"]))
    monkeypatch.setattr(writing, "_BEFORE", writing._BEFORE.replace("60s", "200ms"))
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE t IN SHARE MODE")
        with pytest.raises(SourceLostError, match=r"lock timeout.*Another session writes to it"):
            write_table(database, "t", table([2], ["b"]))
        assert other.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_rows_are_replaced_by_hashing(database: str) -> None:
    """A nested loop over a million rows takes days."""
    ids = list(range(5_000))
    write_table(database, "t", table(ids, ["a"] * len(ids)))
    place, new = psycopg.sql.Identifier("t"), psycopg.sql.Identifier("n")
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TEMP TABLE n AS SELECT * FROM t")
        connection.execute("ANALYZE t, n")
        plan = connection.execute(psycopg.sql.SQL("EXPLAIN ") + writing._delete(place, new, ["id"])).fetchall()
    assert "Hash Join" in str(plan)
    assert "Nested Loop" not in str(plan)


def test_a_large_table_and_its_slices_arrive(database: str) -> None:
    many = pa.concat_tables([table(list(range(n, n + 70_000)), ["a"] * 70_000) for n in (0, 70_000)])
    write_table(database, "t", many)
    write_table(database, "t", many.slice(60_000, 20_000), ["id"])
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT id) FROM t").fetchone() == (140_000, 140_000)
