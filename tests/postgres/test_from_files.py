"""extract --from: the same series come out of every kind of file and out of the server, whatever is asked of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import tsclust
from tests.support.file_tables import TABLES, Table, as_csv, as_parquet, cell, extracted, read, same
from tests.support.servers import new_database
from tests.support.workspaces import new_workspace
from tsclust.embedded_postgres.server import Server


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[Server]:
    """The tables in a database called filed."""
    with new_database(server.dsn, "filed") as dsn:
        with psycopg.connect(dsn) as connection:
            for table in TABLES.values():
                columns = ", ".join(f'"{n}" {t}' for n, (t, _) in table.columns.items())
                connection.execute(f"CREATE TABLE {table.name} ({columns})")
                with connection.cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                    for row in table.rows:
                        copy.write_row(tuple(cell(v) if isinstance(v, list) else v for v in row))
        yield server


def dsn_of(server: Server) -> str:
    return make_conninfo(server.dsn, dbname="filed")


def dump(server: Server, path: Path, *options: str) -> Path:
    subprocess.run([server.bin / "pg_dump", "-d", dsn_of(server), *options, "-f", path], check=True)
    return path


KINDS: dict[str, Callable[[Server, Table, Path], Path]] = {
    "csv": lambda _, t, p: as_csv(t, p / "data.csv"),
    "csv.gz": lambda _, t, p: as_csv(t, p / "data.csv.gz"),
    "parquet": lambda _, t, p: as_parquet(t, p / "data.parquet"),
    "plain": lambda s, t, p: dump(s, p / "data.sql", "-t", t.name),
    "custom": lambda s, t, p: dump(s, p / "data.dump", "-Fc", "-t", t.name),
    "directory": lambda s, t, p: dump(s, p / "data", "-Fd", "-t", t.name),
}


# Every kind of file


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_series_that_were_written(
    filled: Server, tmp_path: Path, kind: str, name: str
) -> None:
    table = TABLES[name]
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path))
    assert same(read(root, table.schema(kind)), table.series)


@pytest.mark.parametrize("name", TABLES)
def test_the_server_gives_the_same_series(filled: Server, tmp_path: Path, name: str) -> None:
    root = new_workspace(tmp_path / "ws", "")
    tsclust.extract(root, {"dsn": dsn_of(filled), "source": {"table": name}})
    assert same(read(root, TABLES[name].schema()), TABLES[name].series)


@pytest.mark.parametrize("kind", KINDS)
def test_long_rows_are_put_in_the_order_that_is_asked_for(filled: Server, tmp_path: Path, kind: str) -> None:
    table = TABLES["long_rows"]
    asked = {"order": "at_time", "carry": ["machine", "noise", "seldom"]}  # what changes is that of the first row
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path), **asked)
    first = {i: len(its) - 1 for i, (*_, its) in table.series.items()}
    wanted = {
        i: (of[0], first[i] * 10, None if first[i] % 3 else "x", its[::-1]) for i, (*of, its) in table.series.items()
    }
    assert same(read(root), wanted)


@pytest.mark.parametrize("name", ["whole_ids", "long_rows", "wide_rows"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "custom"])
def test_a_condition_on_a_column_that_is_not_carried(filled: Server, tmp_path: Path, kind: str, name: str) -> None:
    table = TABLES[name]
    where = "grade >= 2 AND NOT ok AND machine LIKE 'M%' AND day > '2024-01-06'"
    root = extracted(tmp_path / "ws", KINDS[kind](filled, table, tmp_path), where=where, carry=["day"])
    met = {
        i: of
        for i, of in table.series.items()
        if (of[1] or 0) >= 2 and of[2] is False and of[0] and of[3] and of[3] > date(2024, 1, 6)
    }
    assert met
    assert same(read(root), {i: (of[3], of[-1]) for i, of in met.items()})
    on_server = new_workspace(tmp_path / "server", "")
    tsclust.extract(on_server, {"dsn": dsn_of(filled), "source": {"table": name, "where": where, "carry": ["day"]}})
    assert same(read(on_server), read(root))
