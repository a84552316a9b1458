"""A cell that does not fit what its column is taken for is an error that names it; none is left out, nor another column
taken in its place. In CSV, Parquet and dumps alike."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import dumps
from tests.support.hints import extract, flags, refused, series

WIDE = {"id": [1, 2], **{f"v{i}": [i + 0.5, i + 0.25] for i in range(12)}}
LONG = {"series_id": [1, 1, 1, 2], "idx": [1, 2, 3, 1], "value": [2.5, 1.5, 3.5, 1.5], "temp": [20.5, 21.0, 22.0, 20.0]}
KINDS = ["csv", "parquet", "sql"]
_SQL = {"int": "integer", "float": "double precision", "str": "text"}


def written(folder: Path, kind: str, columns: dict[str, list[Any]]) -> Path:
    """The columns as a file of this kind; with a text in it a column of Parquet or of a dump is text."""
    path = folder / f"x.{kind}"
    columns = {n: list(map(str, c)) if any(isinstance(v, str) for v in c) else c for n, c in columns.items()}
    rows = list(zip(*columns.values(), strict=True))
    if kind == "parquet":
        pq.write_table(pa.table(columns), path)
    elif kind == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([tuple(columns), *rows])
    else:
        types = [f"    {name} {_SQL[type(cells[0]).__name__]}" for name, cells in columns.items()]
        create = "CREATE TABLE public.t (\n" + ",\n".join(types) + "\n);\n\n"
        dumps.written(path, "".join("\t".join(map(str, row)) + "\n" for row in rows), ", ".join(columns), create)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", [(), ("--values", "v*"), ("--layout", "wide"), ("--values", "v0..v11")])
@pytest.mark.parametrize("text", ["ERR", "-", "1.234,5", "12 A"])
def test_a_text_among_wide_columns(tmp_path: Path, kind: str, asked: tuple[str, ...], text: str) -> None:
    path = written(tmp_path, kind, {**WIDE, "v7": ["7.5", text]})
    row = {"csv": 3, "parquet": 2, "sql": 2}[kind]
    said = refused(tmp_path / "ws", 10, f"column v7 has '{text}' in row {row}: expected", "--from", path, *asked)
    assert "a number, as in v0 ... v11" in said
    whole = {1: ([i + 0.5 for i in range(12)],), 2: ([None if i == 7 else i + 0.25 for i in range(12)],)}
    assert series(tmp_path / "ws", "--from", path, *asked, f"--missing={text}") == whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_texts(tmp_path: Path, kind: str) -> None:
    columns = {name: [*map(str, cells), "ERR"] if name != "id" else [*cells, 3] for name, cells in WIDE.items()}
    path = written(tmp_path, kind, columns)
    refused(tmp_path / "ws", 10, "column v0 has 'ERR' in row", "--from", path)
    assert series(tmp_path / "ws", "--from", path, "--missing=ERR")[3] == ([],)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_in_the_numbers(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind, {name: cells for name, cells in WIDE.items() if name not in ("v7", "v8")})
    for asked in ((), ("--values", "v*")):
        said = refused(tmp_path / "ws", 8, "columns v0 ... v11 have no number 7, 8", "--from", path, *asked)
    assert series(tmp_path / "ws", "--from", path, *flags(said)[0])[1] == (
        [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 9.5, 10.5, 11.5],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["-", "ERR", "1.234,5"])
def test_a_text_among_the_values_of_long_rows(tmp_path: Path, kind: str, text: str) -> None:
    path = written(tmp_path, kind, {**LONG, "value": [2.5, text, 3.5, 1.5]})
    row = {"csv": 3, "parquet": 2, "sql": 2}[kind]
    refused(tmp_path / "ws", 10, f"column value has '{text}' in row {row}: expected a number", "--from", path)
    got = series(tmp_path / "ws", "--from", path, f"--missing={text}", "--carry", "idx")
    assert {id_: values[-1] for id_, values in got.items()} == {1: [2.5, None, 3.5], 2: [1.5]}


@pytest.mark.parametrize("kind", KINDS)
def test_values_without_a_usual_name_are_not_those_beside_them(tmp_path: Path, kind: str) -> None:
    columns = {"amps" if name == "value" else name: cells for name, cells in LONG.items()}
    path = written(tmp_path, kind, {**columns, "amps": [2.5, "ERR", 3.5, 1.5]})
    said = refused(tmp_path / "ws", 10, "column amps has 'ERR' in row", "--from", path)
    assert flags(said) == [["--missing=ERR"], ["--values", "amps"], ["--values", "temp"]]
    got = series(tmp_path / "ws", "--from", path, "--missing=ERR", "--values", "amps")
    assert got[1][-1] == [2.5, None, 3.5]


@pytest.mark.parametrize("kind", ["parquet", "sql"])
def test_numbers_as_text_are_numbers(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind, {**LONG, "value": list(map(str, LONG["value"]))})
    assert series(tmp_path / "ws", "--from", path)[1][-1] == [2.5, 1.5, 3.5]


def test_a_whole_number_may_be_the_likelier_value(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", {**LONG, "value": [2, 1, 3, 1]})
    assert series(tmp_path / "ws", "--from", path)[1][-1] == [2.0, 1.0, 3.0]


def test_a_number_with_points_between_thousands_is_not_read_as_another(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("series_id;idx;value;temp\n1;1;1.234;20,5\n1;2;999;20,5\n2;1;12.500;20,5\n")
    said = refused(tmp_path / "ws", 10, "column value has '1.234' in row 2: expected a number", "--from", path)
    assert "a decimal point, and nothing between thousands" in said


def test_a_serial_number_is_no_value(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", {"series_id": [1, 1, 2], "idx": [1, 2, 1], "amps": [2.5, 1.5, 3.5],
                                     "part": ["123", "123", "A12"]})  # fmt: skip
    assert series(tmp_path / "ws", "--from", path) == {1: ("123", [2.5, 1.5]), 2: ("A12", [3.5])}


def test_an_array_that_is_none_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('id,curve,limits\n1,"{1,2}","{0,9}"\n2,ERR,"{0,9}"\n3,"{5}","{0,9}"\n')
    said = refused(tmp_path / "ws", 10, "column curve has 'ERR' in row 3: expected an array", "--from", path)
    assert flags(said) == [["--missing=ERR"], ["--values", "curve"], ["--values", "limits"]]
    got = series(tmp_path / "ws", "--from", path, "--missing=ERR", "--values", "curve")
    assert got[1][-1] == [1.0, 2.0]
    assert got[2][-1] is None


def test_the_second_file_of_a_folder_has_the_text(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    head = "id," + ",".join(f"v{i}" for i in range(9))
    (tmp_path / "in" / "a.csv").write_text(f"{head}\n1{',1.5' * 9}\n")
    (tmp_path / "in" / "b.csv").write_text(f"{head}\n2,1.5,ERR{',1.5' * 7}\n")
    said = refused(tmp_path / "ws", 10, "column v1 has 'ERR' in row 2 of ", "--from", tmp_path / "in")
    assert "b.csv: expected a number" in said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([f"v{i}" for i in range(9)] + [f"w{i}" for i in range(9)], "not clear which columns are the values"),
        ([f"s{m}_v{i}" for m in (1, 2) for i in range(9)], "s1_v0 ... s1_v8, or s2_v0 ... s2_v8 too"),
        ([f"t{i / 10}" for i in range(20)], "t0.0 ... t0.9, or t1.0 ... t1.9 too"),
        ([f"v{i}" for i in range(9)] + ["V9"], "v0 ... v8, or V9 too"),
    ],
)
def test_two_sets_of_columns(tmp_path: Path, names: list[str], said: str) -> None:
    path = written(tmp_path, "csv", {"id": [1, 2], **{name: [1.5, 2.5] for name in names}})
    line = refused(tmp_path / "ws", 8, said, "--from", path)
    for words in flags(line):
        assert extract(tmp_path / "ws", "--from", path, *words)[0] == 0


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([*(f"v{i}" for i in range(9)), "volume"], "matches column volume"),
        ([*(f"v{i}" for i in range(9)), "v01"], "columns v1 and v01 have the same number"),
    ],
)
def test_a_pattern_that_leaves_the_order_open(tmp_path: Path, names: list[str], said: str) -> None:
    path = written(tmp_path, "csv", {"id": [1, 2], **{name: [1.5, 2.5] for name in names}})
    refused(tmp_path / "ws", 8, said, "--from", path, "--values", "v*")


def test_a_name_of_a_range_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", WIDE)
    refused(tmp_path / "ws", 8, "has no column v12", "--from", path, "--values", "v0..v12")


def test_texts_that_mean_a_missing_value(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("series_id,idx,value\n1,1,n/a\n1,2,#N/A\n1,3,<NA>\n1,4,-999\n1,5,1.#QNAN\n1,6,2.5\n1,7,\n")
    assert series(tmp_path / "ws", "--from", path) == {1: ([None, None, None, -999.0, None, 2.5, None],)}
    assert series(tmp_path / "ws", "--from", path, "--missing=-999")[1][0][3] is None
    (tmp_path / "ws" / "tsclust.toml").write_text('[source]\nmissing = ["NA"]\n')
    refused(tmp_path / "ws", 10, "column value has 'n/a' in row 2", "--from", path)
