"""Files as rows: what a file is, whatever its name says; several files, folders and globs."""

from __future__ import annotations

import gzip
import os
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.file_rows import F32, F64, I64, LIST, TEXT, US, read, refusal, table, types_of, write
from tsclust.errors import SettingsError, SourceFileError
from tsclust.source.files.discovery import opened


def test_json_is_text(tmp_path: Path) -> None:
    rows = {"id": [1, 2], "meta": ["{}", '{"a": 1}'], "names": ['["x"]', "[]"]}
    pl.DataFrame(rows).write_csv(tmp_path / "a.csv")
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        assert types_of(tmp_path / name) == {"id": I64, "meta": TEXT, "names": TEXT}
        assert read(tmp_path / name) == rows


def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path: Path) -> None:
    write(tmp_path, "id\n" + "1\n" * 10)
    pq.write_table(pa.table({"id": range(10)}), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        batches = opened(name, "", tmp_path).read({"id": I64}, lambda n: None)
        assert next(iter(batches)).num_rows == 10
        del batches


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        rows = opened(name, "", tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(SourceFileError, match=rf"^{name} cannot be read \(No such file or directory\)\. Check"):
            table(rows)


# Other content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x is empty"),
        (b" \n\n", "x is blank"),
        (gzip.compress(b"", mtime=0), "x is empty"),
        (b"PK\x03\x04" + bytes(50), "a zip archive or an Excel workbook"),
        (b"SQLite format 3\0" + bytes(50), "an SQLite database"),
        ("id,v\n1,2\n".encode("utf-16-le"), "x is UTF-16 text"),
        ("id,v\n1,2\n".encode("utf-16-be"), "x is UTF-16 text"),
        (gzip.compress(gzip.compress(b"id\n1\n", mtime=0), mtime=0), "a gzip file inside a gzip file"),
        (gzip.compress(b"PAR1", mtime=0), "a Parquet file inside a gzip file"),
        (b"Salted__" + bytes(range(256)), "x is encrypted"),
        (b"\x85\x02\x0c\x03" + np.random.default_rng(1).bytes(999), "x is not text; it looks encrypted"),
        (b"id\0v\n", "x is not text"),
        (b'{"id": 1, "v": [1, 2]}\n', "x is JSON"),
        (b"<!DOCTYPE html>", "x is HTML or XML"),
        (gzip.compress(bytes(257) + b"ustar\0", mtime=0), "x is a tar archive"),
        (bytes(257) + b"ustar\0", "x is a tar archive"),
        (b"PAR1" + bytes(99), "x is cut off: a Parquet file ends with PAR1"),
        (b"PAR1", "x is damaged"),
        (b"PAR1" + bytes(99) + b"PAR1", "x is damaged: expected a Parquet file"),
        (b"PARE" + bytes(99) + b"PARE", "an encrypted Parquet file"),
        (b"PAR1" + bytes(99) + b"PARE", "x is encrypted"),
    ],
)
def test_what_is_no_data_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    write(tmp_path, content, "x")
    assert said in refusal(SourceFileError, "x", tmp_path)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.csv")
    assert read(tmp_path / "a.csv") == {"id": [1]}
    assert read(write(tmp_path, "id,v\n1,2\n", "a.parquet")) == {"id": [1], "v": [2]}
    assert read(write(tmp_path, gzip.compress(b"id,v\n1,2\n"), "noend")) == {"id": [1], "v": [2]}


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is not a regular file" in refusal(SourceFileError, "pipe", tmp_path)


# Several files


def test_files_one_after_another(tmp_path: Path) -> None:
    write(tmp_path, "id,v,day\n1,2,2024-01-02\n", "d/b.csv")
    write(tmp_path, gzip.compress(b"day;v;id\n2024-01-02 03:04:05;1,5;A1\n"), "d/a.csv.gz")
    write(tmp_path, "id,v,day\n3,,\n", "d/c.tsv")
    for name in ("d/.hidden.csv", "d/_SUCCESS.csv", "d/readme.md"):
        write(tmp_path, "\0", name)
    rows = opened("d", "", tmp_path)
    assert (rows.label, rows.schema) == ("d (3 files)", pa.schema([("day", US), ("v", F64), ("id", TEXT)]))
    assert rows.size == sum((tmp_path / "d" / name).stat().st_size for name in ("a.csv.gz", "b.csv", "c.tsv"))
    assert table(rows).to_pydict() == {
        "day": [datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 2), None],
        "v": [1.5, 2.0, None],
        "id": ["A1", "1", "3"],
    }


