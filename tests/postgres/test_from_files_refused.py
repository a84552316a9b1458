"""extract --from: what cannot be read or is asked wrongly ends with one line and harms nothing; odd values stay."""

from __future__ import annotations

import gzip
import math
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

import tsclust
from tests.postgres.test_from_files import INT, LIST, TEXT, Table, as_csv, as_parquet, extracted, read, same
from tests.support.workspaces import hashes, made
from tsclust.cli import app
from tsclust.embedded_postgres.server import Server

ARRAYS = {"id": INT, "values": ("float8[]", LIST)}


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace with an earlier extraction."""
    return extracted(tmp_path / "ws", as_csv(Table("x", ARRAYS, [(1, [1.5]), (2, [])], {}), tmp_path / "0.csv"))


def refused(root: Path, code: int, told: str, *words: object) -> None:
    """The command line ends with this code and one line; the workspace stays as it was."""
    before, names = hashes(root, "series"), sorted(p.name for p in root.iterdir())
    done = CliRunner().invoke(app, ["extract", "-w", str(root), *map(str, words)])
    assert done.exit_code == code, (done.output, done.exception)
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.output
    assert done.stdout == ""
    assert hashes(root, "series") == before
    assert sorted(p.name for p in root.iterdir()) == names


# Dumps


@pytest.fixture(scope="module")
def dumps(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with dumps of two tables, each in a way of its own."""
    folder = tmp_path_factory.mktemp("dumps")
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE two_tables")
    dsn = make_conninfo(server.dsn, dbname="two_tables")
    with psycopg.connect(dsn) as connection:
        connection.execute('CREATE TABLE cycles (id int, "values" float8[]); CREATE TABLE other (LIKE cycles)')
        connection.execute("INSERT INTO cycles SELECT i, ARRAY[i, random()] FROM generate_series(1, 5000) i")
        connection.execute("INSERT INTO other VALUES (7, '{1,NULL}')")
    for name, *options in (
        ("plain",),
        ("custom", "-Fc"),
        ("directory", "-Fd"),
        ("inserts", "--inserts"),
        ("tar", "-Ft"),
    ):
        subprocess.run([server.bin / "pg_dump", "-d", dsn, *options, "-f", folder / name], check=True)
    yield folder
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE two_tables WITH (FORCE)")


@pytest.mark.parametrize("kind", ["plain", "custom", "directory"])
def test_a_dump_of_several_tables_needs_the_name_of_one(ws: Path, dumps: Path, kind: str) -> None:
    refused(ws, 3, "public.cycles, public.other", "--from", dumps / kind)
    refused(ws, 3, "no rows of a table othre", "--from", dumps / kind, "--table", "othre")
    done = CliRunner().invoke(app, ["extract", "-w", str(ws), "--from", str(dumps / kind), "--table", "other"])
    assert done.exit_code == 0, done.output
    assert read(ws) == {7: ([1.0, None],)}


@pytest.mark.parametrize(("kind", "told"), [("inserts", "INSERT INTO"), ("tar", "tar format")])
def test_a_dump_of_a_kind_that_cannot_be_read(ws: Path, dumps: Path, kind: str, told: str) -> None:
    refused(ws, 15, told, "--from", dumps / kind)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("kind", ["plain", "custom"])
def test_a_dump_that_is_cut_off(ws: Path, dumps: Path, tmp_path: Path, kind: str, share: float) -> None:
    whole = (dumps / kind).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    refused(ws, 15, "", "--from", tmp_path / "cut", "--table", "cycles")


# Other files


