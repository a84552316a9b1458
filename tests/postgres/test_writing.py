"""What tsclust writes into a database when it is told to: labels beside the data, whole or not at all."""

from __future__ import annotations

import polars as pl
import psycopg
import pytest

import tsclust
from tests.support.pages import HOSTILE
from tests.support.written_tables import WHEN, rows, table
from tsclust.errors import ConnectError, QueryError, SettingsError
from tsclust.sink.postgres.table import holds_text, write_table
from tsclust.workspace.folder import Workspace


def test_values_of_every_kind_arrive_as_they_are(database: str) -> None:
    texts = ["", None, 'a "quoted", one', "\\N", "line\nbreak", *HOSTILE]
    write_table(database, "public.t", table(list(range(len(texts))), texts))
    assert rows(database, "public.t") == [(i, t, 0.1 + 0.2, True, WHEN, None) for i, t in enumerate(texts)]


def test_rows_take_the_place_of_all_or_of_those_of_their_key(database: str) -> None:
    write_table(database, "t", table([1, 2], ["a", "b"]))
    write_table(database, "t", table([2, 3], ["c", "d"]), key=["id"])
    assert [row[:2] for row in rows(database, "t")] == [(1, "a"), (2, "c"), (3, "d")]
    write_table(database, "t", table([9], ["z"]))
    assert [row[:2] for row in rows(database, "t")] == [(9, "z")]


def test_which_columns_are_for_text(database: str) -> None:
    assert holds_text(database, "t", "id") is None
    write_table(database, "public.t", table([1], ["a"]))
    assert [holds_text(database, "t", name) for name in ("id", "text", "other")] == [False, True, None]


def test_a_table_of_somebody_else_is_left_alone(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (id int, value text)")
        connection.execute("INSERT INTO t VALUES (1, 'precious')")
    with pytest.raises(SettingsError, match="t has the columns id, value, expected id, text, number"):
        write_table(database, "t", table([1], ["a"]))
    assert rows(database, "t") == [(1, "precious")]


def test_what_fails_midway_leaves_what_was_there(database: str) -> None:
    write_table(database, "t", table([1], ["a"]))
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE t ADD CHECK (id < 100)")
    with pytest.raises(QueryError, match="violates check constraint"):
        write_table(database, "t", table(list(range(200)), ["x"] * 200))
    assert [row[:2] for row in rows(database, "t")] == [(1, "a")]


def test_a_reader_s_role_is_told_so(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE only_reads LOGIN")
    try:
        with pytest.raises((QueryError, ConnectError), match=r"only_reads|permission denied"):
            write_table(psycopg.conninfo.make_conninfo(database, user="only_reads"), "t", table([1], ["a"]))
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP ROLE only_reads")


def test_labels_are_exported_to_a_table(disputed: Workspace, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute('CREATE SCHEMA "Plant A"')
    flags = {"dsn": database}
    done = tsclust.labels_export(disputed.root, flags=flags, to_table='"Plant A".labels')
    tsclust.labels_export(disputed.root, flags=flags, to_table='"Plant A".labels')
    whole = pl.read_parquet(disputed.root / "labels" / "labels.parquet")
    assert rows(database, '"Plant A".labels') == whole.rows()
    assert done.notes[0].endswith('to "Plant A".labels')
