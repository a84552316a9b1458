"""Rows of one id are one series only where their places, their columns and their files agree."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.file_rows import write
from tests.support.workspaces import new_workspace
from tsclust.errors import BadSeriesError, QueryError, TsclustError
from tsclust.workspace.result import Result

_NUMBERS = itertools.count()


def extract(folder: Path, source_: Path | str, **source: Any) -> tuple[Result, dict[Any, Any]]:
    """The result, and id -> the other columns; a list of values alone where there are no others."""
    root = new_workspace(folder / f"ws{next(_NUMBERS)}", "")
    done = tsclust.extract(root, {"source": {"files": str(source_), **source}})
    rows = [row for p in sorted((root / "series").glob("*.parquet")) for row in pq.read_table(p).to_pylist()]
    found = {row.pop("series_id"): (row if len(row) > 1 else row["values"]) for row in rows}
    assert len(found) == len(rows)
    return done, found


def refused(folder: Path, source_: Path | str, kind: type[TsclustError] = BadSeriesError, **source: Any) -> str:
    with pytest.raises(kind) as caught:
        extract(folder, source_, **source)
    assert caught.value.exit_code == kind.exit_code
    return str(caught.value)


def machines(folder: Path, *names: str, suffix: str = "parquet") -> Path:
    """A folder for each machine, in each of which the ids start again."""
    for i, name in enumerate(names):
        rows = {"cycle_id": [1, 1, 2], "idx": [0, 1, 0], "value": [i + 0.5, i + 1.5, i + 2.5]}
        path = folder / name / f"part-0.{suffix}"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(rows), path)
    return folder


# Two values at one place


def test_two_values_at_one_place_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "series_id,idx,value\n1,0,5\n1,1,6\n1,1,7\n")
    told = refused(tmp_path, path)
    assert told.startswith("series 1 has two values at idx 1: 6 and 7, expected one. ")
    assert "--merge keeps all rows" in told


def test_merge_keeps_all_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, "series_id,idx,value\n1,0,5\n1,1,6\n1,1,6\n1,2,8\n")
    assert extract(tmp_path, path, merge=True)[1] == {1: [5.0, 6.0, 6.0, 8.0]}


def test_the_same_value_at_one_place_is_kept_once_and_counted(tmp_path: Path) -> None:
    rows = "1,0,5\n1,1,NaN\n1,2,\n2,0,7\n2,1,-0.0\n"
    path = write(tmp_path, "series_id,idx,value\n" + rows * 3)
    done, found = extract(tmp_path, path)
    assert repr(found) == "{1: [5.0, nan, None], 2: [7.0, -0.0]}"
    assert done.facts["odd"]["repeated_rows"] == 10
    assert "10 rows repeated another, place and values: kept once" in done.notes


def test_what_is_repeated_leaves_the_same_bytes(tmp_path: Path) -> None:
    rows = "".join(f"{i},{j},{i * 10 + j}\n" for i in range(300) for j in range(5))
    once = extract(tmp_path / "1", write(tmp_path, "series_id,idx,value\n" + rows, "a.csv"))[0]
    twice = extract(tmp_path / "2", write(tmp_path, "series_id,idx,value\n" + rows * 2, "b.csv"))[0]
    parts = [(d.wrote / "part-00000.parquet").read_bytes() for d in (once, twice) if d.wrote]
    assert parts[0] == parts[1]


# Machines, sensors


@pytest.mark.parametrize("name", ["machine_id", "device", "channel", "sensor_name"])
def test_rows_of_two_machines_are_no_series(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{name},cycle_id,time,value\n1,7,1.0,5\n2,7,1.5,50\n1,7,2.0,6\n2,7,2.5,60\n")
    told = refused(tmp_path, path)
    assert told.startswith(f"series 7 has two values of {name}: 1 and 2, expected one. ")
    assert f"--id {name},cycle_id" in told
    found = extract(tmp_path, path, id=f"{name},cycle_id", carry=[])[1]
    assert found == {"1/7": [5.0, 6.0], "2/7": [50.0, 60.0]}
    assert extract(tmp_path / "merged", path, merge=True, carry=[])[1] == {7: [5.0, 50.0, 6.0, 60.0]}


def test_what_only_later_rows_contradict_is_refused_too(tmp_path: Path) -> None:
    rows = {"cycle_id": list(range(200_000)) * 2, "idx": [0] * 200_000 + [1] * 200_000, "value": [0.5] * 400_000,
            "note": ["as always"] * 399_999 + ["another"]}  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    told = refused(tmp_path, tmp_path / "a.parquet")
    assert "series 199999 has two values of note: as always and another" in told


def test_what_changes_in_a_series_is_not_carried_as_before(tmp_path: Path) -> None:
    path = write(tmp_path, "cycle_id,idx,phase,value\n1,0,start,5\n1,1,run,6\n")
    assert extract(tmp_path, path)[1] == {1: [5.0, 6.0]}
    assert extract(tmp_path, path, carry=["phase"])[1] == {1: {"phase": "start", "values": [5.0, 6.0]}}


# Folders and files


def test_folders_with_names_are_columns(tmp_path: Path) -> None:
    machines(tmp_path / "lake", "machine_id=7/site=a%20b", "machine_id=8/site=__HIVE_DEFAULT_PARTITION__")
    for where in (tmp_path / "lake", f"{tmp_path}/lake/**/*.parquet"):
        told = refused(tmp_path, where)
        assert "series 1 has two values of machine_id: 7 and 8" in told
        assert "--id machine_id,cycle_id" in told
        found = extract(tmp_path, where, id="machine_id,cycle_id", carry=["machine_id", "site"])[1]
        assert found["7/1"] == {"machine_id": 7, "site": "a b", "values": [0.5, 1.5]}
        assert found["8/2"] == {"machine_id": 8, "site": None, "values": [3.5]}
        assert len(found) == 4


def test_ids_that_do_not_start_again_stay_as_they_are(tmp_path: Path) -> None:
    for i in (1, 2):
        path = tmp_path / "lake" / f"machine=M{i}" / "a.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"cycle_id": [i, i], "idx": [0, 1], "value": [i + 0.5, i + 1.5]}), path)
    found = extract(tmp_path, tmp_path / "lake")[1]
    assert found == {i: {"machine": f"M{i}", "values": [i + 0.5, i + 1.5]} for i in (1, 2)}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_row_a_series_that_is_loaded_twice(tmp_path: Path, kind: str) -> None:
    path, values = tmp_path / f"a.{kind}", [[0.5, None], [1.5], [0.5, None], [1.5], [2.5]]
    if kind == "csv":
        path.write_text('id,values,m\n1,"{0.5,NULL}",A\n2,{1.5},B\n1,"{0.5,NULL}",A\n2,{1.5},B\n3,{2.5},\n')
    else:
        pq.write_table(pa.table({"id": [1, 2, 1, 2, 3], "values": values, "m": ["A", "B", "A", "B", None]}), path)
    done, found = extract(tmp_path, path, carry=[])
    assert found == {1: [0.5, None], 2: [1.5], 3: [2.5]}
    assert "2 rows repeated another, place and values: kept once" in done.notes
    if kind == "csv":
        path.write_text(path.read_text().replace(",B\n3", ",C\n3"))
        assert "series_id 2 occurs more than once" in refused(tmp_path, path)


def test_a_row_a_series_in_folders(tmp_path: Path) -> None:
    for i in (1, 2):
        path = tmp_path / "lake" / f"machine_id={i}" / "a.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"id": [1, 2], "values": [[0.5], [1.5]]}), path)
    told = refused(tmp_path, tmp_path / "lake")
    assert "series_id 1 occurs more than once" in told
    assert "--id machine_id,id" in told
    found = extract(tmp_path, tmp_path / "lake", id="machine_id,id", carry=[])[1]
    assert found == {"1/1": [0.5], "1/2": [1.5], "2/1": [0.5], "2/2": [1.5]}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("1,1,50\n1,2,60\n", "series 1 has two values at idx 1: 5 and 50"),
        ("1,1.5,50\n1,2.5,60\n", "their rows alternate"),
        ("1,500,50\n1,501,60\n", "idx leaps from one to the other"),
    ],
)
def test_a_file_for_each_machine(tmp_path: Path, other: str, told: str) -> None:
    write(tmp_path, "cycle_id,idx,value\n1,1,5\n1,2,6\n", "csv/m1.csv")
    write(tmp_path, "cycle_id,idx,value\n" + other, "csv/m2.csv")
    said = refused(tmp_path, tmp_path / "csv")
    assert told in said
    assert "--id file,cycle_id" in said
    found = extract(tmp_path, tmp_path / "csv", id="file,cycle_id", carry=[])[1]
    assert found == {"m1/1": [5.0, 6.0], "m2/1": [50.0, 60.0]}


def test_a_series_that_goes_on_in_the_next_file_is_one(tmp_path: Path) -> None:
    write(tmp_path, "cycle_id,idx,value\n1,1,5\n1,2,6\n2,1,9\n", "csv/a.csv")
    write(tmp_path, "cycle_id,idx,value\n2,2,10\n2,3,11\n2,1,9\n", "csv/b.csv")
    assert extract(tmp_path, tmp_path / "csv")[1] == {1: [5.0, 6.0], 2: [9.0, 10.0, 11.0]}


def test_pieces_that_one_program_wrote_may_share_series(tmp_path: Path) -> None:
    write(tmp_path, "cycle_id,idx,value\n1,1,5\n1,3,7\n", "csv/part-0.csv")
    write(tmp_path, "cycle_id,idx,value\n1,2,6\n1,4,8\n", "csv/part-1.csv")
    assert extract(tmp_path, tmp_path / "csv")[1] == {1: [5.0, 6.0, 7.0, 8.0]}


# Keys


def test_ids_that_are_joined_cannot_be_mistaken(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,idx,value\nx/y,z,0,1\nx,y/z,0,2\n" + "x\\,/y,0,3\n")
    found = extract(tmp_path, path, id="a,b", carry=[])[1]
    assert sorted(found.values()) == [[1.0], [2.0], [3.0]]


def test_a_column_that_differs_in_every_row_is_no_id(tmp_path: Path) -> None:
    path = write(tmp_path, "id,cycle_no,t,value\n1,1,1,5\n2,1,2,6\n3,2,1,7\n4,2,2,8\n")
    assert "no column is clearly the id" in refused(tmp_path, path, QueryError)
    assert extract(tmp_path, path, id="cycle_no")[1] == {1: [5.0, 6.0], 2: [7.0, 8.0]}


def test_an_id_that_is_nan_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"series_id": [1.0, float("nan"), 3.0], "values": [[0.5], [1.5], [2.5]]}), path)
    assert "1 of 3 rows have no id (NULL), the first is row 2" in refused(tmp_path, path)
    assert extract(tmp_path, path, where="series_id IS NOT NULL")[1] == {"1": [0.5], "3": [2.5]}
