"""What tsclust writes into a database when it is told to: labels beside the data, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pytest

import tsclust
from tests.support.pages import HOSTILE
from tests.support.report_workspace import four_kinds, write
from tsclust.errors import ConnectError, QueryError, SettingsError
from tsclust.pipeline import labels_export
from tsclust.simulation.expert import answered, form_of, put
from tsclust.sink.postgres.table import write_table
from tsclust.workspace.folder import Workspace

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def rows(dsn: str, name: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()


def table(ids: list[int], texts: list[str | None]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "id": ids, "text": texts, "number": [0.1 + 0.2] * n, "yes": [True] * n,
            "at": pa.array([WHEN] * n, pa.timestamp("us", "UTC")), "none": pa.array([None] * n, pa.int64()),
        }
    )  # fmt: skip


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


@pytest.fixture
def labelled(tmp_path: Path) -> Workspace:
    """Two labellers who agree about group 1 and not about group 2."""
    workspace = write(tmp_path / "ws", four_kinds())
    form = form_of(tsclust.report(workspace.root).wrote)
    said = {"A": {"1": "x", "2": "y"}, "B": {"1": "x", "2": {"kind": "z", "comment": '=cmd|"x"\x1b[2J'}}}
    files = [put(tmp_path / f"{who}.json", answered(form, who, given)) for who, given in said.items()]
    tsclust.labels_import(workspace.root, files)
    return workspace


READ = {"labels.csv": pl.read_csv, "labels.parquet": pl.read_parquet}


def test_labels_are_exported_to_files(labelled: Workspace, tmp_path: Path) -> None:
    whole = pl.read_parquet(labelled.root / "labels" / "labels.parquet")
    for name, read in READ.items():
        done = tsclust.labels_export(labelled.root, tmp_path / name)
        assert done.wrote == tmp_path / name
        found = read(tmp_path / name)
        names = ["series_id", "labeller", "kind", "group"]
        assert found.select(names).rows() == whole.select(names).rows()
    comments = {path: set(read(tmp_path / path)["comment"].drop_nulls()) - {""} for path, read in READ.items()}
    assert comments == {"labels.csv": {'\'=cmd|"x"\ufffd[2J'}, "labels.parquet": {'=cmd|"x"\x1b[2J'}}
    one = tsclust.labels_export(labelled.root, tmp_path / "one.csv", {"labels": {"resolve": "B"}})
    assert one.facts == {
        "rows": whole["series_id"].n_unique(), "labels": whole["series_id"].n_unique(),
        "file": str(tmp_path / "one.csv"), "table": None,
    }  # fmt: skip
    assert set(pl.read_csv(tmp_path / "one.csv")["kind"]) == {"x", "z"}
    with pytest.raises(SettingsError, match=r"expected a name that ends in \.csv or \.parquet"):
        tsclust.labels_export(labelled.root, tmp_path / "labels.xlsx")
    with pytest.raises(SettingsError, match="expected a file or --to-table"):
        tsclust.labels_export(labelled.root)


def test_ids_stay_what_they_are_in_csv(tmp_path: Path) -> None:
    """Whoever joins by them has to find them again."""
    ids = ["=1", "-2", "@3"]
    labels_export.save(pa.table({"series_id": ids, "kind": ["=x", "-y", "z"]}), tmp_path / "a.csv")
    assert pl.read_csv(tmp_path / "a.csv").rows() == list(zip(ids, ["'=x", "'-y", "z"], strict=True))


def test_labels_are_exported_to_a_table(labelled: Workspace, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute('CREATE SCHEMA "Plant A"')
    flags = {"dsn": database}
    done = tsclust.labels_export(labelled.root, flags=flags, to_table='"Plant A".labels')
    tsclust.labels_export(labelled.root, flags=flags, to_table='"Plant A".labels')
    whole = pl.read_parquet(labelled.root / "labels" / "labels.parquet")
    assert rows(database, '"Plant A".labels') == whole.rows()
    assert done.notes[0].endswith('to "Plant A".labels')