def csv_of(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n"


NOISE = random.Random(1).randbytes(50_000)
LONG = csv_of("id,idx,value", *(f"{i % 99},{i},{i / 7}" for i in range(100_000)))
TWO = [list(range(3))] * 2


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", 15, "is empty"),
        (b"Salted__" + NOISE, 15, "encrypted"),
        (NOISE, 15, "expected CSV"),
        (gzip.compress(LONG)[:-50_000], 15, "cut off"),
        (b"PAR1" + NOISE, 15, "cut off"),
        (b"PAR1" + NOISE + b"PAR1", 15, "damaged"),
        (csv_of("id,values"), 9, "no series"),
        (csv_of("id,idx,value"), 9, "no series"),
        (csv_of("id,n,values", '1,0,"{1,2}"', '7,0,"{1,x}"'), 10, "row 3"),
        (csv_of("id,values", '1,"{1,2}"', '7,"{{1,2},{3,4}}"'), 10, "row 3"),
        (csv_of("id,values", '1,"{1,x}"'), 8, "values of"),
        (csv_of("id,values", '5,"{1}"', '6,"{1}"', '5,"{2}"'), 10, "series_id 5 is there more than once"),
        (csv_of("id,values", 'a,"{1}"', ',"{1}"'), 10, "row 2"),
        (csv_of("id,idx,value", "1,1,5", ",2,5"), 10, "row 2"),
        (csv_of("id,idx,value", "1,1,5", "2,1"), 10, "row"),
        (csv_of("a,b,c", "x,y,z"), 8, "a string, b string, c string"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(ws: Path, tmp_path: Path, content: bytes, code: int, told: str) -> None:
    (tmp_path / "data").write_bytes(content)
    refused(ws, code, told, "--from", tmp_path / "data")


@pytest.mark.parametrize(
    ("rows", "type_", "told"),
    [
        ([(1, [1.0]), (2, [2.0]), (1, [])], ARRAYS, "series_id 1 is there more than once"),
        ([("a", []), (None, [2.0])], {"id": TEXT, "values": ("", LIST)}, "row 2"),
        ([(1, "{1,2}"), (2, "[[1,2],[3,4]]")], {"id": INT, "values": TEXT}, "row 2"),
    ],
)
def test_what_is_wrong_in_parquet_is_one_line(
    ws: Path, tmp_path: Path, rows: list[tuple[object, ...]], type_: dict[str, tuple[str, pa.DataType]], told: str
) -> None:
    path = as_parquet(Table("x", type_, rows, {}), tmp_path / "x.parquet")
    for more in ([], ["--sample", "99.999999%"], ["--update"]):
        refused(ws, 3 if "--update" in more else 10, "" if "--update" in more else told, "--from", path, *more)


@pytest.mark.parametrize("words", [(), ("--sample", "99.99%"), ("--where", '"values" IS NOT NULL')])
def test_a_missing_id_is_named_by_its_row(ws: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    as_csv(Table("x", ARRAYS, [(1, [1.0]), (2, [1.0]), (3, [1.0])], {}), tmp_path / "1.csv")
    as_csv(Table("x", ARRAYS, [(4, [1.0]), (None, [1.0])], {}), tmp_path / "2.csv")
    refused(ws, 10, "the first is row 5", "--from", tmp_path / "[12].csv", *words)


def test_a_gzip_that_ends_too_early_far_into_it(ws: Path, tmp_path: Path) -> None:
    whole = gzip.compress(csv_of("id,values", *(f'{i},"{{{"1," * 50}2}}"' for i in range(200_000))), compresslevel=1)
    (tmp_path / "x.csv.gz").write_bytes(whole[:-50])
    refused(ws, 15, "cut off", "--from", tmp_path / "x.csv.gz")
    assert not list(ws.rglob("spill.arrow"))


@pytest.mark.parametrize("values", [[None, TWO], [TWO]])
def test_lists_of_lists_in_parquet_are_named(ws: Path, tmp_path: Path, values: list[object]) -> None:
    pq.write_table(pa.table({"id": range(len(values)), "values": values}), tmp_path / "x.parquet")
    refused(ws, 8, "column values is a list of lists", "--from", tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--where nope=1", 8, "nope"),
        ("--where id>", 8, "id>"),
        ("--where id", 8, "true or false of each row"),
        ("--where value>avg(value)", 8, "GROUP BY"),
        ("--where count(*)>1", 8, "true or false of each row"),
        ("--where true)OR(true", 8, "true)OR(true"),
        ("--where true;true", 8, "true;true"),
        ("--where id=9", 9, "no series"),
        ("--where value='A'", 8, "compare"),
        ("--where false", 9, "no series"),
        ("--where NULL", 9, "no series"),
        ("--id nope", 8, "nope"),
        ("--values nope", 8, "nope"),
        ("--values machine --layout long", 8, "machine"),
        ("--values x*", 8, "x*"),
        ("--order machine", 8, "machine"),
        ("--carry nope", 8, "nope"),
        ("--layout array", 8, "values"),
        ("--table t", 3, "has no tables"),
        ("--sample 0%", 3, "share"),
        ("--limit -1", 3, "limit"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(ws: Path, tmp_path: Path, words: str, code: int, told: str) -> None:
    (tmp_path / "x.csv").write_text("id,idx,machine,value\n1,0,A,2\n1,1,A,3\n")
    refused(ws, code, told, "--from", tmp_path / "x.csv", *words.split())


def test_a_condition_that_is_true_of_all_keeps_all(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,idx,value\n1,0,2\n1,1,3\n")
    assert read(extracted(tmp_path / "ws", tmp_path / "x.csv", where="true")) == {1: ([2.0, 3.0],)}


# Odd values


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_odd_series_are_kept_as_they_are(tmp_path: Path, suffix: str) -> None:
    giant = np.random.default_rng(1).normal(size=100_000).tolist()
    series = [None, [], [None], [math.nan], [math.inf, -math.inf, None, 1.0], [0.5], giant, [None, 1.0, None]]
    table = Table("x", ARRAYS, list(enumerate(series)), {i: (s,) for i, s in enumerate(series)})
    path = (as_parquet if suffix == ".parquet" else as_csv)(table, tmp_path / f"x{suffix}")
    root = made(tmp_path / "ws", "")
    result = tsclust.extract(root, {"source": {"files": str(path)}})
    assert same(read(root), table.series)
    assert result.facts
    assert result.facts["odd"] == {
        "without_values": 2, "one_value": 3, "with_missing": 4, "with_infinite": 1, "very_long": 1,
    }  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_value_of_long_rows_is_a_missing_value(tmp_path: Path, suffix: str) -> None:
    rows = [("b", 2, None), ("a", 1, math.nan), ("b", 1, 0.5), ("a", 2, math.inf), ("c", 1, None), ("b", 3, 1.5)]
    table = Table("x", {"id": TEXT, "idx": INT, "value": ("float8", pa.float64())}, rows, {})
    path = (as_parquet if suffix == ".parquet" else as_csv)(table, tmp_path / f"x{suffix}")
    got = read(extracted(tmp_path / "ws", path))
    assert same(got, {"a": ([math.nan, math.inf],), "b": ([0.5, None, 1.5],), "c": ([None],)})


def test_a_list_among_long_rows_is_no_column_of_the_series(tmp_path: Path) -> None:
    columns = {
        "id": [1, 1, 2],
        "idx": [0, 1, 0],
        "value": [1.0, 2.0, 3.0],
        "extra": [[1.0], [2.0], None],
        "all": [5] * 3,
    }
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    got = read(extracted(tmp_path / "ws", tmp_path / "x.parquet", layout="long"))
    assert got == {1: (5, [1.0, 2.0]), 2: (5, [3.0])}
