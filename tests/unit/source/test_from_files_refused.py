"""extract --from: what cannot be read or is asked wrongly ends with one line and harms nothing; odd values stay."""

from __future__ import annotations

import errno
import gzip
import math
import os
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.file_tables import ARRAYS, INT, LIST, TEXT, Table, as_csv, as_parquet, extracted, read, refused, same
from tests.support.workspaces import new_workspace
from tsclust.errors import DiskFullError
from tsclust.stages.series import ingest

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
        (gzip.compress(LONG, mtime=0)[:-50_000], 15, "cut off"),
        (b"PAR1" + NOISE, 15, "cut off"),
        (b"PAR1" + NOISE + b"PAR1", 15, "damaged"),
        (csv_of("id,values"), 9, "no series"),
        (csv_of("id,idx,value"), 9, "no series"),
        (csv_of("id,n,values", '1,0,"{1,2}"', '7,0,"{1,x}"'), 10, "row 3"),
        (csv_of("id,values", '1,"{1,2}"', '7,"{{1,2},{3,4}}"'), 10, "row 3"),
        (csv_of("id,values", '1,"{1,x}"'), 8, "values of"),
        (csv_of("id,values", '5,"{1}"', '6,"{1}"', '5,"{2}"'), 10, "series_id 5 occurs more than once"),
        (csv_of("id,values", 'a,"{1}"', ',"{1}"'), 10, "row 2"),
        (csv_of("id,idx,value", "1,1,5", ",2,5"), 10, "row 2"),
        (csv_of("id,idx,value", "1,1,5", "2,1"), 10, "row"),
        (csv_of("a,b,c", "x,y,z"), 8, "a string, b string, c string"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(
    extracted_before: Path, tmp_path: Path, content: bytes, code: int, told: str
) -> None:
    (tmp_path / "data").write_bytes(content)
    refused(extracted_before, code, told, "--from", tmp_path / "data")


@pytest.mark.parametrize(
    ("rows", "type_", "told"),
    [
        ([(1, [1.0]), (2, [2.0]), (1, [])], ARRAYS, "series_id 1 occurs more than once"),
        ([("a", []), (None, [2.0])], {"id": TEXT, "values": ("", LIST)}, "row 2"),
        ([(1, "{1,2}"), (2, "[[1,2],[3,4]]")], {"id": INT, "values": TEXT}, "row 2"),
    ],
)
def test_what_is_wrong_in_parquet_is_one_line(
    extracted_before: Path,
    tmp_path: Path,
    rows: list[tuple[object, ...]],
    type_: dict[str, tuple[str, pa.DataType]],
    told: str,
) -> None:
    path = as_parquet(Table("x", type_, rows, {}), tmp_path / "x.parquet")
    for more in ([], ["--sample", "99.999999%"], ["--update"]):
        refused(
            extracted_before, 3 if "--update" in more else 10, "" if "--update" in more else told, "--from", path, *more
        )


@pytest.mark.parametrize("words", [(), ("--sample", "99.99%"), ("--where", '"values" IS NOT NULL')])
def test_a_missing_id_is_named_by_its_row(extracted_before: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    as_csv(Table("x", ARRAYS, [(1, [1.0]), (2, [1.0]), (3, [1.0])], {}), tmp_path / "1.csv")
    as_csv(Table("x", ARRAYS, [(4, [1.0]), (None, [1.0])], {}), tmp_path / "2.csv")
    refused(extracted_before, 10, "the first is row 5", "--from", tmp_path / "[12].csv", *words)


def test_a_gzip_that_ends_too_early_far_into_it(extracted_before: Path, tmp_path: Path) -> None:
    whole = gzip.compress(csv_of("id,values", *(f'{i},"{{{"1," * 50}2}}"' for i in range(200_000))), compresslevel=1)
    (tmp_path / "x.csv.gz").write_bytes(whole[:-50])
    refused(extracted_before, 15, "cut off", "--from", tmp_path / "x.csv.gz")
    assert not list(extracted_before.rglob("spill.arrow"))


def test_what_cannot_be_written_leaves_no_file_open(
    workspace_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ingest, "write_batches", full)
    path = as_csv(Table("x", ARRAYS, [(i, [1.0]) for i in range(90)], {}), tmp_path / "x.csv")
    tsclust.init(workspace_dir)
    with pytest.raises(DiskFullError, match="no space left"):  # what it is raised through is held until the test ends
        tsclust.extract(workspace_dir, {"source": {"files": str(path), "part_rows": 20}})
    assert not [file for file in Path("/proc/self/fd").iterdir() if "spill.arrow" in os.path.realpath(file)]


@pytest.mark.parametrize("values", [[None, TWO], [TWO]])
def test_lists_of_lists_in_parquet_are_named(extracted_before: Path, tmp_path: Path, values: list[object]) -> None:
    pq.write_table(pa.table({"id": range(len(values)), "values": values}), tmp_path / "x.parquet")
    refused(extracted_before, 8, "column values is a list of lists", "--from", tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--where nope=1", 8, "nope"),
        ("--where id>", 8, "id>"),
        ("--where id", 8, "true or false for each row"),
        ("--where value>avg(value)", 8, "GROUP BY"),
        ("--where count(*)>1", 8, "true or false for each row"),
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
def test_what_is_asked_wrongly_is_one_line(
    extracted_before: Path, tmp_path: Path, words: str, code: int, told: str
) -> None:
    (tmp_path / "x.csv").write_text("id,idx,machine,value\n1,0,A,2\n1,1,A,3\n")
    refused(extracted_before, code, told, "--from", tmp_path / "x.csv", *words.split())


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
    root = new_workspace(tmp_path / "ws", "")
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
