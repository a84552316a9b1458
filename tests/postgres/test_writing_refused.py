"""Writing into PostgreSQL where something is in the way: rights, names, types, values."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.reading import run
from tests.support.written_tables import rows, table
from tsclust.errors import BadSeriesError, QueryError, SettingsError
from tsclust.sink.postgres.table import write_table


@pytest.fixture
def clerk(database: str) -> Iterator[str]:
    """The DSN of a role without any rights."""
    run(database, "CREATE ROLE clerk LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield make_conninfo(database, user="clerk")
    run(database, "DROP OWNED BY clerk", "DROP ROLE clerk")


def test_who_may_not_write_is_told_which_rights_it_takes(database: str, clerk: str) -> None:
    with pytest.raises(
        QueryError, match=r"denied for schema public.*run: GRANT USAGE, CREATE ON SCHEMA public TO clerk"
    ):
        write_table(clerk, "t", table([1], ["a"]))
    write_table(database, "t", table([1], ["a"]))
    run(database, "GRANT SELECT ON t TO clerk")
    for key in ([], ["id"]):
        told = r'denied for table t.*run: GRANT SELECT, INSERT, DELETE ON "public"."t" TO clerk'
        with pytest.raises(QueryError, match=told):
            write_table(clerk, "t", table([1], ["b"]), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


@pytest.mark.parametrize("key", [[], ["id"]])
def test_what_is_granted_as_told_is_enough(database: str, clerk: str, key: list[str]) -> None:
    """Whoever runs what each error says gets there, from no right at all."""
    run(database, 'CREATE SCHEMA "Plant A"', "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC',"
        " current_database()); END $$")  # fmt: skip
    write_table(database, '"Plant A".t', table([1], ["a"]))
    granted = []
    while len(granted) < 5:
        try:
            write_table(clerk, '"Plant A".t', table([1], ["b"]), key)
            break
        except QueryError as error:
            granted.append(error.next_step.removeprefix("Ask the owner to run: "))
            run(database, granted[-1])
    assert [grant.split()[1] for grant in granted] == ["USAGE", "SELECT,", *(["TEMPORARY"] if key else [])]
    assert [row[:2] for row in rows(database, '"Plant A".t')] == [(1, "b")]


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


@pytest.mark.parametrize("there", [False, True])
def test_a_server_that_only_reads(database: str, there: bool) -> None:
    if there:
        write_table(database, "t", table([1], ["a"]))
    only_reads = make_conninfo(database, options="-c default_transaction_read_only=on")
    for key in ([], ["id"]):
        with pytest.raises(QueryError, match=r"read-only transaction.*point TSCLUST_DSN at one that can write"):
            write_table(only_reads, "t", table([1], ["b"]), key)


@pytest.mark.parametrize("key", [[], ["id"]])
@pytest.mark.parametrize(
    ("id_", "text", "told"),
    [
        ("date", "text", "t: its column id is date, expected bigint. Name a table that does not exist yet"),
        ("text", "text", "t: its column id is text, expected bigint"),
        ("bigint", "integer", "t: its column text is integer, expected text"),
        ("smallint", "text", r'value "70000" is out of range for type smallint \(in: line 2, column id: "70000"\)'),
        (
            "bigint",
            "varchar(2)",
            r'value too long .*\(2\) \(in: line 1, column text: "abc"\).*do not hold these values',
        ),
        ("bigint", "uuid", r'invalid input syntax for type uuid: "abc"'),
    ],
)
def test_other_types_in_the_table(database: str, key: list[str], id_: str, text: str, told: str) -> None:
    rest = "number double precision, yes boolean, at timestamptz, none bigint"
    run(database, f"CREATE TABLE t (id {id_}, text {text}, {rest})")
    with pytest.raises((QueryError, SettingsError), match=told):
        write_table(database, "t", table([7, 70_000], ["abc", "d"]), key)
    assert rows(database, "t") == []


@pytest.mark.parametrize("key", [[], ["id"], ["id", "text"]])
def test_types_that_hold_the_values_will_do(database: str, key: list[str]) -> None:
    run(database, "CREATE TYPE kind AS ENUM ('a', 'b')", "CREATE TABLE t (id int, text kind, number numeric,"
        " yes boolean, at timestamptz, none smallint)")  # fmt: skip
    write_table(database, "t", table([1], ["a"]), key)
    write_table(database, "t", table([1], ["a"]), key)
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


@pytest.mark.parametrize("key", [[], ["id"]])
def test_what_is_no_table_to_write_into(database: str, key: list[str]) -> None:
    write_table(database, "t", table([1], ["a"]))
    run(database, "CREATE VIEW v AS SELECT DISTINCT * FROM t", "CREATE INDEX i ON t (id)", "CREATE SEQUENCE s")
    for name in ("v", "i", "s"):
        with pytest.raises(SettingsError, match=rf"^{name}: .*not a table that can be written to"):
            write_table(database, name, table([1], ["a"]), key)


def test_a_constraint_of_the_table(database: str) -> None:
    write_table(database, "t", table([1], ["a"]))
    run(database, "ALTER TABLE t ADD UNIQUE (text)")
    with pytest.raises(QueryError, match=r"violates unique constraint.*A constraint of the table refuses the rows"):
        write_table(database, "t", table([2, 3], ["b", "b"]), ["id"])
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


def test_a_database_of_another_encoding(database: str) -> None:
    latin = make_conninfo(database, dbname="latin")
    run(database, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(BadSeriesError, match=r"LATIN1.*This database's encoding cannot hold it"):
            write_table(latin, "t", table([1], ["ы"]))
        with psycopg.connect(latin) as connection:  # the table that was made for it went with it
            assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)
    finally:
        run(database, "DROP DATABASE latin WITH (FORCE)")


def test_a_key_that_is_null(database: str) -> None:
    """It is equal to nothing: it would never be replaced."""
    with pytest.raises(BadSeriesError, match="t: 1 of 2 rows have no text"):
        write_table(database, "t", table([1, 2], ["a", None]), ["text"])


def test_a_text_that_postgresql_has_no_place_for(database: str) -> None:
    write_table(database, "t", table([1], ["a"]))
    with pytest.raises(BadSeriesError, match=r"t: text 'a\\x00b' contains U\+0000.*Write to a file instead"):
        write_table(database, "t", table([2, 3], ["ok", "a\0b"]))
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


@pytest.mark.parametrize("name", ['"open', "", "a..b", ".t", "a\0b", "a\udcff"])
def test_what_is_no_name(database: str, name: str) -> None:
    with pytest.raises(SettingsError, match=r"--to-table = .*is not a table name"):
        write_table(database, name, table([1], ["a"]))


def test_a_name_that_would_be_cut(database: str) -> None:
    """63 bytes, not letters; of a name that is longer PostgreSQL makes another one."""
    write_table(database, f'"{"ы" * 31}"', table([1], ["a"]))
    with pytest.raises(SettingsError, match="at most 63 bytes, this has 64"):
        write_table(database, f'"{"ы" * 32}"', table([1], ["a"]))


def test_a_column_whose_name_would_be_cut(database: str) -> None:
    with pytest.raises(SettingsError, match=r"'x{64}': expected a name of at most 63 bytes"):
        write_table(database, "t", pa.table({"x" * 64: [1]}))
    hostile = pa.table({'a"; DROP TABLE t; --': [1], "b %s {} $1": [2], "y" * 63: [3]})
    for _ in range(2):
        write_table(database, "t", hostile, hostile.column_names[:2])
    assert rows(database, "t") == [(1, 2, 3)]


def test_more_names_than_two(database: str) -> None:
    with pytest.raises(SettingsError, match=r"expected table or schema\.table, this has 3 names"):
        write_table(database, "postgres.public.t", table([1], ["a"]))


def test_hostile_names_are_names(database: str) -> None:
    run(database, 'CREATE SCHEMA "a"";--"')
    name = '"a"";--"."x\'; DROP TABLE t; --"'
    write_table(database, name, table([1], ["a"]))
    write_table(database, name, table([2], ["b"]), ["id"])
    assert [row[:2] for row in rows(database, name)] == [(1, "a"), (2, "b")]