def test_parquet_files_of_different_types(tmp_path: Path) -> None:
    a = pa.table({"id": pa.array([1], pa.int32()), "v": pa.array([[1]], pa.list_(F32)), "x": pa.array([1], I64)})
    b = pa.table({"v": pa.array([[2]], LIST), "id": pa.array([2**40]), "x": pa.array([0.5], F32)})
    for name, t in [("a", a), ("b", b)]:
        pq.write_table(t, tmp_path / f"{name}.parquet")
    rows = opened("*.parquet", "", tmp_path)
    assert rows.schema == pa.schema([("id", I64), ("v", LIST), ("x", F64)])
    assert table(rows).to_pydict() == {"id": [1, 2**40], "v": [[1.0], [2.0]], "x": [1.0, 0.5]}


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    write(tmp_path, "id,v\n1,2\n", "names/a.csv")
    write(tmp_path, "id,w\n1,2\n", "names/b.csv")
    assert "names/b.csv has no column v, which names/a.csv has" in refusal(SettingsError, "names", tmp_path)
    write(tmp_path, "id,v\n1,2\n", "more/a.csv")
    write(tmp_path, "id,v,w\n1,2,3\n", "more/b.csv")
    assert "more/a.csv has no column w, which more/b.csv has" in refusal(SettingsError, "more", tmp_path)
    write(tmp_path, "id,v\n1,2\n", "types/a.csv")
    write(tmp_path, "id,v\n1,{2}\n", "types/b.csv")
    said = refusal(SettingsError, "types", tmp_path)
    assert "types/b.csv: column v is list<item: double>, in types/a.csv it is int64" in said
    for name, values in [("a", [1]), ("b", ["x"])]:
        pq.write_table(pa.table({"id": values}), tmp_path / f"{name}.parquet")
    assert "b.parquet: column id is string, in a.parquet it is int64" in refusal(SettingsError, "*.parquet", tmp_path)


def test_a_mixture_of_kinds(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    said = refusal(SettingsError, str(tmp_path), tmp_path)
    assert "files of several kinds: CSV (a.csv, ...) and Parquet (b.parquet, ...)" in said
    assert "glob such as *.parquet" in said
    assert table(opened("*.csv", "", tmp_path)).to_pydict() == {"id": [1]}


def test_globs(tmp_path: Path) -> None:
    for month in (1, 2, 3):
        write(tmp_path, f"id,v\n{month},0\n", f"data/y/2024-0{month}.csv")
    write(tmp_path, "\0", "data/y/.2024-04.csv")
    for where, ids in [("data/y/2024-0[12].csv", [1, 2]), ("data/**/*.csv", [1, 2, 3]), ("data/*/*3.csv", [3])]:
        assert table(opened(where, "", tmp_path)).column("id").to_pylist() == ids
        assert table(opened(str(tmp_path / where), "", Path())).column("id").to_pylist() == ids


def test_names_that_look_like_globs(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n", "a[1].csv")
    write(tmp_path, "id\n2\n", "a1.csv")
    write(tmp_path, "id\n3\n", "d[1]*/x.csv")
    for where, ids in [("a[1].csv", [1]), ("d[1]*", [3]), ("d[1]*/*.csv", [3]), ("a?.csv", [2]), ("*[]].csv", [1])]:
        assert table(opened(where, "", tmp_path)).column("id").to_pylist() == ids


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "id\n1\n", "b/a.csv")
    assert opened("~/b/a.csv", "", Path("elsewhere")).label == str(tmp_path / "b" / "a.csv")


def test_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n", "data/cycles.csv")
    write(tmp_path, "id\n1\n", "deep/x/y.parquet")
    (tmp_path / "none").mkdir()
    for where, said in [
        ("data/cycle.csv", "There is no data/cycle.csv: expected CSV (also .gz), Parquet or a pg_dump. In data there"),
        ("data/cycle.csv", "In data there is: cycles.csv"),
        ("data/*.parquet", "There is no data/*.parquet"),
        ("dato/cycles.csv", "there is: data, deep, none"),
        ("none", "No data file in none"),
        ("deep", 'Name a glob: "deep/**/*.parquet"'),
        ("data/cycles.csv/x", "cycles.csv is not a folder"),
        ("", "empty path"),
        ("~nobody_here/x", "cannot be looked up"),
        ("a\0b", "There is no a?b"),
        ("x" * 5000, "cannot be looked up"),
    ]:  # fmt: skip
        assert said in refusal(SettingsError, where, tmp_path), where


def test_a_table_is_for_dumps(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    assert "source.table = 't': a.csv is CSV" in refusal(SettingsError, "a.csv", tmp_path, "t")
    assert "b.parquet is Parquet" in refusal(SettingsError, "b.parquet", tmp_path, "t")


DUMP = """--
-- PostgreSQL database dump
--

CREATE TABLE public.t (
    id bigint,
    v double precision[]
);


COPY public.t (id, v) FROM stdin;
1\t{1,2}
\\.


--
-- PostgreSQL database dump complete
--
"""


def test_dumps_go_to_their_reader(tmp_path: Path) -> None:
    write(tmp_path, DUMP, "a.txt")
    for table_ in ("", "public.t"):
        assert table(opened("a.txt", table_, tmp_path)).to_pydict() == {"id": [1], "v": [[1.0, 2.0]]}
    write(tmp_path, "PGDMP", "folder/toc.dat")
    refusal(SourceFileError, "folder", tmp_path)
    write(tmp_path, DUMP, "b.txt")
    assert "*.txt matches 2 dumps: expected one. Name one, for example a.txt" in refusal(
        SettingsError, "*.txt", tmp_path
    )
    write(tmp_path, "id\n1\n")
    assert "CSV (a.csv, ...) and pg_dump (a.txt, ...)" in refusal(SettingsError, "*.*", tmp_path)
